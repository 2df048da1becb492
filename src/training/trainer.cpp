#include <boltzcurve/training.hpp>
#include "collocation/collocation.hpp"
#include "network/networks.hpp"
#include "pilot/pilot_run.hpp"
#include "training/batch_loss.hpp"
#include "training/matching_loss.hpp"
#include "training/optimizer.hpp"
#include "training/sum_loss.hpp"
#include "training/training_state.hpp"

#include <boltzcurve/error.hpp>
#include "core/clock.hpp"
#include "core/heartbeat.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace boltzcurve {
namespace {

/// Of what the steps are that come next.
enum class Stage { matching, residual, residual_and_target };

Stage stage_at(const Model& model, const TrainerSettings& settings, std::int64_t step) {
  auto loss = settings.training.loss;
  const bool has_population = model.pilot->population != nullptr;
  if (loss == TrainingLoss::automatic) loss = has_population ? TrainingLoss::matching : TrainingLoss::residual;
  if (loss == TrainingLoss::matching) return Stage::matching;
  if (loss == TrainingLoss::matching_then_residual)
    return static_cast<double>(step) < (1 - settings.training.residual_share) * static_cast<double>(settings.training.steps)
               ? Stage::matching
               : Stage::residual_and_target;
  return has_population ? Stage::residual_and_target : Stage::residual;
}

std::unique_ptr<BatchLoss> loss_of(const Communicator& world, const Model& model, const TrainerSettings& settings, Stage stage) {
  BatchLossSettings of_loss;
  of_loss.curve = model.curve;
  of_loss.collocation = model.settings.collocation;
  of_loss.region = *model.region;
  of_loss.loss = settings.training.loss_shape();
  of_loss.normalizer_by_batches = model.settings.normalizer.kind == NormalizerKind::batch;
  of_loss.seed = model.settings.seed;
  of_loss.reduction = settings.reduction;
  of_loss.chains = model.pilot->chains;
  of_loss.population = model.pilot->population;
  of_loss.at_target = stage == Stage::residual_and_target;
  const auto precision = model.settings.precision;
  const auto matching = [&] { return make_matching_loss(precision, world, of_loss, model.curve_target(), *model.latent); };
  const auto residual = [&] { return make_batch_loss(precision, world, of_loss, model.curve_target(), *model.latent); };
  if (stage == Stage::matching) return matching();
  if (stage == Stage::residual) return residual();
  return make_sum_loss(residual(), matching(), 1);
}

}  // namespace

/// What a Trainer works with.
class Trainer::Work {
 public:
  Work(const Communicator& to_world, Model& to_learn, const TrainerSettings& how, TrainingState from)
      : world(to_world),
        model(to_learn),
        settings(how),
        optimizer(make_optimizer(how.optimizer, to_learn.networks().tensors())),
        state(std::move(from)),
        stage(stage_at(to_learn, how, state.step)),
        loss(loss_of(to_world, to_learn, how, stage)),
        rate{how.optimizer, how.training.steps},
        last_tried(std::max<std::int64_t>(0, state.step - 1)) {}

  bool window_is_full() const { return state.step % settings.training.log_every == 0; }
  bool time_is_up() const { return settings.training.max_seconds > 0 && seconds_left() <= 0; }
  double seconds_left() const { return settings.training.max_seconds - state.seconds; }
  StepDecision time_decision() const;
  void step();
  void log_row(Trainer& trainer);
  TrainingState snapshot(Trainer& trainer);
  void keep(Trainer& trainer, TrainingObserver::Occasion occasion, Stop ends);
  void count_left_out(Trainer& trainer);
  [[noreturn]] void give_up();

  Communicator world;
  Model& model;
  TrainerSettings settings;
  std::unique_ptr<Optimizer> optimizer;
  TrainingState state;
  Stage stage;
  std::unique_ptr<BatchLoss> loss;
  LearningRate rate;
  std::vector<TrainingObserver*> observers;
  bool left_out_is_known = false;
  std::int64_t last_tried;
  double last_loss = std::nan(""), began = 0, seconds_before = 0;
};

Trainer::Trainer(const Communicator& world, Model& model, const TrainerSettings& settings)
    : work_(std::make_unique<Work>(world, model, settings, TrainingState())) {
  work_->state = initial_training_state(model.parameters, *work_->optimizer, model.pilot->summary);
}

Trainer::Trainer(const Communicator& world, Model& model, const TrainerSettings& settings, const TrainingState& from, UnfitPoints unfit)
    : work_(std::make_unique<Work>(world, model, settings, from)) {
  // Points that lie elsewhere than before have nothing to go on from.
  if (!work_->loss->restore(from.loss, unfit == UnfitPoints::refuse)) thermalize_chains(*model.pilot);
  work_->state.loss.collocation.clear();
}

Trainer::Trainer(Trainer&&) noexcept = default;
Trainer::~Trainer() = default;

void Trainer::observe(TrainingObserver& observer) { work_->observers.push_back(&observer); }
void Trainer::one_step() { work_->step(); }
TrainingState Trainer::snapshot() { return work_->snapshot(*this); }
const Communicator& Trainer::world() const { return work_->world; }
const Model& Trainer::model() const { return work_->model; }
const TrainerSettings& Trainer::settings() const { return work_->settings; }
std::int64_t Trainer::steps_done() const { return work_->state.step; }
double Trainer::recent_loss() const { return work_->state.window.losses > 0 ? work_->state.window.mean_loss() : work_->last_loss; }
double Trainer::seconds_left() const { return work_->seconds_left(); }
bool Trainer::has_steps_left() const { return steps_done() < settings().training.steps && !work_->time_is_up(); }
bool Trainer::row_is_due() const { return work_->window_is_full() || steps_done() == settings().training.steps; }
const TrainingState& Trainer::state() const { return work_->state; }
BatchLoss& Trainer::loss() { return *work_->loss; }

Stop Trainer::run(const std::function<StepDecision()>& at_border) {
  const Phase phase("training");
  const auto& training = work_->settings.training;
  auto& state = work_->state;
  auto stop = work_->time_is_up() ? Stop::time_limit : Stop::no;
  const auto first_step = state.step;
  bool keep_is_due = false;
  for (auto* observer : work_->observers) observer->begin(*this);
  work_->began = steady_seconds();
  work_->seconds_before = state.seconds;
  while (state.step < training.steps && stop == Stop::no) {
    work_->step();
    for (auto* observer : work_->observers) observer->after_step(*this);
    if (row_is_due()) work_->log_row(*this);
    const auto decision = at_border ? at_border() : work_->time_decision();
    stop = decision.stop;
    // A state that is due while steps are skipped is kept after the next good step.
    keep_is_due |= decision.checkpoint || (training.checkpoint_steps > 0 && state.step % training.checkpoint_steps == 0);
    if (keep_is_due && stop == Stop::no && state.step < training.steps && state.skipped_in_a_row == 0) {
      keep_is_due = false;
      work_->keep(*this, TrainingObserver::Occasion::due, Stop::no);
    }
  }
  if (state.step > first_step && !row_is_due()) work_->log_row(*this);
  // Interrupted, it goes on to skip or to recover as it would have; ended, it must not pass for a success.
  if (state.step == training.steps) stop = Stop::no;
  if (state.skipped_in_a_row > 0 && !is_interruption(stop)) work_->give_up();
  if (!is_interruption(stop)) stop = Stop::no;
  if (state.step > first_step) work_->keep(*this, TrainingObserver::Occasion::end, stop);
  work_->model.parameters = state.average;
  return stop;
}

void Trainer::Work::step() {
  last_tried = state.step;
  const auto& result = loss->evaluate(state.parameters, state.step);
  if (result.finite) {
    state.gradient_norm = optimizer->update(state.optimizer, state.parameters, result.gradient, rate.at(state.step));
    update_average(state.average, state.parameters, settings.training.average, state.optimizer.updates);
    state.skipped_in_a_row = 0;
    state.window.loss_sum += result.loss;
    ++state.window.losses;
  } else {
    ++state.skipped_steps;
    ++state.skipped_in_a_row;
  }
  if (state.skipped_in_a_row > settings.training.max_skipped_steps) give_up();
  if (began > 0) state.seconds = seconds_before + steady_seconds() - began;
  ++state.step;
  ++state.window.steps;
  // Here, so that a state that is kept at the border is that of the loss it goes on with.
  if (const auto next = stage_at(model, settings, state.step); next != stage) {
    stage = next;
    loss = loss_of(world, model, settings, stage);
  }
}

TrainingState Trainer::Work::snapshot(Trainer& trainer) {
  count_left_out(trainer);
  ++state.checkpoints;
  state.loss = loss->state();
  auto whole = state;
  state.loss.collocation.clear();
  return whole;
}

StepDecision Trainer::Work::time_decision() const {
  const bool up = settings.training.max_seconds > 0 && world.any(world.is_root() && time_is_up());
  return {up ? Stop::time_limit : Stop::no, false};
}

/// Of the window so far. A window that the end comes into stays open, for a training that goes on.
void Trainer::Work::log_row(Trainer& trainer) {
  count_left_out(trainer);
  const double points = static_cast<double>(model.settings.collocation.points * state.window.steps);
  last_loss = state.window.mean_loss();
  const TrainingRow row{
      state.step,    last_loss,           state.gradient_norm,  rate.at(state.step - 1), points / (state.seconds - state.window.started),
      state.seconds, state.skipped_steps, state.left_out_points};
  for (auto* observer : observers) observer->row(trainer, row);
  if (!window_is_full()) return;
  state.window = {};
  state.window.started = state.seconds;
}

void Trainer::Work::keep(Trainer& trainer, TrainingObserver::Occasion occasion, Stop ends) {
  const auto whole = snapshot(trainer);
  for (auto* observer : observers) observer->keep(trainer, whole, occasion, ends);
}

void Trainer::Work::count_left_out(Trainer& trainer) {
  auto left_out = loss->take_left_out();
  state.left_out_points += left_out.points;
  if (left_out.points == 0 || std::exchange(left_out_is_known, true)) return;
  model.coordinates().to_x(std::span<double>(left_out.x));
  const auto text = fmt::format(
      "the target's energy, or a derivative of it, is not finite at {} of the points so far, for example at x = ({:.6g}) (t = {:.6g}); "
      "such "
      "points are left out",
      state.left_out_points, fmt::join(left_out.x, ", "), left_out.t);
  for (auto* observer : observers) observer->warn(trainer, text);
}

void Trainer::Work::give_up() {
  const auto worst = loss->worst_point(state.parameters, last_tried);
  throw NumericalError(
      fmt::format("loss or gradient was not finite in {} steps in a row, the last of them step {}; worst point: t = {:.6g}, "
                  "x = ({:.6g}), point {} of the batch, residual {}",
                  state.skipped_in_a_row, last_tried, worst.t, fmt::join(worst.x, ", "), worst.index, worst.residual));
}

}  // namespace boltzcurve

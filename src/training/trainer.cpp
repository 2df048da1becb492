#include "training/trainer.hpp"

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

std::unique_ptr<BatchLoss> loss_of(const Communicator& world, const Model& model, const TrainerSettings& settings) {
  BatchLossSettings of_loss;
  of_loss.curve = model.curve;
  of_loss.collocation = model.settings.collocation;
  of_loss.region = model.region;
  of_loss.loss = settings.training.loss_shape();
  of_loss.normalizer_by_batches = model.settings.normalizer.kind == NormalizerKind::batch;
  of_loss.seed = model.settings.seed;
  of_loss.reduction = settings.reduction;
  of_loss.chains = model.pilot.chains;
  return make_batch_loss(model.settings.precision, world, of_loss, model.curve_target(), *model.latent);
}

}  // namespace

Trainer::Trainer(const Communicator& world, Model& model, const TrainerSettings& settings)
    : Trainer(world, model, settings, TrainingState()) {}

Trainer::Trainer(const Communicator& world, Model& model, const TrainerSettings& settings, TrainingState from, UnfitPoints unfit)
    : world_(world),
      model_(model),
      settings_(settings),
      optimizer_(make_optimizer(settings.optimizer, model.networks().tensors())),
      state_(std::move(from)),
      loss_(loss_of(world, model, settings)),
      rate_{settings.optimizer, settings.training.steps},
      last_tried_(std::max<std::int64_t>(0, state_.step - 1)),
      last_loss_(std::nan("")) {
  if (state_.parameters.empty()) {
    state_ = initial_training_state(model.parameters, *optimizer_, model.pilot.summary);
  } else if (!loss_->restore(state_.loss, unfit == UnfitPoints::refuse)) {
    thermalize_chains(model.pilot);  // points that lie elsewhere than before have nothing to go on from
  }
  state_.loss.collocation.clear();
}

Stop Trainer::run(const std::function<StepDecision()>& at_border) {
  const Phase phase("training");
  auto stop = time_is_up() ? Stop::time_limit : Stop::no;
  const auto first_step = state_.step;
  bool keep_is_due = false;
  for (auto* observer : observers_) observer->begin(*this);
  began_ = steady_seconds();
  seconds_before_ = state_.seconds;
  while (state_.step < settings_.training.steps && stop == Stop::no) {
    one_step();
    for (auto* observer : observers_) observer->after_step(*this);
    if (row_is_due()) log_row();
    const auto decision = at_border ? at_border() : time_decision();
    stop = decision.stop;
    // A state that is due while steps are skipped is kept after the next good step.
    keep_is_due |=
        decision.checkpoint || (settings_.training.checkpoint_steps > 0 && state_.step % settings_.training.checkpoint_steps == 0);
    if (keep_is_due && stop == Stop::no && state_.step < settings_.training.steps && state_.skipped_in_a_row == 0) {
      keep_is_due = false;
      keep(TrainingObserver::Occasion::due, Stop::no);
    }
  }
  if (state_.step > first_step && !row_is_due()) log_row();
  // Interrupted, it goes on to skip or to recover as it would have; ended, it must not pass for a success.
  if (state_.step == settings_.training.steps) stop = Stop::no;
  if (state_.skipped_in_a_row > 0 && !is_interruption(stop)) give_up();
  if (!is_interruption(stop)) stop = Stop::no;
  if (state_.step > first_step) keep(TrainingObserver::Occasion::end, stop);
  model_.parameters = state_.average;
  return stop;
}

void Trainer::one_step() {
  last_tried_ = state_.step;
  const auto& result = loss_->evaluate(state_.parameters, state_.step);
  if (result.finite) {
    state_.gradient_norm = optimizer_->update(state_.optimizer, state_.parameters, result.gradient, rate_.at(state_.step));
    update_average(state_.average, state_.parameters, settings_.training.average, state_.optimizer.updates);
    state_.skipped_in_a_row = 0;
    state_.window.loss_sum += result.loss;
    ++state_.window.losses;
  } else {
    ++state_.skipped_steps;
    ++state_.skipped_in_a_row;
  }
  if (state_.skipped_in_a_row > settings_.training.max_skipped_steps) give_up();
  if (began_ > 0) state_.seconds = seconds_before_ + steady_seconds() - began_;
  ++state_.step;
  ++state_.window.steps;
}

TrainingState Trainer::snapshot() {
  count_left_out();
  ++state_.checkpoints;
  state_.loss = loss_->state();
  auto whole = state_;
  state_.loss.collocation.clear();
  return whole;
}

StepDecision Trainer::time_decision() const {
  const bool up = settings_.training.max_seconds > 0 && world_.any(world_.is_root() && time_is_up());
  return {up ? Stop::time_limit : Stop::no, false};
}

/// Of the window so far. A window that the end comes into stays open, for a training that goes on.
void Trainer::log_row() {
  count_left_out();
  const double points = static_cast<double>(model_.settings.collocation.points * state_.window.steps);
  last_loss_ = state_.window.mean_loss();
  const TrainingRow row{state_.step,
                        last_loss_,
                        state_.gradient_norm,
                        rate_.at(state_.step - 1),
                        points / (state_.seconds - state_.window.started),
                        state_.seconds,
                        state_.skipped_steps,
                        state_.left_out_points};
  for (auto* observer : observers_) observer->row(*this, row);
  if (!window_is_full()) return;
  state_.window = {};
  state_.window.started = state_.seconds;
}

void Trainer::keep(TrainingObserver::Occasion occasion, Stop ends) {
  const auto whole = snapshot();
  for (auto* observer : observers_) observer->keep(*this, whole, occasion, ends);
}

void Trainer::count_left_out() {
  auto left_out = loss_->take_left_out();
  state_.left_out_points += left_out.points;
  if (left_out.points == 0 || std::exchange(left_out_is_known_, true)) return;
  model_.coordinates().to_x(std::span<double>(left_out.x));
  warn(
      fmt::format("the target's energy, or a derivative of it, is not finite at {} of the points so far, for example at x = ({:.6g}) (t = "
                  "{:.6g}); such points are left out",
                  state_.left_out_points, fmt::join(left_out.x, ", "), left_out.t));
}

void Trainer::warn(const std::string& text) {
  for (auto* observer : observers_) observer->warn(*this, text);
}

void Trainer::give_up() {
  const auto worst = loss_->worst_point(state_.parameters, last_tried_);
  throw NumericalError(
      fmt::format("loss or gradient was not finite in {} steps in a row, the last of them step {}; worst point: t = {:.6g}, "
                  "x = ({:.6g}), point {} of the batch, residual {}",
                  state_.skipped_in_a_row, last_tried_, worst.t, fmt::join(worst.x, ", "), worst.index, worst.residual));
}

}  // namespace boltzcurve

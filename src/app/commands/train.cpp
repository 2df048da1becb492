#include <boltzcurve/error.hpp>
#include "app/commands/commands.hpp"
#include "app/commands/evaluation.hpp"
#include "app/commands/problem.hpp"
#include "app/commands/stages.hpp"
#include "app/commands/training_state.hpp"
#include "app/process/busy_time.hpp"
#include "app/terminal/print.hpp"
#include "core/heartbeat.hpp"
#include "io/checkpoint_series.hpp"
#include "io/durable_file.hpp"
#include "io/metrics_file.hpp"
#include "training/watch.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace boltzcurve {
namespace {

const std::vector<MetricsColumn> training_columns = {
    {"step", "1", MetricsColumn::Type::integer},
    {"loss", "squared unit of the residual"},  // mean over the steps since the row before
    {"gradient_norm", "1"},
    {"learning_rate", "1"},
    {"points_per_second", "points/s"},
    {"seconds", "s"},
    {"skipped_steps", "1", MetricsColumn::Type::integer},
    {"left_out_points", "1", MetricsColumn::Type::integer},
};

std::string describe(const WorstPoint& point) {
  return fmt::format("t = {:.6g}, x = ({:.6g}), point {} of the batch, residual {}", point.t, fmt::join(point.x, ", "), point.index,
                     point.residual);
}

/// The loop over steps and what it writes.
class Trainer {
 public:
  Trainer(Run& run, const Problem& problem, const std::shared_ptr<MalaChains>& chains, TrainingState& state)
      : run_(run),
        problem_(problem),
        state_(state),
        loss_(make_batch_loss(problem.precision, run.world(), batch_loss_settings(run.options(), problem, chains), problem.curve_target(),
                              *problem.latent)),
        rate_{run.options().optimizer, run.options().training.steps},
        watch_(problem.curve_name, run.options().optimizer.gradient_clip, run.options().optimizer.warm_up_steps) {
    if (!state.sum_exponents.empty()) restore_exponents();
    loss_->set_time_bins(state.time_bins);
    if (run.checkpoint()) restore_collocation(*chains);
  }

  Stop train() {
    const Phase phase("training");
    const auto& options = run_.options().training;
    // The budget is for all of the training, the resumed part included.
    const double seconds_left = options.max_seconds - state_.seconds;
    auto stop = options.max_seconds > 0 && seconds_left <= 0 ? Stop::time_limit : Stop::no;
    open_files(state_.step < options.steps && stop == Stop::no);
    run_.stop().start_clock(std::max(seconds_left, 0.0), options.checkpoint_seconds);
    seconds_before_ = state_.seconds;
    const BusyTime busy;

    auto progress = make_progress();
    const auto tell = [&](const std::optional<std::string>& warning) {
      if (!warning) return;
      progress.wipe();
      warn(run_.world(), *warning);
    };
    const auto first_step = state_.step;
    while (state_.step < options.steps && stop == Stop::no) {
      tell(one_step());
      progress.at(state_.step);
      if (row_is_due()) log_row();
      tell(take_warning());
      if (options.evaluate_every > 0 && state_.step % options.evaluate_every == 0 && state_.step < options.steps) {
        const auto quick = quick_evaluation(run_, problem_, state_);
        progress.note(fmt::format("step {}: ESS {:.4f}, log Z {:.4f} (N = {})", state_.step, quick.ess, quick.log_z, quick.particles));
        append_quick_evaluation(quick);
      }
      const auto decision = run_.stop().agree();
      stop = decision.stop;
      // One that falls due while steps are skipped is written after the next good step.
      is_due_ |= decision.checkpoint || (options.checkpoint_steps > 0 && state_.step % options.checkpoint_steps == 0);
      if (is_due_ && stop == Stop::no && state_.step < options.steps && state_.skipped_in_a_row == 0) write_checkpoint("running");
    }
    if (state_.step > first_step && !row_is_due()) {
      log_row();
      tell(take_warning());
    }
    if (const auto text = busy.imbalance(run_.world()); !text.empty()) run_.say(text);
    // Interrupted, it goes on to skip or to recover as it would have; ended, it must not pass for a success.
    if (state_.step == options.steps) stop = Stop::no;
    if (state_.skipped_in_a_row > 0 && !is_interruption(stop)) give_up();
    if (state_.step > first_step) write_checkpoint(is_interruption(stop) ? stopped_state(stop) : "finished");
    if (state_.left_out_points > 0)
      run_.say(fmt::format("left out of training: {} of {} points, where the target's energy is not finite", state_.left_out_points,
                           state_.step * run_.options().collocation.points));
    on_root(run_.world(), [&] { metrics_->close(); });
    return is_interruption(stop) ? stop : Stop::no;
  }

 private:
  [[noreturn]] void cannot_resume(const char* part, const InputError& error) const {
    throw InputError(fmt::format("cannot resume from {}: {}/{}", run_.checkpoint()->source.string(), part, error.what()));
  }

  void restore_exponents() {
    try {
      loss_->set_sum_exponents(state_.sum_exponents);
    } catch (const InputError& error) {
      cannot_resume("reduction", error);
    }
  }

  void restore_collocation(MalaChains& chains) {
    try {
      loss_->restore_collocation(state_.collocation);
    } catch (const InputError& error) {
      if (!run_.request().accept_changes) cannot_resume("collocation", error);
      // Points that lie elsewhere than before have nothing to go on from.
      thermalize(chains, problem_);
    }
    state_.collocation.clear();
  }

  bool window_is_full() const { return state_.step % run_.options().training.log_every == 0; }
  bool row_is_due() const { return window_is_full() || state_.step == run_.options().training.steps; }

  void count_left_out() {
    auto left_out = loss_->take_left_out();
    state_.left_out_points += left_out.points;
    if (left_out.points == 0 || std::exchange(told_left_out_, true)) return;
    problem_.coordinates.to_x(std::span<double>(left_out.x));
    warning_ = fmt::format(
        "the target's energy, or a derivative of it, is not finite at {} of the points so far, for example at x = ({:.6g}) (t = {:.6g}); "
        "such points are left out",
        state_.left_out_points, fmt::join(left_out.x, ", "), left_out.t);
  }

  std::optional<std::string> take_warning() { return std::exchange(warning_, std::nullopt); }

  /// Returns a warning, if one is due.
  std::optional<std::string> one_step() {
    last_tried_ = state_.step;
    const auto& result = loss_->evaluate(state_.parameters, state_.step);
    if (result.finite) {
      state_.gradient_norm = problem_.optimizer->update(state_.optimizer, state_.parameters, result.gradient, rate_.at(state_.step));
      const double keep = run_.options().training.average;
      update_average(state_.average, state_.parameters, keep, state_.optimizer.updates);
      state_.skipped_in_a_row = 0;
      state_.window.loss_sum += result.loss;
      ++state_.window.losses;
    } else {
      ++state_.skipped_steps;
      ++state_.skipped_in_a_row;
    }
    if (state_.skipped_in_a_row > run_.options().training.max_skipped_steps) give_up();
    state_.sum_exponents = loss_->sum_exponents();
    state_.time_bins = loss_->time_bins();
    state_.seconds = seconds_before_ + run_.stop().elapsed_seconds();
    ++state_.step;
    ++state_.window.steps;
    return watch_.after(state_.step - 1, result.finite, state_.gradient_norm);
  }

  [[noreturn]] void give_up() {
    const std::int64_t last_step = last_tried_;
    const auto worst = loss_->worst_point(state_.parameters, last_step);
    throw NumericalError(fmt::format(
        "loss or gradient was not finite in {} steps in a row, the last of them step {}; worst point: {}. The last good checkpoint is "
        "kept: {}. A "
        "smaller optimizer.learning-rate or optimizer.gradient-clip, or a collocation.box in which the target's energy is finite, may help",
        state_.skipped_in_a_row, last_step, describe(worst), run_.output(checkpoint_name).string()));
  }

  Progress make_progress() {
    const auto& options = run_.options().training;
    Progress::Work work;
    work.name = "training";
    work.first_step = state_.step;
    work.steps = options.steps;
    work.row_every = std::max<std::int64_t>(options.log_every, options.steps / 20);
    work.unit = "points";
    work.units_per_step = static_cast<double>(run_.options().collocation.points);
    work.max_seconds = options.max_seconds;
    return run_.progress(work, {{"loss", "", "{:.4e}", [this] { return state_.window.losses ? state_.window.mean_loss() : last_loss_; }},
                                {"gradient norm", "", "{:.3e}", [this] { return state_.gradient_norm; }},
                                {"skipped", "", "{:.0f}", [this] { return static_cast<double>(state_.skipped_steps); }}});
  }

  /// Takes the folder over from an earlier run, or on from the one that is resumed. `to_be_trained`: steps are left to do.
  void open_files(bool to_be_trained) {
    const auto path = run_.output(checkpoint_name);
    bool is_there = false;
    on_root(run_.world(), [&] {
      is_there = run_.checkpoint() && is_same_file(run_.checkpoint()->source, path);
      put_kept_ones_aside(path);  // first: whoever comes after a kill in between is to find what they belong to
      if (!is_there) put_others_aside(path);
      replace_file(run_.output("config.ini"), resolved_text(run_.options()));
      // What was drawn from other parameters does not belong to what this run learns.
      if (to_be_trained || !is_there) {
        for (const char* file : {samples_name, "evaluation.json"}) keep_as_previous(run_.output(file));
        remove_file(run_.output(unfinished_samples_name));
      }
      open_metrics(to_be_trained);
    });
    if (!run_.world().any(is_there)) write_checkpoint(to_be_trained ? "running" : "finished");
  }

  void put_others_aside(const std::filesystem::path& path) {
    auto aside = put_checkpoint_aside(path, path);
    // The one before it, unless it is what this run goes on from: of a run whose latest is kept it holds nothing more.
    const auto previous = previous_path(path);
    if (!run_.checkpoint() || !is_same_file(run_.checkpoint()->source, previous)) {
      if (aside && !aside->damaged)
        remove_file(previous);
      else if (const auto other = put_checkpoint_aside(previous, path))
        aside = other;
    }
    if (aside)
      warn(run_.world(), fmt::format("a checkpoint that was here and that this run does not go on from is now {}", aside->path.string()));
  }

  /// Kept checkpoints that are not on the way to where this run is, nor, if nothing is changed, on its way from there: nothing is to fall
  /// back to them.
  void put_kept_ones_aside(const std::filesystem::path& path) {
    const auto& from = run_.checkpoint();
    const auto names = put_kept_aside(path, [&](const Checkpoint& kept) {
      if (!from || !kept.provenance.may_share_training_with(from->provenance)) return false;
      return !run_.request().accept_changes || kept.scalar<std::int64_t>("step") <= state_.step;
    });
    if (!names.empty())
      warn(run_.world(), fmt::format("{} checkpoint{} kept by another training {} now {}{}", names.size(), names.size() == 1 ? "" : "s",
                                     names.size() == 1 ? "is" : "are", names.front().string(),
                                     names.size() == 1 ? "" : " to " + names.back().filename().string()));
  }

  /// The metrics beside a checkpoint that tell its history, if they are there: those of the last run in the folder, or those it put aside.
  static std::optional<std::filesystem::path> history_of(const Checkpoint& checkpoint) {
    const auto last = folder_of(checkpoint.source) / "metrics.h5", one_before = previous_path(last);
    const auto is_its = [&](const std::filesystem::path& file, bool if_unknown) {
      if (!std::filesystem::exists(file)) return false;
      try {
        const auto word = read_metrics_provenance(file).training;
        return word.empty() ? if_unknown : word == checkpoint.provenance.training;
      } catch (const NotDamaged&) {
        throw;
      } catch (const InputError&) {
        return if_unknown;
      }
    };
    if (is_its(last, true)) return last;
    if (is_its(one_before, false)) return one_before;
    return std::nullopt;
  }

  /// Rows of the run that is resumed stay, up to its checkpoint; but the one that it ended with in the middle of a window, if training goes
  /// on: that of the whole window comes in its place.
  void open_metrics(bool to_be_trained) {
    const auto path = run_.output("metrics.h5");
    if (const auto& from = run_.checkpoint()) {
      const auto history = history_of(*from);
      if (!history || !is_same_file(*history, path)) {
        std::vector<std::byte> rows;
        if (history) rows = read_file(*history);
        if (std::filesystem::exists(path))
          warn(run_.world(), fmt::format("{} is of another training, and is now {}", path.string(), previous_path(path).string()));
        keep_as_previous(path);
        if (history) replace_file(path, rows);
      }
      try {
        declare_metrics(path);
        metrics_->remove_after("training", "step", to_be_trained ? state_.step - state_.window.steps : state_.step);
        metrics_->remove_after("evaluation", "step", state_.step);
        return;
      } catch (const NotDamaged&) {
        throw;
      } catch (const InputError& error) {
        metrics_.reset();
        const auto aside = damaged_path(path);
        rename_file(path, aside);
        warn(run_.world(), fmt::format("{}; it is now {}, and a new one begins", error.what(), aside.string()));
      }
    } else {
      keep_as_previous(path);
    }
    declare_metrics(path);
  }

  void declare_metrics(const std::filesystem::path& path) {
    metrics_.emplace(path, run_.provenance());
    metrics_->set_training(run_.provenance().training);
    metrics_->set_state("running");
    metrics_->declare("training", training_columns);
    metrics_->declare("evaluation", evaluation_columns());
  }

  /// Of the window so far. A window that the end comes into stays open, for a run that goes on.
  void log_row() {
    count_left_out();
    const double points = static_cast<double>(run_.options().collocation.points * state_.window.steps);
    const double speed = points / (state_.seconds - state_.window.started);
    last_loss_ = state_.window.mean_loss();
    on_root(run_.world(), [&] {
      const MetricsValue row[] = {state_.step, last_loss_,     state_.gradient_norm, rate_.at(state_.step - 1),
                                  speed,       state_.seconds, state_.skipped_steps, state_.left_out_points};
      metrics_->append("training", row);
      // Others are compared with at steps that they come to as well.
      if (run_.on_news && row_is_due()) run_.on_news({state_.step, last_loss_, std::nan("")});
    });
    if (!window_is_full()) return;
    state_.window = {};
    state_.window.started = state_.seconds;
  }

  void append_quick_evaluation(const QuickEvaluation& quick) {
    on_root(run_.world(), [&] {
      metrics_->append("evaluation", evaluation_row(quick, state_));
      if (run_.on_news) run_.on_news({state_.step, std::nan(""), quick.ess});
    });
  }

  void write_checkpoint(const std::string& run_state) {
    const Phase phase("writing a checkpoint");
    is_due_ = false;
    const auto& options = run_.options().training;
    count_left_out();
    state_.collocation = loss_->collocation_state();
    ++state_.checkpoints;
    on_root(run_.world(), [&] {
      const auto path = run_.output(checkpoint_name);
      auto checkpoint = to_checkpoint(state_, problem_.networks(), run_.provenance());
      checkpoint.scalars[run_state_attribute] = run_state;
      boltzcurve::write_checkpoint(path, checkpoint, options.verify_checkpoints ? ReadBack::yes : ReadBack::no);
      if (options.keep_every > 0 && state_.checkpoints % options.keep_every == 0) add_name(path, kept_path(path, state_.step));
    });
    state_.collocation.clear();
  }

  Run& run_;
  const Problem& problem_;
  TrainingState& state_;
  std::unique_ptr<BatchLoss> loss_;
  LearningRate rate_;
  GradientWatch watch_;
  std::optional<MetricsFile> metrics_;                                    // on rank 0
  std::optional<std::string> warning_;                                    // that is due
  bool told_left_out_ = false, is_due_ = false;                           // is_due_: a checkpoint
  std::int64_t last_tried_ = std::max<std::int64_t>(0, state_.step - 1);  // of the run that is resumed
  double last_loss_ = std::nan(""), seconds_before_ = 0;
};

}  // namespace

BatchLossSettings batch_loss_settings(const Options& options, const Problem& problem, std::shared_ptr<MalaChains> chains) {
  BatchLossSettings settings;
  settings.curve = problem.curve;
  settings.collocation = options.collocation;
  settings.region = problem.region;
  settings.loss = options.training.loss_shape();
  settings.normalizer_by_batches = options.normalizer.kind == NormalizerKind::batch;
  settings.seed = options.run.seed;
  settings.reduction = options.run.reduction;
  settings.chains = std::move(chains);
  return settings;
}

Stop train_stage(Run& run, Problem& problem, TrainingState& state) {
  std::shared_ptr<MalaChains> chains;
  if (run.checkpoint()) {
    chains = make_chains(run.world(), run.options(), problem);
    try {
      state = from_checkpoint(*run.checkpoint(), problem.networks(), *problem.optimizer);
    } catch (const InputError& error) {
      throw InputError(fmt::format("cannot resume: {}{}", error.what(),
                                   run.request().accept_changes ? "; with these changes only a new training will do" : ""));
    }
    adapt(problem, state.pilot);
    chains->change_coordinates({}, problem.coordinates, problem.curve_target(), 0);
  } else {
    const Phase phase("exploring the target");
    auto pilot = run_pilot(run.world(), run.options(), problem);
    chains = pilot.chains;
    state = initial_training_state(problem.networks(), *problem.optimizer, pilot.summary, run.options().run.seed);
  }
  run.say("target explored: " + problem.curve->description());
  return Trainer(run, problem, chains, state).train();
}

}  // namespace boltzcurve

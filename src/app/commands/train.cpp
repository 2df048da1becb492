#include <boltzcurve/error.hpp>
#include <boltzcurve/training.hpp>
#include "app/commands/commands.hpp"
#include "app/commands/evaluation.hpp"
#include "app/commands/gradient_advice.hpp"
#include "app/commands/pilot_words.hpp"
#include "app/commands/stages.hpp"
#include "app/commands/training_files.hpp"
#include "app/process/busy_time.hpp"
#include "app/terminal/elapsed.hpp"
#include "app/terminal/print.hpp"
#include "energy/host_energy.hpp"
#include "energy/target_error.hpp"
#include "training/gradient_monitor.hpp"
#include "training/training_state.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

/// What a training tells on the way: progress, warnings, and to a sweep, which compares it with others.
class Reports final : public TrainingObserver {
 public:
  explicit Reports(Run& run) : run_(run), monitor_(run.options().optimizer.gradient_clip, run.options().optimizer.warm_up_steps) {}

  void begin(Trainer& trainer) override {
    const auto& options = run_.options().training;
    Progress::Work work;
    work.name = "training";
    work.first_step = trainer.state().step;
    work.steps = options.steps;
    work.row_every = std::max<std::int64_t>(options.log_every, options.steps / 20);
    work.unit = "points";
    work.units_per_step = static_cast<double>(run_.options().collocation.points);
    work.max_seconds = options.max_seconds;
    const auto& state = trainer.state();
    progress_.reset(
        new Progress(run_.progress(work, {{"loss", "", "{:.4e}", [&trainer] { return trainer.recent_loss(); }},
                                          {"gradient norm", "", "{:.3e}", [&state] { return state.gradient_norm; }},
                                          {"skipped", "", "{:.0f}", [&state] { return static_cast<double>(state.skipped_steps); }}})));
    run_.stop().start_clock(std::max(trainer.seconds_left(), 0.0), options.checkpoint_seconds);
    busy_.emplace();
  }

  void after_step(Trainer& trainer) override {
    const auto& state = trainer.state();
    if (const auto trouble = monitor_.after(state.step - 1, state.skipped_in_a_row == 0, state.gradient_norm))
      warn(trainer, words_for(*trouble, run_.options().curve.name, run_.options().optimizer.gradient_clip));
    progress_->at(state.step);
  }

  void row(Trainer& trainer, const TrainingRow& row) override {
    // Others are compared with at steps that they come to as well.
    if (trainer.row_is_due()) tell({row.step, row.loss, std::nan("")});
  }

  void warn(Trainer&, const std::string& text) override {
    progress_->wipe();
    boltzcurve::warn(run_.world(), text);
  }

  /// Which rank the others waited for; empty where none stands out. Collective.
  std::string imbalance() const { return busy_->imbalance(run_.world()); }

  void add(const QuickEvaluation& quick, std::int64_t step) {
    const auto& [count, ess, log_z, log_z_stderr, nll] = quick.particles;
    const auto forward = quick.ess_forward_pilot ? fmt::format(", forward ESS {:.4f}", *quick.ess_forward_pilot) : std::string();
    progress_->note(fmt::format("step {}: ESS {:.4f}{}, log Z {:.4f} (N = {})", step, ess, forward, log_z, count));
    tell({step, std::nan(""), ess});
  }

 private:
  void tell(const TrainingNews& news) {
    on_root(run_.world(), [&] {
      if (run_.on_news) run_.on_news(news);
    });
  }

  Run& run_;
  GradientMonitor monitor_;
  std::unique_ptr<Progress> progress_;
  std::optional<BusyTime> busy_;
};

/// From a few particles, every so many steps; ends the training where they are good enough twice in a row.
class QuickEvaluations final : public TrainingObserver {
 public:
  QuickEvaluations(Run& run, TrainingFiles& files, Reports& reports, QuickHistory& history)
      : run_(run), files_(files), reports_(reports), history_(history) {}

  void after_step(Trainer& trainer) override {
    const auto& options = run_.options().training;
    const auto& state = trainer.state();
    if (every(options) == 0 || state.step % every(options) != 0 || state.step >= options.steps) return;
    const auto quick = quick_evaluation(run_, trainer.model(), state);
    const auto& population = trainer.model().pilot->population;
    history_.add(quick.smaller_ess(population && population->count() > 0), quick.target_values);
    reports_.add(quick, state.step);
    files_.add(quick, state);
  }

 private:
  static std::int64_t every(const TrainingSettings& options) {
    if (options.evaluate_every > 0 || options.until_ess == 0) return options.evaluate_every;
    return std::max<std::int64_t>(1, options.steps / 20);
  }

  Run& run_;
  TrainingFiles& files_;
  Reports& reports_;
  QuickHistory& history_;
};

/// What a run begins with, or goes on from: nothing of it is computed anew.
Trained beginning(const Run& run) {
  if (!run.checkpoint()) {
    const Elapsed elapsed(std::cerr, progress_style(run.world(), run.request().quiet), "exploring the target");
    return {build_model(run.world(), model_settings(run.options())), {}};
  }
  try {
    return restored(run);
  } catch (const InputError& error) {
    throw InputError(fmt::format("cannot resume: {}{}", error.what(),
                                 run.request().accept_changes ? "; with these changes only a new training will do" : ""));
  }
}

Trainer make_trainer(const Run& run, Trained& trained, const QuickHistory& quick) {
  auto settings = trainer_settings(run.options());
  if (run.options().sampling.method == SamplingMethod::smc) settings.training.steps = trained.state.step;  // nothing to learn for
  if (quick.reached(settings.training.until_ess)) settings.training.steps = trained.state.step;            // it had come to its end
  if (!run.checkpoint()) return {run.world(), trained.model, settings};
  try {
    return {run.world(), trained.model, settings, trained.state,
            run.request().accept_changes ? UnfitPoints::begin_anew : UnfitPoints::refuse};
  } catch (const InputError& error) {
    throw InputError(fmt::format("cannot resume from {}: {}", run.checkpoint()->source.string(), error.what()));
  }
}

}  // namespace

Stop train_stage(Run& run, Trained& trained, QuickHistory& quick) {
  trained = beginning(run);
  quick = QuickHistory::of(run.checkpoint());
  const auto& summary = trained.model.pilot->summary;
  const auto* from_outside = dynamic_cast<const HostEnergy*>(trained.model.target.get());
  if (from_outside && !from_outside->remark().empty()) run.say("target: " + from_outside->remark());
  run.say("target explored: " + words_for_pilot(trained.model));
  if (is_doubtful(summary)) warn(run.world(), pilot_doubt(summary));
  const bool is_counted = summary.has_population();
  if (!run.checkpoint())
    run.spending().end("pilot", is_counted ? std::optional(0.0) : std::nullopt,
                       is_counted ? std::optional(summary.evaluations) : std::nullopt);
  Trainer trainer = make_trainer(run, trained, quick);
  trained.state = {};  // the trainer has its own; of wide networks two are too many
  TrainingFiles files(run, quick);
  Reports reports(run);
  QuickEvaluations evaluations(run, files, reports, quick);
  trainer.observe(files);
  trainer.observe(reports);
  trainer.observe(evaluations);

  Stop stop = Stop::no;
  const double until_ess = run.options().training.until_ess;
  const auto values_before = quick.target_values;
  try {
    stop = trainer.run([&] {
      auto decision = run.stop().agree();
      if (quick.reached(until_ess)) decision.stop = std::max(decision.stop, Stop::time_limit);
      return decision;
    });
  } catch (const TargetError& error) {
    throw TargetError(fmt::format("{}. The last good checkpoint is kept: {}; --resume goes on from it", error.what(),
                                  run.output(checkpoint_name).string()));
  } catch (const NumericalError& error) {
    throw NumericalError(
        fmt::format("{}. The last good checkpoint is kept: {}. A smaller optimizer.learning-rate or optimizer.gradient-clip, "
                    "or a collocation.box in which the target's energy is finite, may help",
                    error.what(), run.output(checkpoint_name).string()));
  }
  trained.state = trainer.state();
  if (const auto text = reports.imbalance(); !text.empty()) run.say(text);
  if (const auto left_out = trained.state.left_out_points; left_out > 0)
    run.say(fmt::format("left out of training: {} of {} points, where the target's energy is not finite", left_out,
                        trained.state.step * run.options().collocation.points));
  if (quick.reached(until_ess))
    run.say(fmt::format("training ended after step {}: two quick evaluations in a row have reached training.until-ess = {}: {:.4f}, {:.4f}",
                        trained.state.step, until_ess, quick.before_last, quick.last));
  files.close();
  // Without the target's energy in the curve only quick evaluations ask for it; else each point of each step, and chains that move on.
  const bool asks = trained.model.settings.curve.form != CurveForm::network || trained.model.pilot->chains != nullptr;
  run.spending().end("training", asks ? std::nullopt : std::optional(static_cast<double>(quick.target_values - values_before)),
                     asks ? std::nullopt : std::optional(trained.model.pilot->population->evaluations_of_moves(trained.state.step)));
  return stop;
}

}  // namespace boltzcurve

#include "app/commands/commands.hpp"
#include "app/commands/parameters_summary.hpp"
#include "app/commands/stages.hpp"
#include "io/durable_file.hpp"
#include "io/metrics_file.hpp"

#include <exception>
#include <filesystem>
#include <functional>

#include <fmt/format.h>

namespace boltzcurve {

std::string stopped_state(Stop stop) { return fmt::format("stopped: {}", name_of(stop)); }

void tell_state(const Run& run, const std::string& state) {
  const auto path = run.output("metrics.h5");
  if (!std::filesystem::exists(path)) return;
  MetricsFile file(path, run.provenance());
  file.set_state(state);
  file.close();
}

namespace {

void remove_stop_file(const Run& run) {
  const auto file = run.output(stop_file_name);
  if (std::filesystem::is_regular_file(file)) remove_file(file);
}

}  // namespace

ExitCode interrupted(const Run& run, Stop stop, const std::string& where) {
  on_root(run.world(), [&] {
    if (stop == Stop::file) remove_stop_file(run);  // or the run that goes on would stop at once
  });
  run.say(fmt::format("stopped by {} {}; --resume goes on from {}", name_of(stop), where, run.output(checkpoint_name).string()));
  return ExitCode::stopped_resumable;
}

Stop with_recorded_state(Run& run, const std::function<Stop()>& work) {
  try {
    const auto stop = work();
    on_root(run.world(), [&] {
      tell_state(run, stop == Stop::no ? "finished" : stopped_state(stop));
      if (stop == Stop::no) remove_stop_file(run);  // it came too late, and is not for the next run
    });
    return stop;
  } catch (const std::exception& error) {
    if (run.world().is_root()) {
      try {
        // Of a run that is over, or never began, nothing has changed.
        if (read_metrics(run.output("metrics.h5"), "training").state == "running")
          tell_state(run, fmt::format("stopped: {}", error.what()));
      } catch (const std::exception&) {
        // The error itself is what matters.
      }
    }
    throw;
  }
}

namespace {

std::string after_step(const TrainingState& state) { return fmt::format("after step {}", state.step); }

/// Before there is a folder.
void refuse_what_does_not_fit(const Options& options) { (void)parameter_names(options, check_settings(model_settings(options))); }

/// The last line of a report.
std::string spent(Run& run) { return "evaluations of the target and processor time: " + run.spending().text(); }

}  // namespace

ExitCode train(Run& run) {
  if (run.request().validate) {
    validate(run);
    return ExitCode::done;
  }
  refuse_what_does_not_fit(run.options());
  run.take_output_folder();
  Trained trained;
  QuickHistory quick;
  const auto stop = with_recorded_state(run, [&] { return train_stage(run, trained, quick); });
  warn_of_unknown_values(run, *trained.model.target);
  run.say(spent(run));
  return stop == Stop::no ? ExitCode::done : interrupted(run, stop, after_step(trained.state));
}

ExitCode run(Run& run) {
  if (run.request().validate) {
    validate(run);
    return ExitCode::done;
  }
  refuse_what_does_not_fit(run.options());
  run.take_output_folder();
  std::string where;
  const auto stop = with_recorded_state(run, [&] {
    // 1. Learn the curve.
    Trained trained;
    QuickHistory quick;
    const auto in_training = train_stage(run, trained, quick);
    const auto& [model, state] = trained;
    where = after_step(state);
    if (in_training != Stop::no) return in_training;

    // 2. Draw particles along it.
    const Sampling sampling = sample_stage(run, model, state, SamplesGo::to_file);
    where = progress_of(run, sampling);
    if (sampling.stop != Stop::no) return sampling.stop;

    // 3. Measure them.
    where = "while measuring";
    const auto in_measuring = evaluate_stage(run, model, state, quick, sampling);
    warn_of_unknown_values(run, *model.target);
    if (in_measuring == Stop::no) {
      forget_finished_particles(run);
      run.say(spent(run));
      require_some_finished(run, sampling.particles);
    }
    return in_measuring;
  });
  return stop == Stop::no ? ExitCode::done : interrupted(run, stop, where);
}

}  // namespace boltzcurve

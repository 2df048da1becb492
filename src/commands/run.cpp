#include <boltzcurve/commands/commands.hpp>
#include <boltzcurve/commands/stages.hpp>
#include <boltzcurve/io/durable_file.hpp>
#include <boltzcurve/io/metrics_file.hpp>

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

ExitCode interrupted(const Run& run, Stop stop, const std::string& where) {
  on_root(run.world(), [&] {
    if (stop == Stop::file) remove_file(run.output(stop_file_name));  // or the run that goes on would stop at once
  });
  run.say(fmt::format("stopped by {} {}; --resume goes on from {}", name_of(stop), where, run.output(checkpoint_name).string()));
  return ExitCode::stopped_resumable;
}

namespace {

ExitCode stopped(const Run& run, Stop stop, const std::string& where) {
  on_root(run.world(), [&] { tell_state(run, stopped_state(stop)); });
  return interrupted(run, stop, where);
}

std::string after_step(const TrainingState& state) { return fmt::format("after step {}", state.step); }

/// Does the work of a command and leaves the truth about its end in the files.
ExitCode told(Run& run, const std::function<ExitCode()>& work) {
  try {
    const auto code = work();
    if (code == ExitCode::done) on_root(run.world(), [&] { tell_state(run, "finished"); });
    return code;
  } catch (const Error& error) {
    if (run.world().is_root()) {
      try {
        // Of a run that is over, or never began, nothing has changed.
        if (read_metrics(run.output("metrics.h5"), "training").state == "running")
          tell_state(run, fmt::format("stopped: {}", error.what()));
      } catch (const Error&) {
        // The error itself is what matters.
      }
    }
    throw;
  }
}

}  // namespace

ExitCode train(Run& run) {
  if (run.request().validate) {
    validate(run);
    return ExitCode::done;
  }
  Problem problem = make_problem(run.options());  // which may refuse them, before there is a folder
  run.take_output_folder();
  return told(run, [&] {
    TrainingState state;
    const auto stop = train_stage(run, problem, state);
    return stop == Stop::no ? ExitCode::done : stopped(run, stop, after_step(state));
  });
}

ExitCode run(Run& run) {
  if (run.request().validate) {
    validate(run);
    return ExitCode::done;
  }
  Problem problem = make_problem(run.options());  // which may refuse them, before there is a folder
  run.take_output_folder();
  return told(run, [&] {
    // 1. Learn the curve.
    TrainingState state;
    if (const auto stop = train_stage(run, problem, state); stop != Stop::no) return stopped(run, stop, after_step(state));

    // 2. Draw particles along it.
    const Sampling sampling = sample_stage(run, problem, state, SamplesGo::to_file);
    if (sampling.stop != Stop::no) return stopped(run, sampling.stop, progress_of(run, sampling));

    // 3. Measure them.
    if (const auto stop = evaluate_stage(run, problem, state, sampling); stop != Stop::no) return stopped(run, stop, "while measuring");
    forget_finished_particles(run);
    return ExitCode::done;
  });
}

}  // namespace boltzcurve

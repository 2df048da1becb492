#include <boltzcurve/commands/commands.hpp>
#include <boltzcurve/commands/stages.hpp>

namespace boltzcurve {
namespace {

ExitCode report_stop(const Run& run, const TrainingState& state) {
  run.say("stopped on request after step " + std::to_string(state.step) + "; the state is in " + run.output("checkpoint.h5").string());
  return ExitCode::stopped_resumable;
}

}  // namespace

ExitCode train(Run& run) {
  if (run.request().validate) {
    validate(run);
    return ExitCode::done;
  }
  run.take_output_folder();
  Problem problem = make_problem(run.options());
  TrainingState state;
  return train_stage(run, problem, state) == ExitCode::done ? ExitCode::done : report_stop(run, state);
}

ExitCode run(Run& run) {
  if (run.request().validate) {
    validate(run);
    return ExitCode::done;
  }
  run.take_output_folder();

  // 1. Learn the curve.
  Problem problem = make_problem(run.options());
  TrainingState state;
  if (train_stage(run, problem, state) != ExitCode::done) return report_stop(run, state);

  // 2. Draw particles along it.
  const Sampling sampling = sample_stage(run, problem, state, SamplesGo::to_file);

  // 3. Measure them.
  evaluate_stage(run, problem, state, sampling);
  return ExitCode::done;
}

}  // namespace boltzcurve

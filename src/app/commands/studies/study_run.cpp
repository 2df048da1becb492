#include "app/commands/studies/study_run.hpp"

#include <boltzcurve/error.hpp>
#include "app/commands/stages.hpp"
#include "io/checkpoint_series.hpp"
#include "io/durable_file.hpp"

#include <array>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

bool exists_on_root(const Communicator& world, const std::filesystem::path& path) {
  bool there = false;
  on_root(world, [&] { there = std::filesystem::exists(path); });
  return world.any(there);
}

/// The checkpoint in a study's folder, if these options made it.
std::optional<Checkpoint> checkpoint_of(const Run& study, const std::string& folder, const Options& options) {
  const auto path = study.output(folder) / checkpoint_name;
  if (!exists_on_root(study.world(), path)) return std::nullopt;
  auto newest = newest_checkpoint(study.world(), path);
  if (!newest.checkpoint || newest.checkpoint->provenance.options != resolved_text(options)) return std::nullopt;
  return std::move(newest.checkpoint);
}

bool is_finished(const Checkpoint& checkpoint) { return checkpoint.scalar<std::string>(run_state_attribute) == "finished"; }

void restore(const Communicator& world, TrainedRun& trained, const Checkpoint& checkpoint) {
  static_cast<Trained&>(trained) = restored(world, trained.options, checkpoint);
}

/// Refuses options that do not fit.
TrainedRun begin(Options options) {
  options.study = {};  // does not belong to what a run is
  check_settings(model_settings(options));
  TrainedRun trained;
  trained.options = std::move(options);
  return trained;
}

bool is_trained(const Run& run) { return run.checkpoint() && is_finished(*run.checkpoint()); }

/// In a run that has taken its folder.
Stop train(Run& run, TrainedRun& trained) { return trained.stop = train_stage(run, trained, trained.quick); }

}  // namespace

TrainedRun trained_run(Run& study, const std::string& folder, Options options) {
  auto trained = begin(std::move(options));
  Run run(study, folder, trained.options, checkpoint_of(study, folder, trained.options));
  run.take_output_folder();
  if (is_trained(run))
    restore(run.world(), trained, *run.checkpoint());
  else
    with_recorded_state(run, [&] { return train(run, trained); });
  return trained;
}

TrainedRun finished_run(const Run& study, const std::string& folder) {
  const auto checkpoint = read_checkpoint(study.world(), std::filesystem::path(folder) / checkpoint_name);
  const std::array sources = {parse_config(checkpoint.provenance.options, checkpoint.source.string(), folder)};
  auto options = resolve_options(sources);
  require_code_named(options, study.request().sources, checkpoint.source.string());
  auto trained = begin(std::move(options));
  restore(study.world(), trained, checkpoint);
  return trained;
}

Stop measured_run(Run& study, const std::string& folder, Options options) {
  auto trained = begin(std::move(options));
  Run run(study, folder, trained.options, checkpoint_of(study, folder, trained.options));
  if (is_trained(run) && exists_on_root(run.world(), run.output("evaluation.json"))) return Stop::no;
  run.take_output_folder();
  const auto interrupted_by = with_recorded_state(run, [&] {
    if (is_trained(run)) {
      restore(run.world(), trained, *run.checkpoint());
      trained.quick = QuickHistory::of(run.checkpoint());
    } else if (train(run, trained) != Stop::no) {
      return trained.stop;
    }
    const auto sampling = sample_stage(run, trained.model, trained.state, SamplesGo::nowhere);
    if (sampling.stop != Stop::no) return sampling.stop;
    const auto in_measuring = evaluate_stage(run, trained.model, trained.state, trained.quick, sampling);
    if (in_measuring == Stop::no) forget_finished_particles(run);
    return in_measuring;
  });
  if (interrupted_by != Stop::no) return interrupted_by;
  const auto stop = run.stop().agree().stop;
  return is_interruption(stop) ? stop : Stop::no;
}

ExitCode interrupted_study(const Run& study, Stop stop) {
  on_root(study.world(), [&] {
    if (stop == Stop::file) remove_file(study.output(stop_file_name));  // or the study that goes on would stop at once
  });
  study.say(fmt::format("stopped by {}; the same study in the same folder goes on where it was", name_of(stop)));
  return ExitCode::stopped_resumable;
}

}  // namespace boltzcurve

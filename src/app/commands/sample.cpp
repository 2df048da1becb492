#include <boltzcurve/version.hpp>
#include "app/commands/commands.hpp"
#include "app/commands/stages.hpp"
#include "app/process/busy_time.hpp"
#include "app/terminal/print.hpp"
#include "core/heartbeat.hpp"
#include "core/in_section.hpp"
#include "io/durable_file.hpp"
#include "io/record_file.hpp"
#include "io/samples_file.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

Stop write_samples_file(Run& run, const TrainingState& state, const SamplingPlan& plan, const Particles& particles) {
  const Phase phase("writing samples.h5md");
  SamplesDescription description;
  description.particles = run.options().sampling.particles;
  description.dimension = particles.dimension;
  description.parameters_crc32 = learned_crc32(state);
  description.legs = plan.legs;
  if (!plan.stages.empty()) description.island_size = run.options().sampling.island;
  SamplesFile file(run.world(), run.output(samples_name), description, run.provenance());
  for (std::size_t f = 0; f < particles.frames.size(); ++f) {
    file.write_frame(static_cast<std::int64_t>(f), particles.frame_times[f], particles.shard, particles.frames[f]);
    if (const auto stop = run.stop().agree().stop; is_interruption(stop)) {
      file.close_unfinished(stopped_state(stop));
      return stop;
    }
  }
  file.write_samples(particles);
  file.close();
  return Stop::no;
}

/// What a dry run has led to.
std::string words_of(const SamplingPlan& plan) {
  std::string text;
  if (plan.flow_ess) text = fmt::format("a dry run of the flow alone has an ESS of {:.2g}: ", *plan.flow_ess);
  if (plan.stages.empty()) return plan.flow_ess ? text + "particles are drawn by it in one leg" : "";
  const auto rungs = std::count_if(plan.stages.begin(), plan.stages.end(), [](const auto& stage) { return stage.blend > 0; });
  if (plan.legs == 0) return fmt::format("particles are drawn by annealed sequential Monte Carlo in {} steps", rungs);
  return text +
         fmt::format("particles are drawn in {} legs, with moves and resampling in between, and {} steps from their end to the target",
                     plan.legs, rungs);
}

/// All that the particles follow from: the curve's options, what was learned, and the program.
std::string origin_of_particles(const Run& run, const TrainingState& state) {
  auto options = run.options();
  options.optimizer = {};
  options.training = {};
  options.evaluation = {};
  options.output = {};
  options.study = {};
  options.run.reduction = RunOptions().reduction;
  options.run.watchdog_seconds = RunOptions().watchdog_seconds;
  options.sampling.block = SamplingSettings().block;
  std::string origin = run.provenance().program_version + run.provenance().git_description + resolved_text(options);
  const auto learned = learned_numbers(state);
  origin.append(reinterpret_cast<const char*>(learned.data()), learned.size() * sizeof(double));
  return origin;
}

/// Keeps finished particles in a file, takes those that are there already from it, and shows how far sampling has come.
class UnfinishedSamples final : public SamplingObserver {
 public:
  /// `goes_on`: from finished particles that are there.
  UnfinishedSamples(Run& run, const Model& model, const TrainingState& state, bool goes_on)
      : run_(run),
        goes_on_(goes_on),
        file_(run.world(), run.output(unfinished_samples_name), layout(run, model, state),
              goes_on ? RecordFile::Begin::where_it_was_left : RecordFile::Begin::anew) {
    if (!file_.put_aside().empty())
      warn(run.world(), fmt::format("{} held particles that do not follow from these options and this checkpoint; it is now {}",
                                    run.output(unfinished_samples_name).string(), file_.put_aside().string()));
  }

  bool restore(const Shard& granule, Particles& particles) override {
    if (!goes_on_) return false;
    const auto bytes = file_.read(granule.first / particle_granule);
    if (!bytes.empty()) from_bytes(bytes, granule, particles);
    return !bytes.empty();
  }

  void begin(const Particles& particles, std::int64_t finished) override {
    if (const auto restored = run_.world().sum(finished); restored > 0)
      run_.say(fmt::format("sampling goes on: {} of {} particles are finished", restored, run_.options().sampling.particles));
    Progress::Work work;
    work.name = "sampling";
    work.first_step = finished;
    work.steps = particles.shard.count;
    work.row_every = 1;
    work.unit = "particles";
    work.units_per_step = run_.world().size();
    progress_.reset(new Progress(run_.progress(std::move(work), {})));
  }

  void drawn(const Shard& batch, const Particles& particles, std::int64_t finished) override {
    for (auto at = batch.first; at < batch.first + batch.count; at += particle_granule)
      file_.write(at / particle_granule,
                  to_bytes(particles, {at, std::min<std::int64_t>(particle_granule, batch.first + batch.count - at)}));
    progress_->at(finished);
  }

  Stop interruption() override { return run_.stop().seen_here(); }

  void end_progress() { progress_.reset(); }
  void synchronize() const { file_.synchronize(); }

 private:
  static RecordFile::Layout layout(const Run& run, const Model& model, const TrainingState& state) {
    const auto& sampling = run.options().sampling;
    return {origin_of_particles(run, state), (sampling.particles + particle_granule - 1) / particle_granule,
            particle_granule * particle_bytes(model.dimension(), static_cast<std::size_t>(sampling.frames))};
  }

  Run& run_;
  bool goes_on_;
  RecordFile file_;
  std::unique_ptr<Progress> progress_;
};

}  // namespace

Sampling sample_stage(Run& run, const Model& model, const TrainingState& state, SamplesGo destination) {
  const Phase phase("sampling");
  const double started = steady_seconds();
  const BusyTime busy;
  const auto& options = run.options();
  const auto sampler = in_section("sampling", [&] {
    return Sampler(run.world(), flow_of(model, state.average, options.sampling.method), options.sampling, options.run.seed);
  });
  // Particles that nobody else gets to see may come from anywhere: they are the same.
  UnfinishedSamples unfinished(run, model, state, run.request().resume || destination == SamplesGo::nowhere);
  auto drawn = sampler.draw(options.sampling.particles, unfinished);
  unfinished.end_progress();
  if (const auto text = words_of(drawn.plan); !text.empty()) run.say(text);
  if (const auto text = busy.imbalance(run.world()); !text.empty()) run.say(text);
  Sampling sampling;
  sampling.stop = drawn.interruption;
  sampling.finished = run.world().sum(drawn.finished);
  sampling.seconds = run.world().max(steady_seconds() - started);
  if (sampling.stop != Stop::no)
    unfinished.synchronize();
  else if (destination == SamplesGo::to_file)
    sampling.stop = write_samples_file(run, state, drawn.plan, drawn.particles);
  sampling.legs = drawn.plan.legs;
  sampling.particles = std::move(drawn.particles);
  const bool asks_once = model.settings.curve.form == CurveForm::network;  // else at every step of a path
  if (asks_once) sampling.work = work_of(drawn.plan, options.sampling, sampling.finished);
  const auto spent = [&](std::int64_t SamplingWork::*evaluations) {
    return sampling.work ? std::optional(static_cast<double>(*sampling.work.*evaluations)) : std::nullopt;
  };
  run.spending().end("sampling", spent(&SamplingWork::target_values), spent(&SamplingWork::target_gradients));
  return sampling;
}

void forget_finished_particles(const Run& run) {
  on_root(run.world(), [&] { remove_file(run.output(unfinished_samples_name)); });
}

void require_some_finished(const Run& run, const Particles& particles) {
  std::vector<std::int64_t> of_status(particle_status_count, 0);
  for (const auto status : particles.status) ++of_status[static_cast<std::size_t>(status)];
  run.world().sum(std::span(of_status));
  if (of_status[static_cast<std::size_t>(ParticleStatus::finished)] > 0) return;
  std::string reasons;
  for (int s = 0; s < particle_status_count; ++s)
    if (const auto count = of_status[static_cast<std::size_t>(s)]; count > 0)
      reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", name_of(static_cast<ParticleStatus>(s)), count);
  throw NumericalError(fmt::format(
      "none of the particles came through ({}): their velocity cannot be followed. Longer training, larger tolerances with more "
      "sampling.max-steps, or --sampling.method=smc, which follows none, may help",
      reasons));
}

ExitCode sample(Run& run) {
  const auto [model, state] = restored(run);
  if (run.request().validate) {
    validate(run);
    return ExitCode::done;
  }
  run.take_output_folder();
  const auto sampling = sample_stage(run, model, state, SamplesGo::to_file);
  if (sampling.stop != Stop::no) return interrupted(run, sampling.stop, progress_of(run, sampling));
  forget_finished_particles(run);
  run.say(
      fmt::format("{} particles in {:.1f} s: {}", run.options().sampling.particles, sampling.seconds, run.output(samples_name).string()));
  require_some_finished(run, sampling.particles);
  return ExitCode::done;
}

std::string progress_of(const Run& run, const Sampling& sampling) {
  return fmt::format("after {} of {} particles", sampling.finished, run.options().sampling.particles);
}

}  // namespace boltzcurve

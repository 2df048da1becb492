#include <boltzcurve/commands/commands.hpp>
#include <boltzcurve/commands/stages.hpp>
#include <boltzcurve/io/samples_file.hpp>
#include <boltzcurve/sampling/curve_velocity.hpp>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

std::vector<std::string> status_names() {
  std::vector<std::string> names;
  for (int s = 0; s < particle_status_count; ++s) names.emplace_back(name_of(static_cast<ParticleStatus>(s)));
  return names;
}

void write_samples_file(Run& run, const Particles& particles) {
  SamplesDescription description;
  description.particles = run.options().sampling.particles;
  description.dimension = particles.dimension;
  description.status_names = status_names();
  SamplesFile file(run.world(), run.output("samples.h5md"), description, run.provenance());
  for (std::size_t f = 0; f < particles.frames.size(); ++f)
    file.write_frame(static_cast<std::int64_t>(f), particles.frame_times[f], particles.shard, particles.frames[f]);
  file.write_samples(particles.shard,
                     {particles.position, particles.log_density, particles.log_weight, particles.status, particles.evaluations});
  file.close();
}

}  // namespace

SamplingSettings sampling_settings(const Options& options, const Problem& problem) {
  SamplingSettings settings;
  settings.particles = options.sampling.particles;
  settings.latent_time = problem.curve->latent_time();
  settings.target_time = problem.curve->target_time();
  settings.frames = options.sampling.frames;
  settings.seed = options.run.seed;
  settings.integration.relative_tolerance = options.sampling.relative_tolerance;
  settings.integration.absolute_tolerance = options.sampling.absolute_tolerance;
  settings.integration.max_steps = options.sampling.max_steps;
  settings.integration.block = static_cast<int>(options.sampling.block);
  settings.integration.domain = problem.law.domain;
  settings.coordinates = problem.coordinates;
  return settings;
}

Sampling sample_stage(Run& run, const Problem& problem, const TrainingState& state, SamplesGo destination) {
  const auto settings = sampling_settings(run.options(), problem);
  const auto field = make_velocity_field(problem.precision, *problem.curve, state.average, problem.curve_target(), *problem.latent);
  Progress::Work work;
  work.name = "sampling";
  work.steps = shard_of(settings.particles, particle_granule, run.world().rank(), run.world().size()).count;
  work.row_every = 1;
  work.unit = "particles";
  work.units_per_step = run.world().size();
  auto progress = run.progress(work, {});
  const double started = steady_seconds();
  Sampling sampling;
  sampling.particles = sample_particles(run.world(), settings, *field, problem.curve_target(), *problem.latent,
                                        [&](std::int64_t done) { progress.at(done); });
  sampling.seconds = run.world().max(steady_seconds() - started);
  if (destination == SamplesGo::to_file) write_samples_file(run, sampling.particles);
  return sampling;
}

ExitCode sample(Run& run) {
  Problem problem = make_problem(run.options());
  const TrainingState state = from_checkpoint(run.checkpoint().value(), problem.networks(), *problem.optimizer);
  adapt(problem, state.survey);
  if (run.request().validate) {
    validate(run);
    return ExitCode::done;
  }
  run.take_output_folder();
  const auto sampling = sample_stage(run, problem, state, SamplesGo::to_file);
  run.say(
      fmt::format("{} particles in {:.1f} s: {}", run.options().sampling.particles, sampling.seconds, run.output("samples.h5md").string()));
  return ExitCode::done;
}

}  // namespace boltzcurve

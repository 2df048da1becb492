#include <boltzcurve/version.hpp>
#include "app/commands/commands.hpp"
#include "app/commands/stages.hpp"
#include "app/process/busy_time.hpp"
#include "app/process/pieces.hpp"
#include "app/terminal/print.hpp"
#include "core/heartbeat.hpp"
#include "io/durable_file.hpp"
#include "io/record_file.hpp"
#include "io/samples_file.hpp"
#include "sampling/curve_velocity.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

// A batch of particles is to take about this long: short enough to stop soon and to lose little when killed.
constexpr double shortest_batch_seconds = 0.2, longest_batch_seconds = 1;

std::vector<std::string> status_names() {
  std::vector<std::string> names;
  names.reserve(particle_status_count);
  for (int s = 0; s < particle_status_count; ++s) names.emplace_back(name_of(static_cast<ParticleStatus>(s)));
  return names;
}

Stop write_samples_file(Run& run, const TrainingState& state, const Particles& particles) {
  const Phase phase("writing samples.h5md");
  SamplesDescription description;
  description.particles = run.options().sampling.particles;
  description.dimension = particles.dimension;
  description.status_names = status_names();
  description.parameters_crc32 = learned_crc32(state);
  SamplesFile file(run.world(), run.output(samples_name), description, run.provenance());
  for (std::size_t f = 0; f < particles.frames.size(); ++f) {
    file.write_frame(static_cast<std::int64_t>(f), particles.frame_times[f], particles.shard, particles.frames[f]);
    if (const auto stop = run.stop().agree().stop; is_interruption(stop)) {
      file.close_unfinished(stopped_state(stop));
      return stop;
    }
  }
  file.write_samples(particles.shard, {.position = particles.position,
                                       .log_density = particles.log_density,
                                       .log_weight = particles.log_weight,
                                       .action = particles.action,
                                       .time = particles.time,
                                       .status = particles.status,
                                       .evaluations = particles.evaluations});
  file.close();
  return Stop::no;
}

/// All that the particles follow from: the curve's options, what was learned, and the program.
std::string origin_of_particles(const Run& run, const TrainingState& state) {
  auto options = run.options();
  options.optimizer = {};
  options.training = {};
  options.evaluation = {};
  options.study = {};
  options.run.reduction = RunOptions().reduction;
  options.run.watchdog_seconds = RunOptions().watchdog_seconds;
  options.sampling.block = SamplingSettings().block;
  std::string origin = run.provenance().program_version + run.provenance().git_description + resolved_text(options);
  const auto learned = learned_numbers(state);
  origin.append(reinterpret_cast<const char*>(learned.data()), learned.size() * sizeof(double));
  return origin;
}

/// This rank's particles, drawn batch by batch; finished ones are kept in a file, and those that are there already are not drawn again.
class Drawing {
 public:
  /// `goes_on`: from finished particles that are there.
  Drawing(Run& run, const Model& model, const TrainingState& state, bool goes_on)
      : model_(model),
        task_(sampling_task(run.options(), model)),
        field_(make_velocity_field(model.settings.precision, *model.curve, state.average, model.curve_target(), *model.latent)),
        particles_(room_for_particles(task_, model.dimension(),
                                      shard_of(task_.settings.particles, particle_granule, run.world().rank(), run.world().size()))),
        record_size_(record_size(task_, model.dimension())),
        granules_((task_.settings.particles + particle_granule - 1) / particle_granule),
        finished_(run.world(), run.output(unfinished_samples_name), {origin_of_particles(run, state), granules_, record_size_},
                  goes_on ? RecordFile::Begin::where_it_was_left : RecordFile::Begin::anew),
        batch_(run.options().sampling.block) {
    if (!finished_.put_aside().empty())
      warn(run.world(), fmt::format("{} held particles that do not follow from these options and this checkpoint; it is now {}",
                                    run.output(unfinished_samples_name).string(), finished_.put_aside().string()));
    if (goes_on) take_what_is_finished();
    if (const auto taken = run.world().sum(done_); taken > 0)
      run.say(fmt::format("sampling goes on: {} of {} particles are finished", taken, task_.settings.particles));
  }

  /// Draws the next batch; false: none is left.
  bool draw_some() {
    const auto first = next_, last = particles_.shard.first + particles_.shard.count;
    const auto most = std::clamp<std::int64_t>(batch_ / particle_granule, 1, max_particles_at_once / particle_granule) * particle_granule;
    // Up to the next granule that is finished.
    while (next_ < last && next_ - first < most && !is_finished(next_)) next_ = std::min(next_ + particle_granule, last);
    if (next_ > first) {
      const double started = steady_seconds();
      const auto drawn = draw_particles(task_, *field_, model_.curve_target(), *model_.latent, {first, next_ - first});
      for (auto at = first; at < next_; at += particle_granule) {
        const Shard granule{at, std::min<std::int64_t>(particle_granule, next_ - at)};
        finished_.write(at / particle_granule, to_record(drawn, granule, record_size_));
      }
      put(drawn, particles_);
      done_ += next_ - first;
      choose_batch(steady_seconds() - started);
    }
    while (next_ < last && is_finished(next_)) next_ = std::min(next_ + particle_granule, last);
    return next_ < last;
  }

  std::int64_t done() const { return done_; }
  Particles& particles() { return particles_; }
  void synchronize() { finished_.synchronize(); }

 private:
  void take_what_is_finished() {
    const auto first = particles_.shard.first, last = first + particles_.shard.count;
    std::vector<double> record(static_cast<std::size_t>(record_size_));
    for (auto at = first; at < last; at += particle_granule) {
      const Shard granule{at, std::min<std::int64_t>(particle_granule, last - at)};
      is_taken_.push_back(finished_.read(at / particle_granule, record));
      if (!is_taken_.back()) continue;
      from_record(record, granule, particles_);
      done_ += granule.count;
    }
  }

  bool is_finished(std::int64_t particle) const {
    const auto granule = static_cast<std::size_t>((particle - particles_.shard.first) / particle_granule);
    return granule < is_taken_.size() && is_taken_[granule];
  }

  void choose_batch(double seconds) {
    if (seconds < shortest_batch_seconds) batch_ = std::min(2 * batch_, max_particles_at_once);
    if (seconds > longest_batch_seconds) batch_ = std::max<std::int64_t>(batch_ / 2, particle_granule);
  }

  const Model& model_;
  const SamplingTask task_;
  const std::unique_ptr<VelocityField> field_;
  Particles particles_;
  const std::int64_t record_size_, granules_;
  RecordFile finished_;
  std::vector<bool> is_taken_;  // of this rank's granules; empty: none
  std::int64_t batch_, done_ = 0, next_ = particles_.shard.first;
};

}  // namespace

SamplingTask sampling_task(const Options& options, const Model& model) {
  return {.settings = options.sampling,
          .latent_time = model.curve->latent_time(),
          .target_time = model.curve->target_time(),
          .seed = options.run.seed,
          .coordinates = model.coordinates(),
          .domain = model.region->domain};
}

Sampling sample_stage(Run& run, const Model& model, const TrainingState& state, SamplesGo destination) {
  const Phase phase("sampling");
  const double started = steady_seconds();
  const BusyTime busy;
  // Particles that nobody else gets to see may come from anywhere: they are the same.
  Drawing drawing(run, model, state, run.request().resume || destination == SamplesGo::nowhere);
  Progress::Work work;
  work.name = "sampling";
  work.first_step = drawing.done();
  work.steps = drawing.particles().shard.count;
  work.row_every = 1;
  work.unit = "particles";
  work.units_per_step = run.world().size();
  Sampling sampling;
  {
    auto progress = run.progress(work, {});
    sampling.stop = do_in_pieces(run.world(), run.stop(), [&] {
      const bool left = drawing.draw_some();
      progress.at(drawing.done());
      return left;
    });
  }
  if (const auto text = busy.imbalance(run.world()); !text.empty()) run.say(text);
  sampling.finished = run.world().sum(drawing.done());
  sampling.seconds = run.world().max(steady_seconds() - started);
  if (sampling.stop != Stop::no)
    drawing.synchronize();
  else if (destination == SamplesGo::to_file)
    sampling.stop = write_samples_file(run, state, drawing.particles());
  sampling.particles = std::move(drawing.particles());
  return sampling;
}

void forget_finished_particles(const Run& run) {
  on_root(run.world(), [&] { remove_file(run.output(unfinished_samples_name)); });
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
  return ExitCode::done;
}

std::string progress_of(const Run& run, const Sampling& sampling) {
  return fmt::format("after {} of {} particles", sampling.finished, run.options().sampling.particles);
}

}  // namespace boltzcurve

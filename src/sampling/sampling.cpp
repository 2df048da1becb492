#include <boltzcurve/sampling.hpp>
#include "collocation/collocation.hpp"
#include "curve/curve.hpp"
#include "ode/dormand_prince.hpp"
#include "parallel/pieces.hpp"
#include "sampling/curve_velocity.hpp"
#include "sampling/integration.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

namespace boltzcurve {
namespace {

/// Enough to keep the integrator's blocks full, few enough for regular progress reports.
constexpr std::int64_t max_particles_at_once = 8192;
// A batch of particles is to take about this long: short enough to stop soon and to lose little when killed.
constexpr std::chrono::duration<double> min_batch_time(0.2), max_batch_time(1);

using HostRows = Kokkos::View<double**, Kokkos::LayoutRight, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
using ConstHostRows = Kokkos::View<const double**, Kokkos::LayoutRight, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

/// The points [count][D] from row `first` on, on the device.
Points<double> to_points(std::span<const double> rows, std::size_t first, std::size_t count, std::size_t dimension) {
  Points<double> points("boltzcurve::points", count, dimension);
  const auto host = Kokkos::create_mirror_view(points);
  Kokkos::deep_copy(host, ConstHostRows(&rows[first * dimension], count, dimension));
  Kokkos::deep_copy(points, host);
  return points;
}

/// f(x) [n].
PointScalars<double> values_of(const Energy& energy, const Points<double>& x) {
  const Points<double> column("boltzcurve::energy", x.extent(0), 1);
  energy.evaluate(x, column, Wanted::value);
  return Kokkos::subview(column, Kokkos::ALL, 0);
}

/// -f(x) - log Z of a normalized density.
PointScalars<double> normalized_log_density(const Energy& density, const Points<double>& x) {
  const double log_z = density.log_z().value();
  const auto log_density = values_of(density, x);
  Kokkos::parallel_for(
      "boltzcurve::latent_log_density", x.extent(0), KOKKOS_LAMBDA(const std::size_t i) { log_density(i) = -log_density(i) - log_z; });
  return log_density;
}

KOKKOS_FUNCTION bool is_nan(double value) { return value != value; }

/// Columns energy and log_weight of particles that have arrived; an energy that is no number is a failure.
void weigh(const Energy& target, IntegratedParticles& end) {
  const std::size_t n = end.status.extent(0);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto energy = end.energy = values_of(target, end.position);
  const auto log_weight = end.log_weight = PointScalars<double>("boltzcurve::log_weight", n);
  const auto log_density = end.log_density;
  const auto status = end.status;
  Kokkos::parallel_for(
      "boltzcurve::importance_weights", n, KOKKOS_LAMBDA(const std::size_t i) {
        if (status(i) == ParticleStatus::finished && is_nan(energy(i))) status(i) = ParticleStatus::nonfinite;
        const double value = -energy(i) - log_density(i);
        log_weight(i) = status(i) == ParticleStatus::finished && !is_nan(value) ? value : -infinity;
      });
}

/// Rows of columns on the device to their places, from row `first` on, in those of a table on the host.
struct TakeRows {
  std::size_t first;

  void operator()(const ParticleColumn& /*column*/, const Points<double>& from, std::vector<double>& to) const {
    const std::size_t n = from.extent(0), D = from.extent(1);
    if (n == 0) return;
    Kokkos::deep_copy(HostRows(&to[first * D], n, D), Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), from));
  }
  template <class T>
  void operator()(const ParticleColumn& /*column*/, const Kokkos::View<T*>& from, std::vector<T>& to) const {
    using HostColumn = Kokkos::View<T*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
    if (const std::size_t n = from.extent(0); n > 0) Kokkos::deep_copy(HostColumn(&to[first], n), from);
  }
};

/// From the coordinates of the flow to those of the target, with the densities.
void change_coordinates(const ScaleMap& map, std::size_t first, std::size_t count, Particles& particles) {
  if (map.is_identity()) return;
  const auto D = static_cast<std::size_t>(particles.dimension);
  const auto rows = [&](std::vector<double>& values) { return std::span(values).subspan(first * D, count * D); };
  for (std::size_t i = first; i < first + count; ++i) {
    const double log_volume = map.log_volume(&particles.position[i * D]);
    particles.energy[i] += log_volume;
    particles.log_density[i] -= log_volume;
  }
  map.to_x(rows(particles.position));
  for (auto& frame : particles.frames) map.to_x(rows(frame));
}

}  // namespace

bool SamplingObserver::restore(const Shard& /*granule*/, Particles& /*particles*/) { return false; }
void SamplingObserver::begin(const Particles& /*particles*/, std::int64_t /*finished*/) {}
void SamplingObserver::drawn(const Shard& /*batch*/, const Particles& /*particles*/, std::int64_t /*finished*/) {}
Stop SamplingObserver::interruption() { return Stop::no; }

Flow flow_of(const Model& model, std::span<const double> parameters) {
  return {make_velocity_field(model.settings.precision, *model.curve, parameters, model.curve_target(), *model.latent),
          model.curve_target(),
          *model.latent,
          model.curve->latent_time(),
          model.curve->target_time(),
          model.coordinates(),
          model.region->domain};
}

std::vector<double> frame_times(const SamplingSettings& settings, double latent_time, double target_time) {
  std::vector<double> times;
  for (int j = 0; j < settings.frames; ++j) {
    const double left = settings.frames == 1 ? 0.0 : 1.0 - static_cast<double>(j) / (settings.frames - 1);
    times.push_back(target_time + (latent_time - target_time) * left * left);
  }
  return times;
}

std::vector<double> energies_of(const Energy& energy, std::span<const double> points) {
  const auto D = static_cast<std::size_t>(energy.dimension()), n = points.size() / D;
  std::vector<double> values(n);
  for (std::size_t first = 0; first < n; first += max_particles_at_once) {
    const std::size_t count = std::min<std::size_t>(max_particles_at_once, n - first);
    TakeRows{first}({}, values_of(energy, to_points(points, first, count, D)), values);
  }
  return values;
}

void evaluate_energies(const Energy& target, Particles& particles) { particles.energy = energies_of(target, particles.position); }

Sampler::Sampler(const Communicator& ranks, Flow flow, const SamplingSettings& settings, std::uint64_t seed)
    : ranks_(ranks), flow_(std::move(flow)), settings_(settings), seed_(seed) {}

Sampler::Sampler(const Communicator& ranks, const Model& model, const SamplingSettings& settings)
    : Sampler(ranks, flow_of(model, model.parameters), settings, model.settings.seed) {}

Particles Sampler::draw(std::int64_t particles) const {
  SamplingObserver nobody;
  return draw(particles, nobody, max_particles_at_once).particles;
}

Sampler::Drawn Sampler::draw(std::int64_t particles, SamplingObserver& observer) const {
  return draw(particles, observer, settings_.block);
}

Sampler::Drawn Sampler::draw(std::int64_t count, SamplingObserver& observer, std::int64_t batch_size) const {
  const auto shard = shard_of(count, particle_granule, ranks_.rank(), ranks_.size());
  const auto end = shard.first + shard.count;
  Drawn drawn{room_for_particles(shard, flow_.velocity->dimension(), frame_times(settings_, flow_.latent_time, flow_.target_time))};
  const auto granule_at = [&](std::int64_t particle) { return Shard{particle, std::min<std::int64_t>(particle_granule, end - particle)}; };

  // 1. What is finished already.
  std::vector<bool> restored;  // of this rank's granules
  for (auto at = shard.first; at < end; at += particle_granule) {
    restored.push_back(observer.restore(granule_at(at), drawn.particles));
    if (restored.back()) drawn.finished += granule_at(at).count;
  }
  observer.begin(drawn.particles, drawn.finished);

  // 2. The rest, batch by batch: each up to the next granule that is finished.
  auto next = shard.first;
  const auto pass = [&](bool finished, std::int64_t limit) {
    while (next < std::min(limit, end) && restored[static_cast<std::size_t>((next - shard.first) / particle_granule)] == finished)
      next += granule_at(next).count;
  };
  drawn.interruption = do_in_pieces(
      ranks_, [&] { return observer.interruption(); },
      [&] {
        const auto first = next;
        pass(false, first + std::clamp<std::int64_t>(batch_size / particle_granule, 1, max_particles_at_once / particle_granule) *
                                particle_granule);
        if (const Shard batch{first, next - first}; batch.count > 0) {
          const auto started = std::chrono::steady_clock::now();
          draw_batch(batch, drawn.particles);
          drawn.finished += batch.count;
          observer.drawn(batch, drawn.particles, drawn.finished);
          const auto time = std::chrono::steady_clock::now() - started;
          if (time < min_batch_time) batch_size = std::min(2 * batch_size, max_particles_at_once);
          if (time > max_batch_time) batch_size = std::max<std::int64_t>(batch_size / 2, particle_granule);
        }
        pass(true, end);
        return next < end;
      });
  return drawn;
}

void Sampler::draw_batch(const Shard& batch, Particles& particles) const {
  const auto n = static_cast<std::size_t>(batch.count), first = static_cast<std::size_t>(batch.first - particles.shard.first);
  Points<double> start("boltzcurve::latent_particles", n, static_cast<std::size_t>(particles.dimension));
  const auto host = Kokkos::create_mirror_view(Kokkos::HostSpace(), start);
  flow_.latent.draw(seed_, batch.first, host);
  Kokkos::deep_copy(start, host);
  auto end = integrate(*flow_.velocity, flow_.latent_time, flow_.target_time, start, normalized_log_density(flow_.latent, start),
                       integration_options(settings_, flow_.domain), particles.frame_times);
  weigh(flow_.target, end);
  for_each_column(TakeRows{first}, end, particles);
  for (std::size_t f = 0; f < particles.frames.size(); ++f) {
    const auto frame = Kokkos::subview(end.frames, f, Kokkos::ALL, Kokkos::ALL);
    Kokkos::deep_copy(HostRows(&particles.frames[f][first * start.extent(1)], n, start.extent(1)), frame);
  }
  change_coordinates(flow_.coordinates, first, n, particles);
}

std::vector<double> Sampler::log_density(std::vector<double> points) const {
  const auto D = static_cast<std::size_t>(flow_.velocity->dimension()), n = points.size() / D;
  std::vector<double> log_volume(n, 0.0), result(n);
  flow_.coordinates.to_z(points);
  if (!flow_.coordinates.is_identity())
    for (std::size_t i = 0; i < n; ++i) log_volume[i] = flow_.coordinates.log_volume(&points[i * D]);
  for (std::size_t first = 0; first < n; first += max_particles_at_once) {
    const std::size_t count = std::min<std::size_t>(max_particles_at_once, n - first);
    const auto start = to_points(points, first, count, D);
    // With log density 0 at the target end, what has gathered at the latent end is minus the integral of the divergence.
    const PointScalars<double> zero("boltzcurve::zero", count);
    const auto end =
        integrate(*flow_.velocity, flow_.target_time, flow_.latent_time, start, zero, integration_options(settings_, flow_.domain));
    const auto at_latent = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), normalized_log_density(flow_.latent, end.position));
    const auto change = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), end.log_density);
    const auto status = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), end.status);
    for (std::size_t i = 0; i < count; ++i)
      result[first + i] = status(i) == ParticleStatus::finished ? at_latent(i) - change(i) - log_volume[first + i]
                                                                : std::numeric_limits<double>::quiet_NaN();
  }
  return result;
}

}  // namespace boltzcurve

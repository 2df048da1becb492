#include "sampling/particles.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace boltzcurve {
namespace {

Points<double> to_points(const std::vector<double>& rows, std::size_t first, std::size_t count, std::size_t dimension) {
  Points<double> points("boltzcurve::points", count, dimension);
  const auto host = Kokkos::create_mirror_view(points);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t k = 0; k < dimension; ++k) host(i, k) = rows[(first + i) * dimension + k];
  Kokkos::deep_copy(points, host);
  return points;
}

void append_rows(const Points<double>& points, std::vector<double>& rows) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), points);
  for (std::size_t i = 0; i < host.extent(0); ++i)
    for (std::size_t k = 0; k < host.extent(1); ++k) rows.push_back(host(i, k));
}

template <class T, class View>
void append(const View& view, std::vector<T>& values) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
  for (std::size_t i = 0; i < host.extent(0); ++i) values.push_back(static_cast<T>(host(i)));
}

/// -f(x) - log Z of a normalized density.
PointScalars<double> normalized_log_density(const Energy& density, const Points<double>& x) {
  const std::size_t n = x.extent(0);
  const double log_z = density.log_z().value();
  Points<double> energy("boltzcurve::latent_energy", n, 1);
  PointScalars<double> log_density("boltzcurve::log_density", n);
  density.evaluate(x, energy, Wanted::value);
  Kokkos::parallel_for(
      "boltzcurve::latent_log_density", n, KOKKOS_LAMBDA(const std::size_t i) { log_density(i) = -energy(i, 0) - log_z; });
  return log_density;
}

/// log |dx/dz| at every point [n][D] in the coordinates of the field (or of the target: the same); [n].
std::vector<double> log_volumes(const ScaleMap& map, const std::vector<double>& points, std::size_t dimension) {
  std::vector<double> volumes(points.size() / dimension, 0.0);
  if (!map.is_identity())
    for (std::size_t i = 0; i < volumes.size(); ++i) volumes[i] = map.log_volume(&points[i * dimension]);
  return volumes;
}

std::vector<double> frame_times(const SamplingTask& task) {
  std::vector<double> times;
  for (int j = 0; j < task.settings.frames; ++j) {
    const double left = task.settings.frames == 1 ? 0.0 : 1.0 - static_cast<double>(j) / (task.settings.frames - 1);
    times.push_back(task.target_time + (task.latent_time - task.target_time) * left * left);
  }
  return times;
}

/// Calls visit(column, numbers a particle) for every array that has a row a particle.
template <class Some, class Visit>
void for_each_column(Some& particles, const Visit& visit) {
  const auto D = static_cast<std::size_t>(particles.dimension);
  visit(particles.position, D);
  visit(particles.log_density, 1);
  visit(particles.log_weight, 1);
  visit(particles.energy, 1);
  visit(particles.action, 1);
  visit(particles.time, 1);
  visit(particles.status, 1);
  visit(particles.evaluations, 1);
  for (auto& frame : particles.frames) visit(frame, D);
}

}  // namespace

std::vector<double> energies_of(const Energy& energy, const std::vector<double>& points) {
  const auto D = static_cast<std::size_t>(energy.dimension()), n = points.size() / D;
  std::vector<double> values;
  values.reserve(n);
  for (std::size_t first = 0; first < n; first += max_particles_at_once) {
    const std::size_t count = std::min<std::size_t>(max_particles_at_once, n - first);
    const auto x = to_points(points, first, count, D);
    Points<double> out("boltzcurve::energy", count, 1);
    energy.evaluate(x, out, Wanted::value);
    append<double>(Kokkos::subview(out, Kokkos::ALL, 0), values);
  }
  return values;
}

IntegrationOptions SamplingTask::integration() const {
  IntegrationOptions options{settings};
  options.domain = domain;
  return options;
}

Particles draw_particles(const SamplingTask& task, const VelocityField& field, const Energy& target, const Energy& latent,
                         const Shard& part) {
  Particles drawn;
  drawn.shard = part;
  drawn.dimension = field.dimension();
  drawn.frame_times = frame_times(task);
  drawn.frames.resize(drawn.frame_times.size());
  const auto n = static_cast<std::size_t>(part.count), D = static_cast<std::size_t>(drawn.dimension);
  Points<double> start("boltzcurve::latent_particles", n, D);
  const auto host = Kokkos::create_mirror_view(Kokkos::HostSpace(), start);
  latent.draw(task.seed, part.first, host);
  Kokkos::deep_copy(start, host);

  const auto end = integrate(field, task.latent_time, task.target_time, start, normalized_log_density(latent, start), task.integration(),
                             drawn.frame_times);
  append_rows(end.position, drawn.position);
  append(end.log_density, drawn.log_density);
  append(end.action, drawn.action);
  append(end.time, drawn.time);
  append(end.status, drawn.status);
  append(end.evaluations, drawn.evaluations);
  const auto frames = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), end.frames);
  for (std::size_t f = 0; f < drawn.frames.size(); ++f)
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < D; ++k) drawn.frames[f].push_back(frames(f, i, k));

  drawn.energy = energies_of(target, drawn.position);
  for (std::size_t i = 0; i < n; ++i) {
    bool finished = drawn.status[i] == static_cast<std::int32_t>(ParticleStatus::finished);
    if (finished && std::isnan(drawn.energy[i])) {
      drawn.status[i] = static_cast<std::int32_t>(ParticleStatus::nonfinite);
      finished = false;
    }
    const double log_weight = -drawn.energy[i] - drawn.log_density[i];
    drawn.log_weight.push_back(finished && !std::isnan(log_weight) ? log_weight : -std::numeric_limits<double>::infinity());
  }
  const auto volumes = log_volumes(task.coordinates, drawn.position, D);
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    drawn.energy[i] += volumes[i];
    drawn.log_density[i] -= volumes[i];
  }
  task.coordinates.to_x(drawn.position);
  for (auto& frame : drawn.frames) task.coordinates.to_x(frame);
  return drawn;
}

Particles room_for_particles(const SamplingTask& task, int dimension, const Shard& shard) {
  Particles all;
  all.shard = shard;
  all.dimension = dimension;
  all.frame_times = frame_times(task);
  all.frames.resize(all.frame_times.size());
  for_each_column(all, [&](auto& values, std::size_t width) { values.resize(static_cast<std::size_t>(shard.count) * width); });
  return all;
}

void put(const Particles& part, Particles& all) { from_record(to_record(part, part.shard, 0), part.shard, all); }

std::int64_t record_size(const SamplingTask& task, int dimension) {
  const auto one = room_for_particles(task, dimension, {0, 1});
  std::size_t width = 0;
  for_each_column(one, [&](const auto&, std::size_t columns) { width += columns; });
  return particle_granule * static_cast<std::int64_t>(width);
}

std::vector<double> to_record(const Particles& particles, const Shard& granule, std::int64_t record_size) {
  std::vector<double> record;
  record.reserve(static_cast<std::size_t>(record_size));
  const auto first = static_cast<std::size_t>(granule.first - particles.shard.first), count = static_cast<std::size_t>(granule.count);
  for_each_column(particles, [&](const auto& values, std::size_t width) {
    for (std::size_t i = first * width; i < (first + count) * width; ++i) record.push_back(static_cast<double>(values[i]));
  });
  record.resize(std::max(record.size(), static_cast<std::size_t>(record_size)), 0.0);
  return record;
}

void from_record(const std::vector<double>& record, const Shard& granule, Particles& particles) {
  const auto first = static_cast<std::size_t>(granule.first - particles.shard.first), count = static_cast<std::size_t>(granule.count);
  std::size_t at = 0;
  for_each_column(particles, [&]<class T>(std::vector<T>& values, std::size_t width) {
    for (std::size_t i = first * width; i < (first + count) * width; ++i) values[i] = static_cast<T>(record[at++]);
  });
}

Particles sample_particles(const Communicator& ranks, const SamplingTask& task, const VelocityField& field, const Energy& target,
                           const Energy& latent) {
  const auto shard = shard_of(task.settings.particles, particle_granule, ranks.rank(), ranks.size());
  auto all = room_for_particles(task, field.dimension(), shard);
  for (std::int64_t done = 0; done < shard.count; done += max_particles_at_once)
    put(draw_particles(task, field, target, latent, {shard.first + done, std::min(max_particles_at_once, shard.count - done)}), all);
  return all;
}

std::vector<double> log_density_of(const SamplingTask& task, const VelocityField& field, const Energy& latent, std::vector<double> points) {
  const auto D = static_cast<std::size_t>(field.dimension()), n = points.size() / D;
  const auto volumes = log_volumes(task.coordinates, points, D);
  task.coordinates.to_z(points);
  std::vector<double> log_density;
  for (std::size_t first = 0; first < n; first += max_particles_at_once) {
    const std::size_t count = std::min<std::size_t>(max_particles_at_once, n - first);
    const auto start = to_points(points, first, count, D);
    // With log density 0 at the target end, what has gathered at the latent end is minus the integral of the divergence.
    const PointScalars<double> zero("boltzcurve::zero", count);
    const auto end = integrate(field, task.target_time, task.latent_time, start, zero, task.integration());
    const auto at_latent = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), normalized_log_density(latent, end.position));
    const auto change = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), end.log_density);
    const auto status = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), end.status);
    for (std::size_t i = 0; i < count; ++i)
      log_density.push_back(status(i) == ParticleStatus::finished ? at_latent(i) - change(i) - volumes[first + i]
                                                                  : std::numeric_limits<double>::quiet_NaN());
  }
  return log_density;
}

}  // namespace boltzcurve

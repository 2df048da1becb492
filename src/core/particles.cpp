#include <boltzcurve/particles.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace boltzcurve {
namespace {

/// Calls visit(values, numbers of a particle) for every array that has a row a particle.
template <class Some, class Visit>
void for_each_array(Some& particles, const Visit& visit) {
  for_each_column(
      [&](const ParticleColumn& column, auto& values) { visit(values, static_cast<std::size_t>(column.numbers(particles.dimension))); },
      particles);
  for (auto& frame : particles.frames) visit(frame, static_cast<std::size_t>(particles.dimension));
}

/// The rows of `part` in an array of `width` numbers a particle.
template <class Array>
auto rows_of(Array& values, std::size_t width, const Shard& part, const Particles& particles) {
  return std::span(values).subspan(static_cast<std::size_t>(part.first - particles.shard.first) * width,
                                   static_cast<std::size_t>(part.count) * width);
}

}  // namespace

Particles room_for_particles(const Shard& shard, int dimension, std::vector<double> frame_times) {
  Particles particles;
  particles.shard = shard;
  particles.dimension = dimension;
  particles.frames.resize(frame_times.size());
  particles.frame_times = std::move(frame_times);
  for_each_array(particles, [&](auto& values, std::size_t width) { values.resize(static_cast<std::size_t>(shard.count) * width); });
  std::iota(particles.id.begin(), particles.id.end(), shard.first);
  particles.ancestor = particles.id;
  return particles;
}

std::vector<double> log_weights(const Particles& particles) {
  std::vector<double> log_weight(particles.size());
  for (std::size_t i = 0; i < particles.size(); ++i) {
    const double value = -particles.energy[i] - particles.log_density[i];
    log_weight[i] = particles.finished(i) && !std::isnan(value) ? value : -std::numeric_limits<double>::infinity();
  }
  return log_weight;
}

std::vector<std::byte> to_bytes(const Particles& particles, const Shard& part) {
  std::vector<std::byte> bytes;
  bytes.reserve(static_cast<std::size_t>(part.count) * particle_bytes(particles.dimension, particles.frames.size()));
  for_each_array(particles, [&](const auto& values, std::size_t width) {
    const auto rows = std::as_bytes(rows_of(values, width, part, particles));
    bytes.insert(bytes.end(), rows.begin(), rows.end());
  });
  return bytes;
}

void from_bytes(std::span<const std::byte> bytes, const Shard& part, Particles& particles) {
  for_each_array(particles, [&](auto& values, std::size_t width) {
    const auto rows = std::as_writable_bytes(rows_of(values, width, part, particles));
    std::copy_n(bytes.begin(), rows.size(), rows.begin());
    bytes = bytes.subspan(rows.size());
  });
}

std::size_t particle_bytes(int dimension, std::size_t frames) {
  Particles one;
  one.dimension = dimension;
  one.frames.resize(frames);
  std::size_t bytes = 0;
  for_each_array(one, [&](const auto& values, std::size_t width) { bytes += width * sizeof(values[0]); });
  return bytes;
}

}  // namespace boltzcurve

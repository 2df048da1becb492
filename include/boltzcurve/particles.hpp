#pragma once

#include <boltzcurve/shard.hpp>
#include <boltzcurve/views.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace boltzcurve {

/// How the path of a particle ended. Everything but `finished` is a failure: counted, with weight 0, and kept in every denominator.
enum class ParticleStatus : std::int32_t {
  finished = 0,
  nonfinite = 1,       ///< NaN or infinity at the start, or in every trial step however short; or NaN as the target's energy at the end
  escaped = 2,         ///< an accepted step ended outside the domain
  step_underflow = 3,  ///< the error control asked for a step below the resolution of time
  max_steps = 4        ///< the allowed number of steps, accepted and rejected, was used up
};
inline constexpr int particle_status_count = 5;

/// "finished", "nonfinite", "escaped", "step_underflow", "max_steps".
constexpr const char* name_of(ParticleStatus status) {
  constexpr const char* names[particle_status_count] = {"finished", "nonfinite", "escaped", "step_underflow", "max_steps"};
  return names[static_cast<int>(status)];
}

/// Borders of the ranks' parts of the particles are multiples of this, and so are those of sums over particles.
inline constexpr int particle_granule = 64;

/// A column of the table of particles, as files, tools and messages know it.
struct ParticleColumn {
  enum class Width { one, dimension };          ///< numbers of a particle: 1, or D
  enum class InFiles { always, newer, never };  ///< `newer`: files of earlier versions have no such column
  const char* name;
  const char* unit;
  const char* meaning;
  Width width = Width::one;
  InFiles in_files = InFiles::always;

  constexpr std::int64_t numbers(int dimension) const { return width == Width::dimension ? dimension : 1; }
};

/// Where a table keeps its columns: in vectors, rows of D numbers one after another, or on the device, where the particle's index has unit
/// stride.
struct OnHost {
  template <class T>
  using Column = std::vector<T>;
  using Rows = std::vector<double>;
};
struct OnDevice {
  template <class T>
  using Column = Kokkos::View<T*>;
  using Rows = Points<double>;
};

/// The table of particles: n rows, a row a particle. The integrator, the sampler, files, metrics and the tools go over its columns, which
/// are declared here and in for_each_column() below, and nowhere else.
template <class Storage>
struct ParticleTable {
  template <class T>
  using Column = typename Storage::template Column<T>;

  typename Storage::Rows position;  ///< [n][D]
  Column<double> log_density, log_weight, energy, action, time;
  Column<ParticleStatus> status;
  Column<std::int64_t> evaluations, id, island, ancestor;
};

/// Calls visit(column, values...) for each column in order, with its values in every one of `tables`.
template <class Visit, class... Tables>
void for_each_column(const Visit& visit, Tables&... tables) {
  using Width = ParticleColumn::Width;
  using InFiles = ParticleColumn::InFiles;
  visit(ParticleColumn{"position", "length", "x at `time`: the target's, or of a failed particle the last accepted one", Width::dimension},
        tables.position...);
  visit(
      ParticleColumn{"log_density", "nats", "log q(x) of the flow; of particles that have been moved what stands for it, -f_D(x) - log w"},
      tables.log_density...);
  visit(ParticleColumn{"log_weight", "nats", "log of the importance weight, -f_D(x) - log q(x); minus infinity where it failed"},
        tables.log_weight...);
  visit(ParticleColumn{"energy", "nats", "f_D(x)", Width::one, InFiles::never}, tables.energy...);
  visit(ParticleColumn{"action", "length^2/time", "integral of |v_t|^2 dt along the path", Width::one, InFiles::newer}, tables.action...);
  visit(ParticleColumn{"time", "time", "t of `position`: the target's, or that of a failure", Width::one, InFiles::newer}, tables.time...);
  visit(ParticleColumn{"status", "1", "how the path ended: ParticleStatus"}, tables.status...);
  visit(ParticleColumn{"evaluations", "1", "of the velocity"}, tables.evaluations...);
  visit(ParticleColumn{"id", "1", "global index, from 0 on"}, tables.id...);
  visit(ParticleColumn{"island", "1", "particles that are resampled among themselves", Width::one, InFiles::newer}, tables.island...);
  visit(ParticleColumn{"ancestor", "1", "id of the particle at the start that this one descends from", Width::one, InFiles::newer},
        tables.ancestor...);
}

/// One rank's particles, `shard` of all by global index, in that order; n = shard.count rows.
struct Particles : ParticleTable<OnHost> {
  Shard shard;
  int dimension = 0;  ///< D

  /// Positions [n][D] on the way, a frame each, and the frames' times, from the latent end.
  std::vector<double> frame_times;
  std::vector<std::vector<double>> frames;

  std::size_t size() const { return status.size(); }
  bool finished(std::size_t i) const { return status[i] == ParticleStatus::finished; }
  std::span<const double> x(std::size_t i) const { return std::span(position).subspan(i * width(), width()); }

 private:
  std::size_t width() const { return static_cast<std::size_t>(dimension); }
};

/// Particles with their ids and room for everything else; D = `dimension`.
Particles room_for_particles(const Shard& shard, int dimension, std::vector<double> frame_times = {});

/// Logarithms of the importance weights, log w = -f_D(x) - log q(x), of generated particles [n]; -infinity (weight 0) for a failed one and
/// where the energy is not a number.
std::vector<double> log_weights(const Particles& particles);

/// All that there is to know of the particles `part`, which lies within `particles.shard`, as bytes of this machine: columns in order, then
/// frames. `from_bytes` puts them back in their places; `bytes` must be as long as `particle_bytes` says, or longer.
std::vector<std::byte> to_bytes(const Particles& particles, const Shard& part);
void from_bytes(std::span<const std::byte> bytes, const Shard& part, Particles& particles);
/// Of one particle.
std::size_t particle_bytes(int dimension, std::size_t frames);

}  // namespace boltzcurve

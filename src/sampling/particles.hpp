#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/sampling_settings.hpp>
#include "ode/dormand_prince.hpp"
#include "ode/velocity_field.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace boltzcurve {

/// Borders of the ranks' parts of the particles are multiples of this.
inline constexpr int particle_granule = 64;

/// One rank's particles [first, first + count) by global index, each array in that order.
struct Particles {
  Shard shard;
  int dimension = 0;
  std::vector<double> position;           ///< [count][D]; of a failed particle the last accepted one
  std::vector<double> log_density;        ///< [count] log q(x), nats
  std::vector<double> log_weight;         ///< [count] -f_D(x) - log q(x), nats; minus infinity for a failed one or where f_D is NaN
  std::vector<double> energy;             ///< [count] f_D(x), nats
  std::vector<double> action;             ///< [count] integral of |v_t|^2 dt along the path
  std::vector<double> time;               ///< [count] of `position`: the target's, or that of a failure; empty where it is not known
  std::vector<std::int32_t> status;       ///< [count] ParticleStatus
  std::vector<std::int64_t> evaluations;  ///< [count] of the velocity

  /// Positions [count][D] of every frame, and the frames' times, from the latent end.
  std::vector<double> frame_times;
  std::vector<std::vector<double>> frames;
};

/// Settings, and what follows from the curve.
struct SamplingTask {
  SamplingSettings settings;
  double latent_time = 5, target_time = 0;
  std::uint64_t seed = 1;
  ScaleMap coordinates;          ///< from those of the field, `target` and `latent` to those in which particles and points are given
  std::optional<Domain> domain;  ///< of the field's coordinates; outside, a particle has escaped

  IntegrationOptions integration() const;
};

/// Particles carried at a time at most: enough to keep the integrator's blocks full, few enough for regular news of progress.
inline constexpr std::int64_t max_particles_at_once = 8192;

/// Draws the particles `part` from the latent law and carries each along `field` to the target, with its log density and its importance
/// weight. A particle is a function of seed and global index: the same in any part. Not collective.
Particles draw_particles(const SamplingTask& task, const VelocityField& field, const Energy& target, const Energy& latent,
                         const Shard& part);

/// Arrays of the right lengths, without values.
Particles room_for_particles(const SamplingTask& task, int dimension, const Shard& shard);
/// Puts those of `part`, whose shard lies within that of `all`, in their places.
void put(const Particles& part, Particles& all);

/// Numbers of a record: all that there is to know of a granule of particles. Counts are far below 2^53 and stay exact.
std::int64_t record_size(const SamplingTask& task, int dimension);
/// Those of `granule`, which lies within the shard of `particles`, as a record, padded with zeros to `record_size`.
std::vector<double> to_record(const Particles& particles, const Shard& granule, std::int64_t record_size);
/// Puts a granule into its place.
void from_record(const std::vector<double>& record, const Shard& granule, Particles& particles);

/// draw_particles() for this rank's part of all.
Particles sample_particles(const Communicator& ranks, const SamplingTask& task, const VelocityField& field, const Energy& target,
                           const Energy& latent);

/// log q(x) that the flow gives to each of this rank's `points` [count][D]: carried from the target to the latent law, whose log density is
/// known. NaN where a point does not get there.
std::vector<double> log_density_of(const SamplingTask& task, const VelocityField& field, const Energy& latent, std::vector<double> points);

/// f(x) of `points` [count][D], evaluated in double.
std::vector<double> energies_of(const Energy& energy, const std::vector<double>& points);

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/views.hpp>
#include "curve/curve.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

namespace boltzcurve {

/// The velocity of the curve as it stands: v [n][D] at points x [n][D] with times t [n].
template <class Real>
using CurrentFlow = std::function<void(PointScalars<const Real> t, Points<const Real> x, Points<Real> velocity)>;

/// Points along the paths of particles that the current velocity carries from the latent law to the target (Máté and Fleuret,
/// arXiv 2301.07388): where sampling will go, and so where the residual does harm. Without gradient through the path.
///
/// Particles take `stages` equal steps of the clock by the two-step rule of Adams and Bashforth (order 2 for one velocity a step), each
/// with an offset of its own so that together they visit all times; one that leaves the domain, or all numbers, rests where it was last.
/// Every chunk of points has its own particles, so a path is a function of seed, refreshment and global index for any number of ranks.
template <class Real>
class Trajectories {
 public:
  static constexpr int particles_per_chunk = 32;
  static constexpr int stages = 64;

  /// For the chunks of a rank's `shard` of the points of a batch. Curve and latent law must outlive this.
  Trajectories(const Curve& curve, const Energy& latent, const Domain& domain, std::uint64_t seed, const Shard& shard,
               std::int64_t batch_points);

  /// Replaces all paths; `round` tells them from those before.
  void follow(const CurrentFlow<Real>& flow, std::uint64_t round);

  /// Clock and coordinate k of place `place` (of places_per_chunk) on the paths of this rank's chunk `chunk`.
  static constexpr int places_per_chunk = particles_per_chunk * stages;
  /// A place where the clock shows `clock`, give or take a step, on the path of the particle at the share u in [0, 1) of the chunk's.
  static int place_near(double clock, double u) {
    const int steps_done = std::clamp(static_cast<int>(std::lround((1 - clock) * stages)), 1, stages);
    return (steps_done - 1) * particles_per_chunk + static_cast<int>(u * particles_per_chunk);
  }
  double clock(std::int64_t chunk, int place) const { return clock_(index(chunk, place)); }
  double operator()(std::int64_t chunk, int place, int k) const { return path_(index(chunk, place), static_cast<std::size_t>(k)); }

 private:
  /// Places of one stage are contiguous over all particles of the rank.
  std::size_t index(std::int64_t chunk, int place) const {
    return static_cast<std::size_t>(place / particles_per_chunk) * particles_ +
           static_cast<std::size_t>(chunk * particles_per_chunk + place % particles_per_chunk);
  }

  const Curve& curve_;
  const Energy& latent_;
  Domain domain_;
  std::uint64_t seed_;
  std::int64_t first_, all_;  // global index of the rank's first particle; particles of all ranks
  std::size_t particles_;     // of this rank
  HostScalars<double> clock_;
  HostPoints<Real> path_;
};

extern template class Trajectories<float>;
extern template class Trajectories<double>;

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/choice.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/views.hpp>
#include "collocation/time_bins.hpp"
#include "collocation/trajectories.hpp"
#include "curve/curve.hpp"
#include "pilot/mala_chains.hpp"
#include "residual/residual.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace boltzcurve {

/// Where the positions of collocation points come from. A bridge is the point y of the target, carried to time t as the curve's densities
/// spread and contract (Curve::bridges_at): along the gradient flow m + a (y - m) + sqrt(1 - a^2) sigma e with a = exp(-t/sigma^2), the
/// point y after time t of the diffusion towards N(m, sigma^2). From a chain of temperature T, the noise e is wider by sqrt(T) as well: of
/// a normal target that makes the curve's densities to the power 1/T at all times, so that flanks are seen where no particle would lead.
enum class CollocationKind { uniform, latent, ou_bridge, langevin, trajectory, mixture };
template <>
inline constexpr auto choices<CollocationKind> = std::to_array<Choice<CollocationKind>>({
    {CollocationKind::mixture, "mixture", "shares of the others (collocation.shares)"},
    {CollocationKind::langevin, "langevin",
     "bridge from walkers on the target: a population that moves by Langevin dynamics, some of it hot, with noise as hot"},
    {CollocationKind::trajectory, "trajectory", "points that the current velocity has carried from the latent law towards the target"},
    {CollocationKind::ou_bridge, "ou-bridge",
     "bridge from y uniform in the box: x = a y + b sigma e, along the gradient flow b = sqrt(1 - a^2)"},
    {CollocationKind::uniform, "uniform", "x uniform in the box"},
    {CollocationKind::latent, "latent", "x from the latent law"},
});

/// How times are drawn, by the curve's clock s in [0, 1].
enum class TimeDensity { power, residual };
template <>
inline constexpr auto choices<TimeDensity> = std::to_array<Choice<TimeDensity>>({
    {TimeDensity::power, "power", "s = u^p, u uniform: p = collocation.time-power = 1 is uniform, more favors the target end"},
    {TimeDensity::residual, "residual", "half of them uniform, half in proportion to the running mean of |R| in 32 bins of s"},
});

/// A part of the points of a mixture.
struct CollocationShare {
  CollocationKind kind;
  double share;
  bool operator==(const CollocationShare&) const = default;
};

/// The law of collocation points (x, t). Times are drawn by the curve's clock (see TimeDensity), stratified over the batch; points on
/// trajectories have the times of their paths, uniform in the clock unless `times` is `residual`.
struct CollocationLaw {
  std::vector<CollocationShare> shares = {{CollocationKind::ou_bridge, 1.0}};  ///< in any units
  TimeDensity times = TimeDensity::power;
  double time_power = 1;
  Domain box;                        ///< of `uniform` and `ou_bridge`
  Domain domain;                     ///< where trajectories may lead
  std::int64_t refresh_every = 100;  ///< steps between renewals of trajectories
};

/// Draws the points of every step of training on a rank's shard of a batch. Point i of step n is a function of seed, n and its global
/// index, of the chains of its chunk and of the trajectories of its chunk: never of the number of ranks.
template <class Real>
class Collocation {
 public:
  /// `chains` may be absent if no share needs them; they move from here on. Curve and latent law must outlive this.
  Collocation(const CollocationLaw& law, const Curve& curve, const Shard& shard, std::int64_t batch_points, std::uint64_t seed,
              const Energy& latent, std::shared_ptr<MalaChains> chains);

  /// To be called once, in order, before the points of step `step` are drawn. Returns whether that renewed the trajectories; the first call
  /// does, unless they have been renewed already.
  bool prepare(std::int64_t step, const CurrentFlow<Real>& flow);

  /// What earlier steps have left in chains, on rank 0; elsewhere nothing. Trajectories follow from the flow of their last renewal:
  /// renew_trajectories() with it makes them again. Collective, as is restore().
  std::vector<NamedArray> state() const;
  /// Goes on from a state(), which every rank has whole. Throws InputError where it is of other points.
  void restore(std::span<const NamedArray> state);
  bool has_trajectories() const { return trajectories_.has_value(); }
  void renew_trajectories(std::int64_t step, const CurrentFlow<Real>& flow);

  /// Points of global index [first, first + t.extent(0)) of step `step`, into t [n] and x [n][D]. `bins`: what the steps before
  /// have left, for times by the residual.
  void draw(std::int64_t step, std::int64_t first, HostScalars<Real> t, HostPoints<Real> x, const TimeBins& bins = {}) const;

 private:
  /// A point on its way to be drawn.
  struct Place {
    CollocationKind kind = CollocationKind::uniform;
    std::int64_t chunk = 0, choice = 0;
    double clock = 0;
  };
  Place place_of(std::int64_t step, std::int64_t global, double time, double choice, const TimeBins& bins) const;
  double clock_of_share(double u, const TimeBins& bins) const;
  double coordinate(const Place& place, const Bridge& bridge, std::size_t k, double uniform, double normal) const;
  std::int64_t chunk_size(std::int64_t chunk) const {
    return std::min<std::int64_t>(chunk_points, batch_points_ - chunk * chunk_points - shard_.first);
  }
  CollocationKind kind_of(std::int64_t global) const;
  bool has(CollocationKind kind) const;

  CollocationLaw law_;
  const Curve& curve_;
  Shard shard_;
  std::int64_t batch_points_, stride_;  // of the order of times over a batch
  std::uint64_t seed_;
  const Energy& latent_;
  Moments latent_moments_;
  std::shared_ptr<MalaChains> walkers_;
  std::vector<double> walker_heat_;  ///< roots of the temperatures in a chunk, layer by layer
  std::optional<Trajectories<Real>> trajectories_;
  bool trajectories_drawn_ = false;
};

extern template class Collocation<float>;
extern template class Collocation<double>;

}  // namespace boltzcurve

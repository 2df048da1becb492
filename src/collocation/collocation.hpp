#pragma once

#include <boltzcurve/collocation_settings.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/views.hpp>
#include "collocation/stratified_times.hpp"
#include "collocation/time_bins.hpp"
#include "collocation/trajectories.hpp"
#include "curve/curve.hpp"
#include "pilot/curve_population.hpp"
#include "pilot/mala_chains.hpp"
#include "residual/residual.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace boltzcurve {

/// Where collocation points may lie, in the coordinates of the curve.
struct CollocationRegion {
  Domain box;     ///< of `uniform` and `ou_bridge`
  Domain domain;  ///< where trajectories may lead
};

/// Draws the points of every step of training on a rank's shard of a batch. Point i of step n is a function of seed, n and its global
/// index, of the chains of its chunk and of the trajectories of its chunk: never of the number of ranks.
template <class Real>
class Collocation {
 public:
  /// `chains` may be absent if no share needs them; they move from here on. Without them points of the kind `langevin` come from the
  /// population, with noise as hot as with chains. Curve and latent law must outlive this.
  Collocation(const CollocationSettings& settings, const CollocationRegion& region, const Curve& curve, const Shard& shard,
              std::uint64_t seed, const Energy& latent, std::shared_ptr<MalaChains> chains,
              std::shared_ptr<const CurvePopulation> population = nullptr);

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
  double coordinate(const Place& place, const Interpolation& interpolation, std::size_t k, double uniform, double normal) const;
  std::int64_t chunk_size(std::int64_t chunk) const {
    return std::min<std::int64_t>(chunk_points, settings_.points - chunk * chunk_points - shard_.first);
  }
  CollocationKind kind_of(std::int64_t global) const;
  bool has(CollocationKind kind) const;

  CollocationSettings settings_;
  std::vector<CollocationShare> parts_;  ///< shares add to 1
  CollocationRegion region_;
  const Curve& curve_;
  Shard shard_;
  StratifiedTimes times_;
  std::uint64_t seed_;
  const Energy& latent_;
  Moments latent_moments_;
  std::shared_ptr<MalaChains> walkers_;
  std::shared_ptr<const CurvePopulation> population_;
  std::vector<double> walker_heat_;  ///< roots of the temperatures in a chunk, layer by layer
  std::optional<Trajectories<Real>> trajectories_;
  bool trajectories_drawn_ = false;
};

extern template class Collocation<float>;
extern template class Collocation<double>;

}  // namespace boltzcurve

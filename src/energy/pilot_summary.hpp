#pragma once

#include <boltzcurve/scale_map.hpp>
#include "energy/normal_mixture.hpp"

#include <vector>

namespace boltzcurve {

/// What the pilot run found of the target: lengths that defaults follow, in the coordinates in which the curve is learned.
struct PilotSummary {
  double width = 1;               ///< squared width of a mode: median of D / Lap f_D where that is positive [length^2]
  double energy = 0;              ///< median of f_D over the chains, nats
  std::vector<double> mean;       ///< [D] of the chains
  std::vector<double> deviation;  ///< [D] standard deviation of the chains
  ScaleMap coordinates{};         ///< from those of the curve to the target's own

  // Of a population, else nothing and 0.
  NormalMixture mixture{};               ///< fitted to it, in the coordinates of the curve
  std::vector<MixtureFactor> factors{};  ///< the same, or a product of laws of some coordinates each where that fits better
  double log_z = 0, log_z_stderr = 0;    ///< its estimate of log Z_D [nats]
  double disagreement = 0;               ///< between halves of it, z-score
  double evaluations = 0, seconds = 0;   ///< of the target's value and gradient; wall time

  bool has_population() const { return evaluations > 0; }
  bool operator==(const PilotSummary&) const = default;
};

}  // namespace boltzcurve

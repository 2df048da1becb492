#pragma once

#include <boltzcurve/scale_map.hpp>

#include <vector>

namespace boltzcurve {

/// What the pilot run found of the target: lengths that defaults follow, in the coordinates in which the curve is learned.
struct PilotSummary {
  double width = 1;               ///< squared width of a mode: median of D / Lap f_D where that is positive [length^2]
  double energy = 0;              ///< median of f_D over the chains, nats
  std::vector<double> mean;       ///< [D] of the chains
  std::vector<double> deviation;  ///< [D] standard deviation of the chains
  ScaleMap coordinates;           ///< from those of the curve to the target's own

  bool operator==(const PilotSummary&) const = default;
};

}  // namespace boltzcurve

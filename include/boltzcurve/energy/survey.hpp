#pragma once

#include <vector>

namespace boltzcurve {

/// What a look around the target found: lengths that defaults follow.
struct Survey {
  double width = 1;               ///< squared width of a mode: median of D / Lap f_D where that is positive [length^2]
  double energy = 0;              ///< median of f_D over the walkers, nats
  std::vector<double> mean;       ///< [D] of the walkers
  std::vector<double> deviation;  ///< [D] standard deviation of the walkers

  bool operator==(const Survey&) const = default;
};

}  // namespace boltzcurve

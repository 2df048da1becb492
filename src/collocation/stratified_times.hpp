#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace boltzcurve {

/// Shares of a batch's times: point i of step n has one in the stratum (i stride + n) mod points of [0, 1], with a stride prime to their
/// number and near its golden section, so that neighbors lie far apart.
class StratifiedTimes {
 public:
  explicit StratifiedTimes(std::int64_t points)
      : points_(points), stride_(std::max<std::int64_t>(1, static_cast<std::int64_t>(golden_ratio * static_cast<double>(points)))) {
    while (std::gcd(stride_, points) != 1) ++stride_;
  }

  /// Of the point of global index `global`, given a number uniform in (0, 1).
  double share(std::int64_t step, std::int64_t global, double uniform) const {
    const auto stratum = static_cast<double>((global * stride_ + step) % points_);
    return (stratum + uniform) / static_cast<double>(points_);
  }

  static constexpr double golden_ratio = 0.6180339887498949;  // multiples of it, modulo 1, spread evenly for any count

 private:
  std::int64_t points_, stride_;
};

}  // namespace boltzcurve

#pragma once

#include <cstddef>
#include <vector>

namespace boltzcurve {

/// A mixture of K normal laws in D dimensions, each by the axes of its covariance: sum_k w_k N(mean_k, R_k^T diag(variance_k) R_k).
struct NormalMixture {
  std::vector<double> weight;    ///< w [K], of sum 1; empty: there is none
  std::vector<double> mean;      ///< [K][D]
  std::vector<double> axes;      ///< R [K][D][D], a unit vector in every row
  std::vector<double> variance;  ///< [K][D] along them

  bool operator==(const NormalMixture&) const = default;
  std::size_t components() const { return weight.size(); }
  std::size_t dimension() const { return weight.empty() ? 0 : mean.size() / weight.size(); }
};

/// A law of some of the coordinates: those of a product of laws are independent.
struct MixtureFactor {
  std::vector<double> coordinates;  ///< their numbers [D]
  NormalMixture mixture;

  bool operator==(const MixtureFactor&) const = default;
};

}  // namespace boltzcurve

#pragma once

#include "core/named_array.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace boltzcurve {

/// Equally weighted points of the target that matching starts from, in the coordinates of the curve, with the gradient of the target's
/// energy there: the whole population on every rank, in the same order.
struct CurvePopulation {
  std::int64_t dimension = 1;
  std::vector<double> position, gradient;  ///< [N][D] each; both are finite

  std::int64_t count() const { return static_cast<std::int64_t>(position.size()) / dimension; }

  /// As a checkpoint keeps it, and from there. Throws InputError where it is in another dimension.
  std::vector<NamedArray> state() const;
  void restore(std::span<const NamedArray> state);
};

}  // namespace boltzcurve

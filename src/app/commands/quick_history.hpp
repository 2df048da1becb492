#pragma once

#include "io/checkpoint.hpp"

#include <cmath>
#include <cstdint>
#include <optional>

namespace boltzcurve {

/// What the quick evaluations of a training have come to, of which two in a row decide whether it goes on. It stands in checkpoints, so
/// that a training that was interrupted decides as it would have.
struct QuickHistory {
  double before_last = std::nan(""), last = std::nan("");  ///< the smaller of ESS and forward ESS; NaN: there was none
  std::int64_t target_values = 0;                          ///< evaluations of the target's energy by all of them

  void add(double ess, std::int64_t values) {
    before_last = last;
    last = ess;
    target_values += values;
  }
  bool reached(double ess) const { return ess > 0 && last >= ess && before_last >= ess; }

  void put_into(Checkpoint& checkpoint) const;
  /// Of a training without quick evaluations, and where there is no checkpoint, an empty one.
  static QuickHistory of(const std::optional<Checkpoint>& checkpoint);
};

}  // namespace boltzcurve

#pragma once

namespace boltzcurve {

/// A side of a box, the same for every coordinate; written "lower:upper".
struct Interval {
  double lower, upper;
  bool operator==(const Interval&) const = default;
};

}  // namespace boltzcurve

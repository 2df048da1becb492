#pragma once

#include <cmath>

namespace boltzcurve {

/// keep * old + (1 - keep) * latest, with which of the two products is rounded written down. Compilers may fuse either one with the sum,
/// and GCC 16 fuses another one where it works on vectors than where it does not; which of them runs depends on where arrays lie in memory.
inline double weighted_mean(double keep, double old, double latest) { return std::fma(keep, old, (1 - keep) * latest); }

}  // namespace boltzcurve

#pragma once

#include "curve/clock.hpp"

#include "all_curve_clocks.hpp"  // every header of src/curve/clocks, listed by the build

namespace boltzcurve {

/// body(ClockOf<clock>()), the one place where clocks are told apart. Host and device.
template <class Body>
KOKKOS_FORCEINLINE_FUNCTION auto with_clock(CurveClock clock, const Body& body) {
  using enum CurveClock;
#define BOLTZCURVE_CLOCK(identifier, name, meaning) \
  case identifier:                                  \
    return body(ClockOf<identifier>());
  switch (clock) { BOLTZCURVE_CLOCKS(BOLTZCURVE_CLOCK) }
#undef BOLTZCURVE_CLOCK
  __builtin_unreachable();
}

}  // namespace boltzcurve

#pragma once

#include "curve/clocks/vp.hpp"
#include "curve/schedule.hpp"

namespace boltzcurve {

/// g = 1 - s with the clock s of the variance-preserving diffusion.
template <>
struct ScheduleOf<Schedule::vp> : FixedSchedule {
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static TargetWeight<P> at(const FlowParameters& flow, P t) {
    using Vp = ClockOf<CurveClock::vp>;
    const P fraction = t * P(1 / flow.horizon);
    return {P(1) - Vp::clock_at(fraction), P(-1 / flow.horizon) / Vp::fraction_per_clock(fraction)};
  }
};

}  // namespace boltzcurve

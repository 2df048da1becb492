#pragma once

#include "curve/schedule.hpp"

namespace boltzcurve {

/// g = 1 - t/T (Chemseddine et al., arXiv 2410.03282).
template <>
struct ScheduleOf<Schedule::linear> : FixedSchedule {
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static TargetWeight<P> at(const FlowParameters& flow, P t) {
    return {P(1) - t * P(1 / flow.horizon), P(-1 / flow.horizon)};
  }
};

}  // namespace boltzcurve

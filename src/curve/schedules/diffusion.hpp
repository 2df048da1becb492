#pragma once

#include "curve/schedule.hpp"
#include "simd/pack_math.hpp"

#include <cmath>

namespace boltzcurve {

/// g = (1 + v/c)^-q with the variance v that diffusion has added to the target's modes of squared width c: not quite 0 at T.
template <>
struct ScheduleOf<Schedule::diffusion> : FixedSchedule {
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static TargetWeight<P> at(const FlowParameters& flow, P t) {
    const P v = flow.added_variance(flow.inverse_alpha(t)), g = faded(flow, v);
    return {g, P(-flow.power) * g * flow.added_variance_dot(v) / (P(flow.width) + v)};
  }

  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static P faded(const FlowParameters& flow, P v) {
    using std::exp, std::log;
    return exp(P(-flow.power) * log(P(1) + v * P(1 / flow.width)));
  }
};

}  // namespace boltzcurve

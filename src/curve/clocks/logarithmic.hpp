#pragma once

#include "curve/clock.hpp"
#include "simd/pack_math.hpp"

#include <cmath>

namespace boltzcurve {

/// Every doubling of a mode's squared width takes as long: w = log r(t)/log r(T).
template <>
struct ClockOf<CurveClock::logarithmic> {
  template <class Scale, class P>
  KOKKOS_FORCEINLINE_FUNCTION static ClockReading<P> at(const Scale& scale, P t) {
    using std::log;
    const P a = scale.widening(t), r = P(1) + a * P(scale.per_widening());
    const double length = scale.log_span();
    return {log(r) * P(1 / length), scale.time_per_log(a, r, length)};
  }
  template <class Scale, class P>
  KOKKOS_FORCEINLINE_FUNCTION static P time_at(const Scale& scale, P w) {
    return scale.time_at_log(P(scale.log_span()) * w);
  }
};

}  // namespace boltzcurve

#pragma once

#include "curve/clock.hpp"
#include "simd/pack_math.hpp"

#include <cmath>

namespace boltzcurve {

/// w = sqrt(t/T), which stands still at t = 0.
template <>
struct ClockOf<CurveClock::square_root> {
  template <class Scale, class P>
  KOKKOS_FORCEINLINE_FUNCTION static ClockReading<P> at(const Scale& scale, P t) {
    using std::sqrt;
    return {sqrt(t * P(1 / scale.span())), P(2) * sqrt(t * P(scale.span()))};
  }
  template <class Scale, class P>
  KOKKOS_FORCEINLINE_FUNCTION static P time_at(const Scale& scale, P w) {
    return P(scale.span()) * (w * w);
  }
};

}  // namespace boltzcurve

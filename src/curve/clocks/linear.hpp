#pragma once

#include "curve/clock.hpp"

namespace boltzcurve {

/// w = t/T.
template <>
struct ClockOf<CurveClock::linear> {
  template <class Scale, class P>
  KOKKOS_FORCEINLINE_FUNCTION static ClockReading<P> at(const Scale& scale, P t) {
    return {t * P(1 / scale.span()), P(scale.span())};
  }
  template <class Scale, class P>
  KOKKOS_FORCEINLINE_FUNCTION static P time_at(const Scale& scale, P w) {
    return P(scale.span()) * w;
  }
};

}  // namespace boltzcurve

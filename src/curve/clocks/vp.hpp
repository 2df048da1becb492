#pragma once

#include "curve/clock.hpp"
#include "simd/pack_math.hpp"

#include <cmath>

namespace boltzcurve {

/// The variance-preserving diffusion dx = -beta x/2 ds + sqrt(beta) dW with beta(s) = 0.1 + 19.9 s (Song et al., ICLR 2021, arXiv
/// 2011.13456) is that of Ornstein and Uhlenbeck run by another clock: at s it has come to the time B(s)/2, B the integral of beta.
/// Here as fractions: w = s in [0, 1] against t/T = B(s)/B(1) in [0, 1].
template <>
struct ClockOf<CurveClock::vp> {
  static constexpr double first = 0.1, growth = 19.9, whole = first + growth / 2;  ///< beta(0), d beta/ds, B(1)

  template <class Scale, class P>
  KOKKOS_FORCEINLINE_FUNCTION static ClockReading<P> at(const Scale& scale, P t) {
    const P fraction = t * P(1 / scale.span());
    return {clock_at(fraction), P(scale.span()) * fraction_per_clock(fraction)};
  }
  template <class Scale, class P>
  KOKKOS_FORCEINLINE_FUNCTION static P time_at(const Scale& scale, P s) {
    return P(scale.span()) * (s * (P(first) + P(0.5 * growth) * s) * P(1 / whole));
  }

  /// s where B(s)/B(1) = fraction, without the difference that -beta(0) + beta(s) would be.
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static P clock_at(P fraction) {
    return fraction * P(2 * whole) / (P(first) + beta(fraction));
  }
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static P fraction_per_clock(P fraction) {
    return beta(fraction) * P(1 / whole);
  }

 private:
  /// sqrt(beta(0)^2 + 2 growth B) = beta(s).
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static P beta(P fraction) {
    using std::sqrt;
    return sqrt(P(first * first) + fraction * P(2 * growth * whole));
  }
};

}  // namespace boltzcurve

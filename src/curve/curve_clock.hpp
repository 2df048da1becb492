#pragma once

#include <boltzcurve/curve_settings.hpp>
#include "simd/pack_math.hpp"

#include <Kokkos_Macros.hpp>

#include <cmath>

namespace boltzcurve {

/// The variance-preserving diffusion dx = -beta x/2 ds + sqrt(beta) dW with beta(s) = 0.1 + 19.9 s (Song et al., ICLR 2021, arXiv
/// 2011.13456) is that of Ornstein and Uhlenbeck run by another clock: at s it has come to the time B(s)/2, B the integral of beta.
/// Here as shares: s in [0, 1] against B(s)/B(1) in [0, 1].
struct VariancePreservingClock {
  static constexpr double first = 0.1, growth = 19.9, whole = first + growth / 2;  ///< beta(0), d beta/ds, B(1)

  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static P share_at(P s) {
    return s * (P(first) + P(0.5 * growth) * s) * P(1 / whole);
  }

  /// sqrt(beta(0)^2 + 2 growth B) = beta(s).
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static P beta(P share) {
    using std::sqrt;
    return sqrt(P(first * first) + share * P(2 * growth * whole));
  }
  /// Without the difference that -beta(0) + beta(s) would be.
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static P clock_at(P share) {
    return share * P(2 * whole) / (P(first) + beta(share));
  }
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static P share_per_clock(P share) {
    return beta(share) * P(1 / whole);
  }
};

}  // namespace boltzcurve

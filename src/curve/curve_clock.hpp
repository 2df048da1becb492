#pragma once

#include <boltzcurve/choice.hpp>
#include "simd/pack_math.hpp"

#include <Kokkos_Macros.hpp>

#include <cmath>

namespace boltzcurve {

/// A clock s in place of t, from 0 at the target to 1 at the latent law: what networks see, what times are drawn by and in whose units
/// residuals count.
enum class CurveClock { logarithmic, square_root, vp, linear };
template <>
inline constexpr auto choices<CurveClock> = std::to_array<Choice<CurveClock>>({
    {CurveClock::logarithmic, "logarithmic",
     "every doubling of a mode's width takes as long: s ~ log(1 + v/c'), v = exp(2t) - 1; linear, learned: 1 - s ~ log(1 + t sigma^2/c')"},
    {CurveClock::square_root, "square-root", "s = sqrt(t/T), or 1 - s = sqrt(t): the fast start of the curve becomes smooth"},
    {CurveClock::vp, "vp", "the time of the variance-preserving diffusion: t/T = B(s)/B(1), or t = B(1 - s)/B(1), B(s) = 0.1 s + 9.95 s^2"},
    {CurveClock::linear, "linear", "s = t/T, or 1 - s = t: the time of the Ornstein-Uhlenbeck diffusion itself"},
});

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

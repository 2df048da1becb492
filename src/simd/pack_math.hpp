#pragma once

#include "simd/pack.hpp"

#include <limits>
#include <utility>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace boltzcurve {

namespace detail {

template <class Real>
struct MathConstants;

// ln 2 is split so that n * ln2_high is exact for every exponent n. `round` = 1.5 * 2^(mantissa bits) rounds by addition.
// Taylor coefficients suffice: after range reduction the first term left out is below a tenth of a rounding error.
template <>
struct MathConstants<float> {
  static constexpr float ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f, round = 0x1.8p23f;
  static constexpr float exp_lower = -86.6f, exp_upper = 88.72283f;
  static constexpr int exp_degree = 7, log_terms = 5, mantissa_bits = 23, exponent_bias = 127;
};
template <>
struct MathConstants<double> {
  static constexpr double ln2_high = 0x1.62e42fefa38p-1, ln2_low = 0x1.ef35793c7673p-45, round = 0x1.8p52;
  static constexpr double exp_lower = -707.7, exp_upper = 709.782712893384;
  static constexpr int exp_degree = 13, log_terms = 11, mantissa_bits = 52, exponent_bias = 1023;
};

/// 1/n!, as a template so that no kernel divides for it when it runs.
template <int n>
inline constexpr double inverse_factorial = inverse_factorial<n - 1> / n;
template <>
inline constexpr double inverse_factorial<0> = 1;

/// Horner's scheme: the sum of c_k x^k, highest first.
template <class P, class First, class... Rest>
KOKKOS_FORCEINLINE_FUNCTION P horner(P x, First first, Rest... rest) {
  P sum(first);
  ((sum = sum * x + P(rest)), ...);
  return sum;
}

/// The terms r^k/k! of e^r up to k = the last of `orders`.
template <class P, int... orders>
KOKKOS_FORCEINLINE_FUNCTION P exponential_series(P r, std::integer_sequence<int, orders...>) {
  constexpr int degree = sizeof...(orders) - 1;
  return horner(r, inverse_factorial<degree - orders>...);
}

/// e^x within 2 ulp for exp_lower <= x <= exp_upper; NaN stays NaN.
template <class Real, int Lanes>
KOKKOS_FORCEINLINE_FUNCTION Pack<Real, Lanes> exp_in_range(Pack<Real, Lanes> x) {
  using Constants = MathConstants<Real>;
  using P = Pack<Real, Lanes>;
  using Bits = typename P::Bits;
  const P shifted = x * Real(1.44269504088896340736) + Constants::round;
  const P n = shifted - Constants::round;
  const P r = (x - n * Constants::ln2_high) - n * Constants::ln2_low;
  const P sum = exponential_series(r, std::make_integer_sequence<int, Constants::exp_degree + 1>());
  // 2^(n-1), assembled from its bits, then doubled: n itself may be one too large for the exponent field.
  const Bits exponent = __builtin_bit_cast(Bits, shifted.v) - __builtin_bit_cast(Bits, P(Constants::round).v);
  const Bits bits = (exponent + (Constants::exponent_bias - 1)) << Constants::mantissa_bits;
  return (sum + sum) * P(__builtin_bit_cast(typename P::Vector, bits));
}

}  // namespace detail

/// e^x within 2 ulp; results below 2^-125 (float) or 2^-1021 (double) become 0, above the largest finite number infinity; NaN stays NaN.
template <class Real, int Lanes>
KOKKOS_FORCEINLINE_FUNCTION Pack<Real, Lanes> exp(Pack<Real, Lanes> x) {
  using Constants = detail::MathConstants<Real>;
  using P = Pack<Real, Lanes>;
  const P out_of_range =
      select(x > P(Constants::exp_upper), P(std::numeric_limits<Real>::infinity()), select(x < P(Constants::exp_lower), P(0), x));
  return select((x >= P(Constants::exp_lower)) & (x <= P(Constants::exp_upper)), detail::exp_in_range(x), out_of_range);
}

/// Natural logarithm within 2 ulp for normal x > 0; -infinity at 0, NaN below; infinity and NaN stay themselves.
template <class Real, int Lanes>
KOKKOS_FORCEINLINE_FUNCTION Pack<Real, Lanes> log(Pack<Real, Lanes> x) {
  using Constants = detail::MathConstants<Real>;
  using P = Pack<Real, Lanes>;
  using Bits = typename P::Bits;
  // x = m 2^n with m in [1/sqrt 2, sqrt 2): subtract the bits of 1/sqrt 2, so that the exponent field counts from there.
  const Bits origin = __builtin_bit_cast(Bits, P(0.70710678118654752440).v);
  const Bits offset = __builtin_bit_cast(Bits, x.v) - origin;
  const Bits n = offset >> Constants::mantissa_bits;
  const P m(__builtin_bit_cast(typename P::Vector, __builtin_bit_cast(Bits, x.v) - (n << Constants::mantissa_bits)));
  const P exponent = P::of_integers(n);
  // log m = 2 artanh(s), s = (m-1)/(m+1), |s| < 0.1716
  const P s = (m - P(1)) / (m + P(1)), s2 = s * s;
  P sum = static_cast<Real>(1.0 / (2 * Constants::log_terms + 1));
  BOLTZCURVE_UNROLL(16)
  for (int k = Constants::log_terms - 1; k >= 1; --k) sum = sum * s2 + static_cast<Real>(1.0 / (2 * k + 1));
  const P tail = s + s, result = exponent * Constants::ln2_high + (tail + (tail * s2 * sum + exponent * Constants::ln2_low));
  const Real infinity = std::numeric_limits<Real>::infinity();
  const P special = select(x >= P(0), select(x > P(0), x, P(-infinity)), P(std::numeric_limits<Real>::quiet_NaN()));
  return select((x > P(0)) & (x < P(infinity)), result, special);
}

template <class P>
struct SinCos {
  P sine, cosine;
};

namespace detail {

/// sin r (odd = 1) or cos r (odd = 0) for |r| <= pi/4, by their terms up to r^(2 highest + odd).
template <int odd, class P, int... orders>
KOKKOS_FORCEINLINE_FUNCTION P alternating_series(P square, std::integer_sequence<int, orders...>) {
  constexpr int highest = sizeof...(orders) - 1;
  return horner(square, ((highest - orders) % 2 == 0 ? 1 : -1) * inverse_factorial<2 * (highest - orders) + odd>...);
}

}  // namespace detail

/// sin and cos of 2 pi u for 0 <= u <= 1, each within 2 units of the last place of 1.
template <class Real, int Lanes>
KOKKOS_FORCEINLINE_FUNCTION SinCos<Pack<Real, Lanes>> sin_cos_of_turns(Pack<Real, Lanes> u) {
  using Constants = detail::MathConstants<Real>;
  using P = Pack<Real, Lanes>;
  using Mask = typename P::Mask;
  // u = n/4 + r/(2 pi): n says which of +-sin r, +-cos r they are.
  const P shifted = u * Real(4) + Constants::round, n = shifted - Constants::round;
  const P r = (u - n * Real(0.25)) * Real(6.283185307179586476925), square = r * r;
  const P sine = r * detail::alternating_series<1>(square, std::make_integer_sequence<int, 8>());
  const P cosine = detail::alternating_series<0>(square, std::make_integer_sequence<int, 9>());
  const auto quarters = __builtin_bit_cast(typename P::Bits, shifted.v) - __builtin_bit_cast(typename P::Bits, P(Constants::round).v);
  const auto odd = static_cast<Mask>(-(quarters & 1)), lower = static_cast<Mask>(-((quarters >> 1) & 1)),
             left = static_cast<Mask>(-(((quarters + 1) >> 1) & 1));
  const P s = select(odd, cosine, sine), c = select(odd, sine, cosine);
  return {select(lower, -s, s), select(left, -c, c)};
}

template <class Real, int Lanes>
KOKKOS_FORCEINLINE_FUNCTION Pack<Real, Lanes> sqrt(Pack<Real, Lanes> x) {
  Pack<Real, Lanes> root;
  for (int i = 0; i < Lanes; ++i) root.set(i, std::sqrt(x[i]));
  return root;
}

// Lane by lane, at the standard library's speed: these serve targets that are not in a hurry.
#define BOLTZCURVE_LANE_BY_LANE(name, function)                             \
  template <class Real, int Lanes>                                          \
  KOKKOS_FORCEINLINE_FUNCTION Pack<Real, Lanes> name(Pack<Real, Lanes> x) { \
    Pack<Real, Lanes> result;                                               \
    for (int i = 0; i < Lanes; ++i) result.set(i, function(x[i]));          \
    return result;                                                          \
  }
BOLTZCURVE_LANE_BY_LANE(sin, std::sin)
BOLTZCURVE_LANE_BY_LANE(cos, std::cos)
BOLTZCURVE_LANE_BY_LANE(tan, std::tan)
BOLTZCURVE_LANE_BY_LANE(tanh, std::tanh)
BOLTZCURVE_LANE_BY_LANE(log1p, std::log1p)
BOLTZCURVE_LANE_BY_LANE(expm1, std::expm1)
BOLTZCURVE_LANE_BY_LANE(erf, std::erf)
BOLTZCURVE_LANE_BY_LANE(lgamma, std::lgamma)
#undef BOLTZCURVE_LANE_BY_LANE

template <class Real, int Lanes>
KOKKOS_FORCEINLINE_FUNCTION Pack<Real, Lanes> pow(Pack<Real, Lanes> x, Pack<Real, Lanes> exponent) {
  Pack<Real, Lanes> result;
  for (int i = 0; i < Lanes; ++i) result.set(i, std::pow(x[i], exponent[i]));
  return result;
}

/// 1/x within 2 ulp for x and 1/x normal and finite. Where the processor has a fast estimate, Newton's iteration r <- r + r (1 - x r)
/// from there: a third of a division's time.
template <class Real, int Lanes>
KOKKOS_FORCEINLINE_FUNCTION Pack<Real, Lanes> reciprocal(Pack<Real, Lanes> x) {
  using P = Pack<Real, Lanes>;
#if defined(__AVX512F__) && !defined(BOLTZCURVE_ONE_LANE)
  if constexpr (sizeof(typename P::Vector) == 64) {
    P r;  // the masked forms, because GCC 12 warns of its own header's plain ones
    if constexpr (sizeof(Real) == 4)
      r.v = reinterpret_cast<typename P::Vector>(_mm512_maskz_rcp14_ps(0xffff, reinterpret_cast<__m512>(x.v)));
    else
      r.v = reinterpret_cast<typename P::Vector>(_mm512_maskz_rcp14_pd(0xff, reinterpret_cast<__m512d>(x.v)));
    constexpr int steps = sizeof(Real) == 4 ? 1 : 2;  // 14 bits, then 28, then 56
    BOLTZCURVE_UNROLL(2)
    for (int step = 0; step < steps; ++step) r = r + r * (P(1) - x * r);
    return r;
  }
#endif
  return P(1) / x;
}

/// 1/(1+e^-x), accurate to 4 ulp; where that is below 2^-124 (float) or 2^-1020 (double), some number between 0 and this. NaN stays NaN.
template <class Real, int Lanes>
KOKKOS_FORCEINLINE_FUNCTION Pack<Real, Lanes> sigmoid(Pack<Real, Lanes> x) {
  using P = Pack<Real, Lanes>;
  constexpr Real bound = -detail::MathConstants<Real>::exp_lower;
  const P clamped = fmax(P(-bound), fmin(P(bound), x));  // a NaN as second argument stays
  return reciprocal(P(1) + detail::exp_in_range(-clamped));
}

}  // namespace boltzcurve

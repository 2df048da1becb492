#pragma once

#include <boltzcurve/core/pack.hpp>

#include <limits>

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

constexpr double inverse_factorial(int n) { return n < 2 ? 1.0 : inverse_factorial(n - 1) / n; }

}  // namespace detail

/// e^x within 2 ulp; results below 2^-125 (float) or 2^-1021 (double) become 0, above the largest finite number infinity; NaN stays NaN.
template <class Real, int Lanes>
KOKKOS_FORCEINLINE_FUNCTION Pack<Real, Lanes> exp(Pack<Real, Lanes> x) {
  using Constants = detail::MathConstants<Real>;
  using P = Pack<Real, Lanes>;
  using Mask = typename P::Mask;
  const P shifted = x * Real(1.44269504088896340736) + Constants::round;
  const P n = shifted - Constants::round;
  const P r = (x - n * Constants::ln2_high) - n * Constants::ln2_low;
  P sum = static_cast<Real>(detail::inverse_factorial(Constants::exp_degree));
#pragma GCC unroll 16
  for (int k = Constants::exp_degree - 1; k >= 0; --k) sum = sum * r + static_cast<Real>(detail::inverse_factorial(k));
  // 2^(n-1), assembled from its bits, then doubled: n itself may be one too large for the exponent field.
  const Mask exponent = __builtin_bit_cast(Mask, shifted.v) - __builtin_bit_cast(Mask, P(Constants::round).v);
  const Mask bits = (exponent + (Constants::exponent_bias - 1)) << Constants::mantissa_bits;
  const P result = (sum + sum) * P(__builtin_bit_cast(typename P::Vector, bits));
  const P out_of_range =
      select(x > P(Constants::exp_upper), P(std::numeric_limits<Real>::infinity()), select(x < P(Constants::exp_lower), P(0), x));
  return select((x >= P(Constants::exp_lower)) & (x <= P(Constants::exp_upper)), result, out_of_range);
}

/// Natural logarithm within 2 ulp for normal x > 0; -infinity at 0, NaN below; infinity and NaN stay themselves.
template <class Real, int Lanes>
KOKKOS_FORCEINLINE_FUNCTION Pack<Real, Lanes> log(Pack<Real, Lanes> x) {
  using Constants = detail::MathConstants<Real>;
  using P = Pack<Real, Lanes>;
  using Mask = typename P::Mask;
  // x = m 2^n with m in [1/sqrt 2, sqrt 2): subtract the bits of 1/sqrt 2, so that the exponent field counts from there.
  const Mask origin = __builtin_bit_cast(Mask, P(0.70710678118654752440).v);
  const Mask offset = __builtin_bit_cast(Mask, x.v) - origin;
  const Mask n = offset >> Constants::mantissa_bits;
  const P m(__builtin_bit_cast(typename P::Vector, __builtin_bit_cast(Mask, x.v) - (n << Constants::mantissa_bits)));
  const P exponent(__builtin_convertvector(n, typename P::Vector));
  // log m = 2 artanh(s), s = (m-1)/(m+1), |s| < 0.1716
  const P s = (m - P(1)) / (m + P(1)), s2 = s * s;
  P sum = static_cast<Real>(1.0 / (2 * Constants::log_terms + 1));
#pragma GCC unroll 16
  for (int k = Constants::log_terms - 1; k >= 1; --k) sum = sum * s2 + static_cast<Real>(1.0 / (2 * k + 1));
  const P tail = s + s, result = exponent * Constants::ln2_high + (tail + (tail * s2 * sum + exponent * Constants::ln2_low));
  const Real infinity = std::numeric_limits<Real>::infinity();
  const P special = select(x >= P(0), select(x > P(0), x, P(-infinity)), P(std::numeric_limits<Real>::quiet_NaN()));
  return select((x > P(0)) & (x < P(infinity)), result, special);
}

template <class Real, int Lanes>
KOKKOS_FORCEINLINE_FUNCTION Pack<Real, Lanes> sqrt(Pack<Real, Lanes> x) {
  Pack<Real, Lanes> root;
  for (int i = 0; i < Lanes; ++i) root.v[i] = std::sqrt(x.v[i]);
  return root;
}

/// 1/(1+e^-x), accurate to 4 ulp for every x.
template <class Real, int Lanes>
KOKKOS_FORCEINLINE_FUNCTION Pack<Real, Lanes> sigmoid(Pack<Real, Lanes> x) {
  return Pack<Real, Lanes>(1) / (Pack<Real, Lanes>(1) + exp(-x));
}

}  // namespace boltzcurve

#pragma once

#include "simd/pack_math.hpp"

namespace boltzcurve {

/// swish h(z) = z s with s = sigmoid(z), and its first three derivatives, from z and s.
template <class P>
struct Swish {
  P z, s;
  KOKKOS_FORCEINLINE_FUNCTION P value() const { return z * s; }
  KOKKOS_FORCEINLINE_FUNCTION P first() const { return s + z * s_prime(); }
  KOKKOS_FORCEINLINE_FUNCTION P second() const { return s_prime() * (P(2) + z * skew()); }
  KOKKOS_FORCEINLINE_FUNCTION P third() const { return s_prime() * (skew() * (P(3) + z * skew()) - P(2) * z * s_prime()); }

 private:
  KOKKOS_FORCEINLINE_FUNCTION P s_prime() const { return s - s * s; }    // s'
  KOKKOS_FORCEINLINE_FUNCTION P skew() const { return P(1) - (s + s); }  // s''/s'
};

}  // namespace boltzcurve

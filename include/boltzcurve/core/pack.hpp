#pragma once

#include <Kokkos_Macros.hpp>

#include <cmath>
#include <cstdint>
#include <type_traits>

namespace boltzcurve {

/// Bytes of one vector register of the machine that this file is compiled for. On GPUs a lane is a thread, so a pack holds one number.
#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__) || defined(KOKKOS_ENABLE_CUDA) || defined(KOKKOS_ENABLE_HIP)
#define BOLTZCURVE_ONE_LANE 1
inline constexpr int vector_bytes = 0;
#elif defined(__AVX512F__)
inline constexpr int vector_bytes = 64;
#elif defined(__AVX__)
inline constexpr int vector_bytes = 32;
#else
inline constexpr int vector_bytes = 16;
#endif

template <class Real>
inline constexpr int pack_lanes = vector_bytes == 0 ? 1 : vector_bytes / static_cast<int>(sizeof(Real));

/// As many numbers as a vector register holds, one per point ("lane = point"), with elementwise arithmetic. Comparisons give a Mask for
/// select(); there are no branches on lanes. Functions of <cmath> have overloads below (exp, log, sqrt, fabs, fmin, fmax), branch-free.
template <class Real, int Lanes = pack_lanes<Real>>
struct Pack {
  using value_type = Real;
  using Integer = std::conditional_t<sizeof(Real) == 4, std::int32_t, std::int64_t>;
  static constexpr int lanes = Lanes;
  // NOLINTNEXTLINE(modernize-use-using): GCC takes the attribute on a dependent type in a typedef only
  typedef Real Vector __attribute__((vector_size(Lanes * sizeof(Real))));
  typedef Integer Mask __attribute__((vector_size(Lanes * sizeof(Real))));

  Vector v;

  Pack() = default;
  KOKKOS_FORCEINLINE_FUNCTION Pack(Vector vector) : v(vector) {}
  template <class Number, std::enable_if_t<std::is_arithmetic_v<Number>, int> = 0>
  KOKKOS_FORCEINLINE_FUNCTION Pack(Number number) : v(static_cast<Real>(number) - Vector{}) {}

  /// Lane i from or to pointer[i]; no alignment is needed.
  KOKKOS_FORCEINLINE_FUNCTION static Pack load(const Real* pointer) {
    Pack pack;
    __builtin_memcpy(&pack.v, pointer, sizeof(Vector));
    return pack;
  }
  KOKKOS_FORCEINLINE_FUNCTION void store(Real* pointer) const { __builtin_memcpy(pointer, &v, sizeof(Vector)); }
  KOKKOS_FORCEINLINE_FUNCTION Real operator[](int lane) const { return v[lane]; }
  KOKKOS_FORCEINLINE_FUNCTION void set(int lane, Real value) { v[lane] = value; }

  KOKKOS_FORCEINLINE_FUNCTION Pack& operator+=(Pack b) { return v += b.v, *this; }
  KOKKOS_FORCEINLINE_FUNCTION Pack& operator-=(Pack b) { return v -= b.v, *this; }
  KOKKOS_FORCEINLINE_FUNCTION Pack& operator*=(Pack b) { return v *= b.v, *this; }
  KOKKOS_FORCEINLINE_FUNCTION Pack& operator/=(Pack b) { return v /= b.v, *this; }
  KOKKOS_FORCEINLINE_FUNCTION friend Pack operator+(Pack a, Pack b) { return a.v + b.v; }
  KOKKOS_FORCEINLINE_FUNCTION friend Pack operator-(Pack a, Pack b) { return a.v - b.v; }
  KOKKOS_FORCEINLINE_FUNCTION friend Pack operator*(Pack a, Pack b) { return a.v * b.v; }
  KOKKOS_FORCEINLINE_FUNCTION friend Pack operator/(Pack a, Pack b) { return a.v / b.v; }
  KOKKOS_FORCEINLINE_FUNCTION friend Pack operator-(Pack a) { return -a.v; }
  KOKKOS_FORCEINLINE_FUNCTION friend Mask operator<(Pack a, Pack b) { return a.v < b.v; }
  KOKKOS_FORCEINLINE_FUNCTION friend Mask operator>(Pack a, Pack b) { return a.v > b.v; }
  KOKKOS_FORCEINLINE_FUNCTION friend Mask operator<=(Pack a, Pack b) { return a.v <= b.v; }
  KOKKOS_FORCEINLINE_FUNCTION friend Mask operator>=(Pack a, Pack b) { return a.v >= b.v; }
  KOKKOS_FORCEINLINE_FUNCTION friend Pack select(Mask condition, Pack a, Pack b) { return condition ? a.v : b.v; }

  KOKKOS_FORCEINLINE_FUNCTION friend Pack fabs(Pack a) { return a.v < Vector{} ? -a.v : a.v; }
  KOKKOS_FORCEINLINE_FUNCTION friend Pack fmin(Pack a, Pack b) { return a.v < b.v ? a.v : b.v; }
  KOKKOS_FORCEINLINE_FUNCTION friend Pack fmax(Pack a, Pack b) { return a.v > b.v ? a.v : b.v; }
};

}  // namespace boltzcurve

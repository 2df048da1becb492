#pragma once

#include <Kokkos_Macros.hpp>

#include <cmath>
#include <cstdint>
#include <type_traits>

namespace boltzcurve {

// Loops over registers: their counters must be known to the compiler. On a GPU, BOLTZCURVE_UNROLL_ON_GPU overlaps loads of several rounds.
#define BOLTZCURVE_PRAGMA(text) _Pragma(#text)
#if defined(__CUDACC__) || defined(__HIPCC__)
#define BOLTZCURVE_UNROLL(count) _Pragma("unroll")
#define BOLTZCURVE_UNROLL_ON_GPU(count) BOLTZCURVE_PRAGMA(unroll count)
#else
#define BOLTZCURVE_UNROLL(count) BOLTZCURVE_PRAGMA(GCC unroll count)
#define BOLTZCURVE_UNROLL_ON_GPU(count)
#endif

/// Bytes of one vector register of the processor that this file is compiled for.
#if defined(__AVX512F__)
inline constexpr int host_vector_bytes = 64;
#elif defined(__AVX__)
inline constexpr int host_vector_bytes = 32;
#else
inline constexpr int host_vector_bytes = 16;
#endif

/// The same of the device that kernels run on. On GPUs a lane is a thread, so a pack holds one number.
#if defined(KOKKOS_ENABLE_CUDA) || defined(KOKKOS_ENABLE_HIP)
#define BOLTZCURVE_ONE_LANE 1
inline constexpr int vector_bytes = 0;
#else
inline constexpr int vector_bytes = host_vector_bytes;
#endif

template <class Real>
inline constexpr int pack_lanes = vector_bytes == 0 ? 1 : vector_bytes / static_cast<int>(sizeof(Real));

/// Who works on neighboring points at once: on the host one thread with the lanes of its packs, on a GPU the threads of a warp, a lane
/// each.
inline constexpr int threads_abreast = vector_bytes == 0 ? 32 : 1;
template <class Real>
inline constexpr int lanes_abreast = threads_abreast* pack_lanes<Real>;

/// The first of the calling thread's own lanes among those.
KOKKOS_FORCEINLINE_FUNCTION int own_lane() {
#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__)
  return static_cast<int>(threadIdx.x);
#else
  return 0;
#endif
}

namespace detail {

#ifdef BOLTZCURVE_ONE_LANE
/// What holds the numbers of a pack: just one.
template <class Real, int Lanes>
struct Register {
  static_assert(Lanes == 1);
  using Vector = Real;
  using Mask = bool;
  using Bits = std::conditional_t<sizeof(Real) == 4, std::int32_t, std::int64_t>;
  using Words = std::make_unsigned_t<Bits>;

  KOKKOS_FORCEINLINE_FUNCTION static Vector convert(Bits integer) { return static_cast<Real>(integer); }
  KOKKOS_FORCEINLINE_FUNCTION static Real lane(const Vector& v, int) { return v; }
  template <class V, class Number>
  KOKKOS_FORCEINLINE_FUNCTION static void set(V& v, int, Number value) {
    v = static_cast<V>(value);
  }
};
#else
/// What holds the numbers of a pack: a vector of GCC's.
template <class Real, int Lanes>
struct Register {
  using Integer = std::conditional_t<sizeof(Real) == 4, std::int32_t, std::int64_t>;
  // NOLINTBEGIN(modernize-use-using): GCC takes the attribute on a dependent type in a typedef only
  typedef Real Vector __attribute__((vector_size(Lanes * sizeof(Real))));
  typedef Integer Mask __attribute__((vector_size(Lanes * sizeof(Real))));
  typedef std::make_unsigned_t<Integer> Words __attribute__((vector_size(Lanes * sizeof(Real))));
  // NOLINTEND(modernize-use-using)
  using Bits = Mask;

  KOKKOS_FORCEINLINE_FUNCTION static Vector convert(Bits integers) { return __builtin_convertvector(integers, Vector); }
  KOKKOS_FORCEINLINE_FUNCTION static Real lane(const Vector& v, int i) { return v[i]; }
  template <class V, class Number>
  KOKKOS_FORCEINLINE_FUNCTION static void set(V& v, int i, Number value) {
    v[i] = value;
  }
};
#endif

}  // namespace detail

/// As many numbers as a vector register holds, one per point ("lane = point"), with elementwise arithmetic. Comparisons give a Mask for
/// select(); there are no branches on lanes. Functions of <cmath> have overloads below (exp, log, sqrt, fabs, fmin, fmax), branch-free.
template <class Real, int Lanes = pack_lanes<Real>>
struct Pack {
  using value_type = Real;
  using Register = detail::Register<Real, Lanes>;
  using Vector = typename Register::Vector;
  using Mask = typename Register::Mask;
  using Bits = typename Register::Bits;  ///< integers as wide as the numbers
  static constexpr int lanes = Lanes;

  Vector v;

  Pack() = default;
  KOKKOS_FORCEINLINE_FUNCTION Pack(Vector vector) : v(vector) {}
  template <class Number, std::enable_if_t<std::is_arithmetic_v<Number>, int> = 0>
  KOKKOS_FORCEINLINE_FUNCTION Pack(Number number) : v(static_cast<Real>(number) - Vector{}) {}

  KOKKOS_FORCEINLINE_FUNCTION static Pack of_integers(Bits integers) { return Register::convert(integers); }

  /// Lane i from or to pointer[i]; no alignment is needed.
  KOKKOS_FORCEINLINE_FUNCTION static Pack load(const Real* pointer) {
    Pack pack;
    __builtin_memcpy(&pack.v, pointer, sizeof(Vector));
    return pack;
  }
  KOKKOS_FORCEINLINE_FUNCTION void store(Real* pointer) const { __builtin_memcpy(pointer, &v, sizeof(Vector)); }
  KOKKOS_FORCEINLINE_FUNCTION Real operator[](int lane) const { return Register::lane(v, lane); }
  KOKKOS_FORCEINLINE_FUNCTION void set(int lane, Real value) { Register::set(v, lane, value); }

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

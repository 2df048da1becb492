#pragma once

#include "simd/pack.hpp"

#include <cstddef>
#include <utility>

/// Movements of numbers between lanes: of several packs, as trees of two-operand shuffles, or on a GPU of the threads of a warp.
namespace boltzcurve {

#ifndef BOLTZCURVE_ONE_LANE

namespace detail {

/// One level of the tree of add_lane_sums: a and b hold Groups sums each, spread over neighboring lanes; the result holds both, half as
/// wide.
template <int Groups, class P, std::size_t... J>
KOKKOS_FORCEINLINE_FUNCTION P fold(P a, P b, std::index_sequence<J...>) {
  constexpr int L = P::lanes, wide = L / Groups, narrow = wide / 2;
  constexpr auto source = [](int lane, int half) {
    const int group = lane / narrow;
    return (group < Groups ? 0 : L) + (group % Groups) * wide + lane % narrow + half * narrow;
  };
  return P(__builtin_shufflevector(a.v, b.v, source(J, 0)...)) + P(__builtin_shufflevector(a.v, b.v, source(J, 1)...));
}

template <int Groups, int Count, class P>
KOKKOS_FORCEINLINE_FUNCTION void fold_all(P* rows) {
  if constexpr (Groups < P::lanes) {
    BOLTZCURVE_UNROLL(16)
    for (std::ptrdiff_t k = 0; k < Count / 2; ++k)
      rows[k] = fold<Groups>(rows[2 * k], rows[2 * k + 1], std::make_index_sequence<P::lanes>());
    fold_all<2 * Groups, Count / 2>(rows);
  }
}

/// Swaps the off-diagonal blocks of all 2 x 2 blocks of Size x Size numbers: one level of the transposition.
template <int Size, class P, std::size_t... J>
KOKKOS_FORCEINLINE_FUNCTION void swap_blocks(P* rows, std::index_sequence<J...>) {
  constexpr int L = P::lanes;
  constexpr auto upper = [](int lane) { return lane & Size ? L + lane - Size : lane; };
  constexpr auto lower = [](int lane) { return lane & Size ? L + lane : lane + Size; };
  BOLTZCURVE_UNROLL(16)
  for (int i = 0; i < L; ++i) {
    if (i & Size) continue;
    const P a = rows[i], b = rows[i + Size];
    rows[i] = P(__builtin_shufflevector(a.v, b.v, upper(J)...));
    rows[i + Size] = P(__builtin_shufflevector(a.v, b.v, lower(J)...));
  }
}

}  // namespace detail

/// out[k] += (sum over all lanes abreast of rows[k]) for k < Count, a multiple of the lanes: 3 instructions a row. Overwrites rows.
template <int Count, class Real>
KOKKOS_FORCEINLINE_FUNCTION void add_lane_sums(Pack<Real>* rows, Real* out) {
  using P = Pack<Real>;
  static_assert(Count % P::lanes == 0);
  detail::fold_all<1, Count>(rows);
  BOLTZCURVE_UNROLL(16)
  for (int k = 0; k < Count / P::lanes; ++k) (P::load(out + k * P::lanes) + rows[k]).store(out + k * P::lanes);
}

/// Lane j of rows[i] becomes lane i of rows[j], for as many rows as a pack has lanes.
template <int Size = 1, class P>
KOKKOS_FORCEINLINE_FUNCTION void transpose(P* rows) {
  if constexpr (Size < P::lanes) {
    detail::swap_blocks<Size>(rows, std::make_index_sequence<P::lanes>());
    transpose<2 * Size>(rows);
  }
}

/// rows, one after another, to `out`.
template <int Count, class Real>
KOKKOS_FORCEINLINE_FUNCTION void store_rows(const Pack<Real>* rows, Real* out) {
  BOLTZCURVE_UNROLL(16)
  for (int k = 0; k < Count; ++k) rows[k].store(out + k * Pack<Real>::lanes);
}

#else

/// What the thread whose number differs in the bit `partner` has in `value`.
template <class Real>
KOKKOS_FORCEINLINE_FUNCTION Real from_partner(Real value, int partner) {
#if defined(__CUDA_ARCH__)
  return __shfl_xor_sync(0xffffffffu, value, partner, threads_abreast);
#elif defined(__HIP_DEVICE_COMPILE__)
  return __shfl_xor(value, partner, threads_abreast);
#else
  return partner == 0 ? value : Real(0);
#endif
}

/// The same for a power of two of rows: in each round a thread hands half of its rows to its partner and takes over what the partner has of
/// the other half. All threads of the warp take part.
template <int Count, class Real>
KOKKOS_FORCEINLINE_FUNCTION void add_lane_sums(Pack<Real>* rows, Real* out) {
#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__)
  static_assert((Count & (Count - 1)) == 0 && Count <= threads_abreast);
  const int lane = own_lane();
  int partner = threads_abreast / 2;
  BOLTZCURVE_UNROLL(5)
  for (int half = Count / 2; half > 0; half /= 2, partner /= 2) {
    const bool upper = (lane & partner) != 0;
    BOLTZCURVE_UNROLL(16)
    for (int k = 0; k < half; ++k) {
      const Real given = upper ? rows[k].v : rows[k + half].v;
      rows[k].v = (upper ? rows[k + half].v : rows[k].v) + from_partner(given, partner);
    }
  }
  constexpr int sharers = threads_abreast / Count;
  BOLTZCURVE_UNROLL(5)
  for (; partner > 0; partner /= 2) rows[0].v += from_partner(rows[0].v, partner);
  if (lane % sharers == 0) out[lane / sharers] += rows[0].v;
#else
  for (int k = 0; k < Count; ++k) out[k] += rows[k].v;
#endif
}

/// A thread has one lane only, which stays where it is.
template <class P>
KOKKOS_FORCEINLINE_FUNCTION void transpose(P*) {}

/// The thread's own numbers, side by side, to `out`, 16 bytes at a time, to which it must be aligned.
template <int Count, class Real>
KOKKOS_FORCEINLINE_FUNCTION void store_rows(const Pack<Real>* rows, Real* out) {
  constexpr int in_word = 16 / static_cast<int>(sizeof(Real));
  struct alignas(16) Word {
    Real numbers[in_word];
  };
  BOLTZCURVE_UNROLL(16)
  for (int k = 0; k < Count / in_word; ++k) {
    Word word;
    BOLTZCURVE_UNROLL(4)
    for (int i = 0; i < in_word; ++i) word.numbers[i] = rows[k * in_word + i].v;
    reinterpret_cast<Word*>(out)[k] = word;
  }
}

#endif

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/core/pack.hpp>

#include <cstddef>
#include <utility>

/// Movements of numbers between the lanes of several packs, as trees of two-operand shuffles.
namespace boltzcurve {

namespace detail {

/// One level of the tree of add_lane_sums: a and b hold Groups sums each, spread over neighbouring lanes; the result holds both, half as
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
#pragma GCC unroll 16
    for (int k = 0; k < Count / 2; ++k) rows[k] = fold<Groups>(rows[2 * k], rows[2 * k + 1], std::make_index_sequence<P::lanes>());
    fold_all<2 * Groups, Count / 2>(rows);
  }
}

/// Swaps the off-diagonal blocks of all 2 x 2 blocks of Size x Size numbers: one level of the transposition.
template <int Size, class P, std::size_t... J>
KOKKOS_FORCEINLINE_FUNCTION void swap_blocks(P* rows, std::index_sequence<J...>) {
  constexpr int L = P::lanes;
  constexpr auto upper = [](int lane) { return lane & Size ? L + lane - Size : lane; };
  constexpr auto lower = [](int lane) { return lane & Size ? L + lane : lane + Size; };
#pragma GCC unroll 16
  for (int i = 0; i < L; ++i) {
    if (i & Size) continue;
    const P a = rows[i], b = rows[i + Size];
    rows[i] = P(__builtin_shufflevector(a.v, b.v, upper(J)...));
    rows[i + Size] = P(__builtin_shufflevector(a.v, b.v, lower(J)...));
  }
}

}  // namespace detail

/// out[k] += (sum of the lanes of rows[k]) for k < Count, a multiple of the lanes: 3 instructions a row. Overwrites rows.
template <int Count, class Real>
KOKKOS_FORCEINLINE_FUNCTION void add_lane_sums(Pack<Real>* rows, Real* out) {
  using P = Pack<Real>;
  static_assert(Count % P::lanes == 0);
  detail::fold_all<1, Count>(rows);
#pragma GCC unroll 16
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

}  // namespace boltzcurve

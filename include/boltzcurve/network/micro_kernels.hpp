#pragma once

#include <boltzcurve/core/pack_math.hpp>
#include <boltzcurve/core/pack_shuffle.hpp>
#include <boltzcurve/network/packed_mlp.hpp>

#include <cstdint>
#include <type_traits>

/// The innermost loops of the products: one register block each, every operand in a cache, every number that is broadcast used for all
/// columns of the block.
namespace boltzcurve {

/// Walks through `count` columns in blocks as wide as registers allow, and never leaves one of width 1 where two of width 2 will do:
/// body(first column, std::integral_constant<int, width of the block>).
template <class Body>
KOKKOS_FORCEINLINE_FUNCTION void for_column_blocks(int count, const Body& body) {
  int first = 0;
  if constexpr (RegisterBlock::columns == 3)
    for (; count - first == 3 || count - first > 4; first += 3) body(first, std::integral_constant<int, 3>());
  for (; count - first >= 2; first += 2) body(first, std::integral_constant<int, 2>());
  if (count > first) body(first, std::integral_constant<int, 1>());
}

/// out = weights^T [R][inner] * in [inner][Columns] for R = RegisterBlock::neurons rows of weights, stored [inner][R]: lanes are points, a
/// weight is broadcast once for all columns. Column j is the vectors in[j] + i * row, i < inner, its result out[j] + r * row. The first
/// `biased` columns start from bias [R], the others from 0.
template <int Columns, class Real>
KOKKOS_FORCEINLINE_FUNCTION void multiply_block(const Real* weights, const Real* const (&in)[Columns], int inner, std::int64_t row,
                                                const Real* bias, int biased, Real* const (&out)[Columns]) {
  using P = Pack<Real>;
  constexpr int R = RegisterBlock::neurons;
  P sum[R][Columns];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < Columns; ++j) sum[r][j] = j < biased ? P(bias[r]) : P(0);
  for (int i = 0; i < inner; ++i) {
    P h[Columns];
#pragma GCC unroll 4
    for (int j = 0; j < Columns; ++j) h[j] = P::load(in[j] + i * row);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const P w = weights[i * R + r];
#pragma GCC unroll 4
      for (int j = 0; j < Columns; ++j) sum[r][j] += w * h[j];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < Columns; ++j) sum[r][j].store(out[j] + r * row);
}

/// gradient [R][Columns vectors] += sum over `channels` panels and their B points of rows [R][B] * columns [B][Columns], R =
/// RegisterBlock::neurons: lanes are neurons, a point's adjoint is broadcast. Panels of rows lie `rows_stride` apart; column j is the slab
/// columns + j * slab_stride, [channels][B] vectors; lines of the gradient are `width` apart.
template <int Columns, int B, class Real>
KOKKOS_FORCEINLINE_FUNCTION void add_outer_products(const Real* rows, std::int64_t rows_stride, const Real* columns,
                                                    std::int64_t slab_stride, int channels, Real* gradient, int width) {
  using P = Pack<Real>;
  constexpr int R = RegisterBlock::neurons;
  P sum[R][Columns];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < Columns; ++j) sum[r][j] = P(0);
  for (int channel = 0; channel < channels; ++channel, rows += rows_stride, columns += B * P::lanes)
    for (int p = 0; p < B; ++p) {
      P h[Columns];
#pragma GCC unroll 4
      for (int j = 0; j < Columns; ++j) h[j] = P::load(columns + j * slab_stride + p * P::lanes);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const P z = rows[r * B + p];
#pragma GCC unroll 4
        for (int j = 0; j < Columns; ++j) sum[r][j] += z * h[j];
      }
    }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < Columns; ++j) {
      Real* const place = gradient + std::int64_t{r} * width + j * P::lanes;
      (P::load(place) + sum[r][j]).store(place);
    }
}

}  // namespace boltzcurve

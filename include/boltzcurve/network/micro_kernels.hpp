#pragma once

#include <boltzcurve/core/pack_math.hpp>
#include <boltzcurve/core/pack_shuffle.hpp>
#include <boltzcurve/network/packed_mlp.hpp>

/// The innermost loops of the products: one register block each, every operand in a cache, every load used at least twice.
namespace boltzcurve {

/// out [R][B] = weights^T [R][inner] * panel [inner][B] (+ bias [R] where given), with weights stored [inner][R]: lanes are points, a
/// weight is broadcast once for all B of them.
template <class Real, int Packs>
KOKKOS_FORCEINLINE_FUNCTION void multiply_block(const Real* weights, const Real* panel, int inner, const Real* bias, Real* out) {
  using P = Pack<Real>;
  using Block = RegisterBlock<Real, Packs>;
  constexpr int R = Block::neurons, B = Block::points;
  P sum[R][Packs];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    const P start = bias ? P(bias[r]) : P(0);
#pragma GCC unroll 2
    for (int j = 0; j < Packs; ++j) sum[r][j] = start;
  }
  for (int i = 0; i < inner; ++i) {
    P h[Packs];
#pragma GCC unroll 2
    for (int j = 0; j < Packs; ++j) h[j] = P::load(panel + i * B + j * P::lanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const P w = weights[i * R + r];
#pragma GCC unroll 2
      for (int j = 0; j < Packs; ++j) sum[r][j] += w * h[j];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int j = 0; j < Packs; ++j) sum[r][j].store(out + r * B + j * P::lanes);
}

/// gradient [R][C] += sum over `channels` panels and their B points of rows [R][B] * columns [B][C], R = RegisterBlock<Real,
/// Packs>::neurons and C = Packs vectors of neurons: lanes are neurons, a point's adjoint is broadcast. Panels of rows lie `rows_stride`
/// apart, those of columns follow each other; lines of the gradient are `width` apart.
template <class Real, int Packs, int B>
KOKKOS_FORCEINLINE_FUNCTION void add_outer_products(const Real* rows, std::int64_t rows_stride, const Real* columns, int channels,
                                                    Real* gradient, int width) {
  using P = Pack<Real>;
  constexpr int R = RegisterBlock<Real, Packs>::neurons, C = Packs * P::lanes;
  P sum[R][Packs];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int j = 0; j < Packs; ++j) sum[r][j] = P(0);
  for (int channel = 0; channel < channels; ++channel, rows += rows_stride, columns += B * C)
    for (int p = 0; p < B; ++p) {
      P h[Packs];
#pragma GCC unroll 2
      for (int j = 0; j < Packs; ++j) h[j] = P::load(columns + p * C + j * P::lanes);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const P z = rows[r * B + p];
#pragma GCC unroll 2
        for (int j = 0; j < Packs; ++j) sum[r][j] += z * h[j];
      }
    }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int j = 0; j < Packs; ++j) {
      Real* const place = gradient + std::int64_t{r} * width + j * P::lanes;
      (P::load(place) + sum[r][j]).store(place);
    }
}

}  // namespace boltzcurve

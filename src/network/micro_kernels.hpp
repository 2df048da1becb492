#pragma once

#include "network/mlp_layout.hpp"
#include "simd/pack_math.hpp"
#include "simd/pack_shuffle.hpp"

#include <cstdint>
#include <type_traits>

/// The innermost loops of the products: one register block each, every operand in a cache, every number that is broadcast used for all
/// columns of the block.
namespace boltzcurve {

/// body(first, std::integral_constant<int, width>) with `width` known to the compiler, from 1 to Most.
template <int Most, class Body>
KOKKOS_FORCEINLINE_FUNCTION void with_constant_width(int width, int first, const Body& body) {
  if constexpr (Most > 1)
    if (width < Most) return with_constant_width<Most - 1>(width, first, body);
  body(first, std::integral_constant<int, Most>());
}

/// Walks through `count` columns in as few blocks as registers allow, as equal in width as can be: body(first column,
/// std::integral_constant<int, width of the block>).
template <class Real, class Body>
KOKKOS_FORCEINLINE_FUNCTION void for_column_blocks(int count, const Body& body) {
  constexpr int most = RegisterBlock::columns<Real>;
  int first = 0;
  for (int blocks = (count + most - 1) / most; blocks > 0; --blocks) {
    const int width = (count - first + blocks - 1) / blocks;
    with_constant_width<most>(width, first, body);
    first += width;
  }
}

/// Neighboring numbers that all lanes use: on the host each is broadcast where it is used, on a GPU they are loaded 16 bytes at a time, to
/// which `from` must be aligned.
template <int Count, class Real>
class Broadcast {
 public:
#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__)
  KOKKOS_FORCEINLINE_FUNCTION explicit Broadcast(const Real* from) {
    static_assert(Count % Words::count == 0);
    BOLTZCURVE_UNROLL(16)
    for (int k = 0; k < Count / Words::count; ++k) words_[k] = reinterpret_cast<const Words*>(from)[k];
  }
  KOKKOS_FORCEINLINE_FUNCTION Real operator[](int k) const { return words_[k / Words::count].numbers[k % Words::count]; }

 private:
  struct alignas(16) Words {
    static constexpr int count = 16 / static_cast<int>(sizeof(Real));
    Real numbers[count];
  };
  Words words_[Count / Words::count];
#else
  KOKKOS_FORCEINLINE_FUNCTION explicit Broadcast(const Real* from) : from_(from) {}
  KOKKOS_FORCEINLINE_FUNCTION Real operator[](int k) const { return from_[k]; }

 private:
  const Real* from_;
#endif
};

/// The pack itself, in a register from here on: GCC would load it anew for every multiply-add that it is a part of, which on AVX2 are more
/// loads than the processor does in the time.
template <class P>
KOKKOS_FORCEINLINE_FUNCTION P in_register(P pack) {
#if defined(__x86_64__) && !defined(BOLTZCURVE_ONE_LANE)
  asm("" : "+v"(pack.v));
#endif
  return pack;
}

/// out = weights^T [R][inner] * in [inner][Columns] for R = RegisterBlock::neurons rows of weights, stored [inner][R] and `line` apart:
/// lanes are points, a weight is broadcast once for all columns. Column j is the vectors in[j] + i * row, i < inner, its result out[j] + r
/// * out_row. The first `biased` columns start from bias [R], the others from 0.
template <int Columns, class Real>
KOKKOS_FORCEINLINE_FUNCTION void multiply_block(const Real* weights, int line, const Real* const (&in)[Columns], int inner,
                                                std::int64_t row, const Real* bias, int biased, Real* const (&out)[Columns],
                                                std::int64_t out_row) {
  using P = Pack<Real>;
  constexpr int R = RegisterBlock::neurons;
  P sum[R][Columns];
  BOLTZCURVE_UNROLL(16)
  for (int r = 0; r < R; ++r) BOLTZCURVE_UNROLL(8)
  for (int j = 0; j < Columns; ++j) sum[r][j] = j < biased ? P(bias[r]) : P(0);
  BOLTZCURVE_UNROLL_ON_GPU(4)
  for (int i = 0; i < inner; ++i) {
    const Broadcast<R, Real> weight(weights + i * line);
    P h[Columns];
    BOLTZCURVE_UNROLL(8)
    for (int j = 0; j < Columns; ++j) h[j] = in_register(P::load(in[j] + i * row));
    BOLTZCURVE_UNROLL(16)
    for (int r = 0; r < R; ++r) {
      const P w = weight[r];
      BOLTZCURVE_UNROLL(8)
      for (int j = 0; j < Columns; ++j) sum[r][j] += w * h[j];
    }
  }
  BOLTZCURVE_UNROLL(16)
  for (int r = 0; r < R; ++r) BOLTZCURVE_UNROLL(8)
  for (int j = 0; j < Columns; ++j) sum[r][j].store(out[j] + r * out_row);
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
  BOLTZCURVE_UNROLL(16)
  for (int r = 0; r < R; ++r) BOLTZCURVE_UNROLL(8)
  for (int j = 0; j < Columns; ++j) sum[r][j] = P(0);
  constexpr int group = threads_abreast == 1 ? 1 : 4;  // points at a time: as many as a broadcast loads at once
  for (int channel = 0; channel < channels; ++channel, rows += rows_stride, columns += B * lanes_abreast<Real>)
    for (int p = 0; p < B; p += group) {
      P h[group][Columns];
      BOLTZCURVE_UNROLL(4)
      for (int q = 0; q < group; ++q) BOLTZCURVE_UNROLL(8)
      for (int j = 0; j < Columns; ++j) h[q][j] = in_register(P::load(columns + j * slab_stride + (p + q) * lanes_abreast<Real>));
      BOLTZCURVE_UNROLL(16)
      for (int r = 0; r < R; ++r) {
        const Broadcast<group, Real> z(rows + r * B + p);
        BOLTZCURVE_UNROLL(4)
        for (int q = 0; q < group; ++q) BOLTZCURVE_UNROLL(8)
        for (int j = 0; j < Columns; ++j) sum[r][j] += P(z[q]) * h[q][j];
      }
    }
  BOLTZCURVE_UNROLL(16)
  for (int r = 0; r < R; ++r) BOLTZCURVE_UNROLL(8)
  for (int j = 0; j < Columns; ++j) {
    Real* const place = gradient + std::int64_t{r} * width + j * lanes_abreast<Real>;
    (P::load(place) + sum[r][j]).store(place);
  }
}

}  // namespace boltzcurve

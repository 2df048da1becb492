#pragma once

#include "network/network.hpp"
#include "simd/pack.hpp"

#include <Kokkos_Core.hpp>

#include <cstdint>

namespace boltzcurve {

/// The register block of all products: sums of `neurons` rows by up to `columns` vectors stay in registers, with room left for the vectors
/// that are loaded and a weight that is broadcast. On CPUs three columns a broadcast keep the load units below two thirds of what they can
/// do; on GPUs 5 vectors and 16 weights are loaded for 80 multiply-adds.
struct RegisterBlock {
#if defined(BOLTZCURVE_ONE_LANE)
  static constexpr int neurons = 16;
  template <class Real>
  static constexpr int columns = sizeof(Real) == 4 ? 5 : 2;  // 80 or 64 of the 128 registers that a thread gets
#elif defined(__AVX512F__) || defined(__aarch64__)
  static constexpr int neurons = 8;
  template <class Real>
  static constexpr int columns = 3;  // 24 of 32 registers
#else
  static constexpr int neurons = 4;
  template <class Real>
  static constexpr int columns = 2;  // 8 of 16
#endif
};

/// Neurons that pass through the activation together.
inline constexpr int chunk_neurons = 16;
/// Widths are padded with zeros to a multiple of this: of a chunk, and of the lanes that work abreast.
inline constexpr int width_granule = lanes_abreast<float> > chunk_neurons ? lanes_abreast<float> : chunk_neurons;
static_assert(chunk_neurons % RegisterBlock::neurons == 0 && chunk_neurons % pack_lanes<float> == 0);

/// Where the parts of a multilayer perceptron lie in memory, in the order in which the tile kernel reads them.
///
///   weights      first        [inputs][W]      column by column: neighboring neurons are neighbors in memory
///                first bias   [W]
///                forward l    [W/R][W][R]      for z = W h: R outputs x all inputs, an input's R weights side by side      l = 1..L-1
///                backward l   [W/R][W][R]      the same for h-bar = W^T z-bar
///                bias l       [W]
///                output       [outputs][W], then their biases [outputs]
///
///   gradient     first        [inputs][W]
///                first bias   [W]
///                hidden l     [W][W]           row by row                                                                  l = 1..L-1
///                bias l       [W]
///                output       [outputs][W], then their biases [outputs]
///
/// W is the width rounded up to a multiple of width_granule, R the register block's neurons; padded entries are zero and their gradients
/// are ignored.
struct MlpLayout {
  NetworkShape shape;
  int padded_width;  ///< W

  KOKKOS_INLINE_FUNCTION explicit MlpLayout(const NetworkShape& network)
      : shape(network), padded_width((network.width + width_granule - 1) / width_granule * width_granule) {}

  KOKKOS_INLINE_FUNCTION std::int64_t square() const { return std::int64_t{padded_width} * padded_width; }

  KOKKOS_INLINE_FUNCTION std::int64_t first_bias() const { return std::int64_t{shape.inputs} * padded_width; }
  KOKKOS_INLINE_FUNCTION std::int64_t after_first() const { return first_bias() + padded_width; }

  KOKKOS_INLINE_FUNCTION std::int64_t forward(int layer) const { return after_first() + (layer - 1) * (2 * square() + padded_width); }
  KOKKOS_INLINE_FUNCTION std::int64_t backward(int layer) const { return forward(layer) + square(); }
  KOKKOS_INLINE_FUNCTION std::int64_t bias(int layer) const { return layer == 0 ? first_bias() : forward(layer) + 2 * square(); }
  KOKKOS_INLINE_FUNCTION std::int64_t output(int k = 0) const { return forward(shape.hidden_layers) + std::int64_t{k} * padded_width; }
  KOKKOS_INLINE_FUNCTION std::int64_t output_bias() const { return output(shape.outputs); }
  KOKKOS_INLINE_FUNCTION std::int64_t weights_size() const { return output_bias() + shape.outputs; }

  /// Position within forward(l) of the weight from `input` to `output`; within backward(l) with the two exchanged.
  KOKKOS_INLINE_FUNCTION std::int64_t blocked(int output, int input) const {
    constexpr int R = RegisterBlock::neurons;
    return (std::int64_t{output / R} * padded_width + input) * R + output % R;
  }

  KOKKOS_INLINE_FUNCTION std::int64_t hidden_gradient(int layer) const { return after_first() + (layer - 1) * (square() + padded_width); }
  KOKKOS_INLINE_FUNCTION std::int64_t bias_gradient(int layer) const {
    return layer == 0 ? first_bias() : hidden_gradient(layer) + square();
  }
  KOKKOS_INLINE_FUNCTION std::int64_t output_gradient(int k = 0) const {
    return hidden_gradient(shape.hidden_layers) + std::int64_t{k} * padded_width;
  }
  KOKKOS_INLINE_FUNCTION std::int64_t output_bias_gradient() const { return output_gradient(shape.outputs); }
  /// Rounded up so that whatever follows in an array can be read in full vectors.
  KOKKOS_INLINE_FUNCTION std::int64_t gradient_size() const { return (output_bias_gradient() + shape.outputs + 15) / 16 * 16; }

  /// Position in the packed gradient of entry (row, column) of tensor number `tensor` of parameter_tensors().
  KOKKOS_INLINE_FUNCTION std::int64_t gradient_index(int tensor, int row, int column) const {
    const int layer = tensor / 2;
    const bool is_bias = tensor % 2 == 1;
    if (layer == shape.hidden_layers) return is_bias ? output_bias_gradient() + row : output_gradient(row) + column;
    if (is_bias) return bias_gradient(layer) + row;
    if (layer == 0) return std::int64_t{column} * padded_width + row;
    return hidden_gradient(layer) + std::int64_t{row} * padded_width + column;
  }
};

/// Fills `packed` [weights_size] from the flat parameters [parameter_count]; runs on the device.
template <class Real>
void pack_weights(const MlpLayout& layout, Kokkos::View<const double*> parameters, Kokkos::View<Real*> packed);

extern template void pack_weights<float>(const MlpLayout&, Kokkos::View<const double*>, Kokkos::View<float*>);
extern template void pack_weights<double>(const MlpLayout&, Kokkos::View<const double*>, Kokkos::View<double*>);

}  // namespace boltzcurve

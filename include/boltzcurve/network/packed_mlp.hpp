#pragma once

#include <boltzcurve/network/mlp.hpp>

#include <Kokkos_Core.hpp>

#include <cstdint>

namespace boltzcurve {

/// Outputs whose sums one micro-kernel call keeps in registers; neurons are padded with zeros to a multiple of it.
inline constexpr int block_neurons = 8;

/// Where the parts of a network lie in memory, in the order in which the tile kernel reads them.
///
///   weights      first        [inputs][W]      column by column: neighbouring neurons are neighbours in memory
///                first bias   [W]
///                forward l    [W/8][W][8]      for z = W h: 8 outputs x all inputs, an input's 8 weights side by side      l = 1..L-1
///                backward l   [W/8][W][8]      the same for h-bar = W^T z-bar
///                bias l       [W]
///                output       [W], then its bias [1]
///
///   gradient     first        [inputs][W]
///                first bias   [W]
///                hidden l     [W/8][W/2][2][8] sums over points: 8 outputs x 2 inputs come out of one micro-kernel call     l = 1..L-1
///                bias l       [W]
///                output       [W], then its bias [1]
///
/// W is the width rounded up to a multiple of 8; padded entries are zero and their gradients are ignored.
struct PackedLayout {
  MlpShape shape;
  int padded_width;

  explicit PackedLayout(const MlpShape& network = {})
      : shape(network), padded_width((network.width + block_neurons - 1) / block_neurons * block_neurons) {}

  KOKKOS_INLINE_FUNCTION std::int64_t square() const { return std::int64_t{padded_width} * padded_width; }

  KOKKOS_INLINE_FUNCTION std::int64_t first_bias() const { return std::int64_t{shape.inputs} * padded_width; }
  KOKKOS_INLINE_FUNCTION std::int64_t after_first() const { return first_bias() + padded_width; }

  KOKKOS_INLINE_FUNCTION std::int64_t forward(int layer) const { return after_first() + (layer - 1) * (2 * square() + padded_width); }
  KOKKOS_INLINE_FUNCTION std::int64_t backward(int layer) const { return forward(layer) + square(); }
  KOKKOS_INLINE_FUNCTION std::int64_t bias(int layer) const { return forward(layer) + 2 * square(); }
  KOKKOS_INLINE_FUNCTION std::int64_t output() const { return forward(shape.hidden_layers); }
  KOKKOS_INLINE_FUNCTION std::int64_t output_bias() const { return output() + padded_width; }
  KOKKOS_INLINE_FUNCTION std::int64_t weights_size() const { return output_bias() + 1; }

  KOKKOS_INLINE_FUNCTION std::int64_t hidden_gradient(int layer) const { return after_first() + (layer - 1) * (square() + padded_width); }
  KOKKOS_INLINE_FUNCTION std::int64_t bias_gradient(int layer) const { return hidden_gradient(layer) + square(); }
  KOKKOS_INLINE_FUNCTION std::int64_t output_gradient() const { return hidden_gradient(shape.hidden_layers); }
  KOKKOS_INLINE_FUNCTION std::int64_t output_bias_gradient() const { return output_gradient() + padded_width; }
  KOKKOS_INLINE_FUNCTION std::int64_t gradient_size() const { return output_bias_gradient() + 1; }
  /// Rounded up so that whatever follows in an array can be read in full vectors.
  KOKKOS_INLINE_FUNCTION std::int64_t padded_gradient_size() const { return (gradient_size() + 15) / 16 * 16; }

  /// Position in the packed gradient of entry (row, column) of tensor number `tensor` of parameter_tensors().
  KOKKOS_INLINE_FUNCTION std::int64_t gradient_index(int tensor, int row, int column) const {
    const int layer = tensor / 2;
    const bool is_bias = tensor % 2 == 1;
    if (layer == 0) return is_bias ? first_bias() + row : std::int64_t{column} * padded_width + row;
    if (layer == shape.hidden_layers) return is_bias ? output_bias_gradient() : output_gradient() + column;
    if (is_bias) return bias_gradient(layer) + row;
    const std::int64_t block = std::int64_t{row / block_neurons} * (padded_width / 2) + column / 2;
    return hidden_gradient(layer) + block * (2 * block_neurons) + (column % 2) * block_neurons + row % block_neurons;
  }
};

/// Fills `packed` [weights_size] from the flat parameters [parameter_count]; runs on the device.
template <class Real>
void pack_weights(const PackedLayout& layout, Kokkos::View<const double*> parameters, Kokkos::View<Real*> packed);

extern template void pack_weights<float>(const PackedLayout&, Kokkos::View<const double*>, Kokkos::View<float*>);
extern template void pack_weights<double>(const PackedLayout&, Kokkos::View<const double*>, Kokkos::View<double*>);

}  // namespace boltzcurve

#pragma once

#include "network/mlp_gradient_tile.hpp"
#include "network/mlp_layout.hpp"
#include "network/mlp_tile.hpp"

namespace boltzcurve {

/// Multilayer perceptron: z_0 = W_0 x + b_0, z_l = W_l swish(z_(l-1)) + b_l, output W_L swish(z_(L-1)) + b_L.
template <>
struct NetworkOf<NetworkKind::mlp> {
  using Layout = MlpLayout;
  template <class Real, int Packs>
  using Tile = MlpTile<Real, Packs>;
  template <class Real, int Packs>
  using GradientTile = MlpGradientTile<Real, Packs>;

  /// "layer0/weight", "layer0/bias", ...
  static std::vector<ParameterTensor> tensors(const NetworkShape& shape);
  static std::vector<double> initial_parameters(const NetworkShape& shape, std::uint64_t seed, std::uint64_t network,
                                                FirstLayer first_layer);
  template <class Real>
  static void pack(const NetworkShape& shape, Kokkos::View<const double*> parameters, Kokkos::View<Real*> packed) {
    pack_weights<Real>(MlpLayout(shape), parameters, packed);
  }
};

}  // namespace boltzcurve

#pragma once

#include "network/channels.hpp"
#include "network/network.hpp"

#include <Kokkos_Core.hpp>

#include <concepts>
#include <cstdint>
#include <vector>

namespace boltzcurve {

using TeamMember = Kokkos::TeamPolicy<>::member_type;

/// What a network is given of a tile of B points (Packs vectors, see network/mlp_tile.hpp). Nothing is owned.
template <class Real>
struct TileArguments {
  NetworkShape shape;
  Channels channels;        ///< what travels forward
  bool with_backward;       ///< whether the memory has room for the way back
  const Real* weights;      ///< packed, [Layout::weights_size()]
  const Real* input_scale;  ///< [inputs] derivative of input k by the coordinate behind it
  const Real* inputs;       ///< [inputs][B]
  const Real *a, *b;        ///< [B] each, of the second-order channel
  Real* memory;             ///< [Tile::memory_size()]
};

/// The same for reverse mode.
template <class Real>
struct GradientTileArguments {
  NetworkShape shape;
  const Real* weights;    ///< packed, [Layout::weights_size()]
  const Real* inputs;     ///< [inputs][B]
  const Real* direction;  ///< [inputs][B] e, not looked at before tangent_gradient()
  Real* memory;           ///< [GradientTile::memory_size()]
};

/// The model behind a kind of network: specialised in a file of its own in src/network/models, static functions and types only.
template <NetworkKind kind>
struct NetworkOf;

/// What the fused kernels ask of a network model f(x; theta), R^inputs to R^outputs, whose last input is the clock.
///
/// On the host:
///     tensors(shape)                                       its parameters theta, named, as parts of one flat array
///     initial_parameters(shape, seed, network, first)      where training starts, f = 0
///     Layout(shape)                                        how theta and its gradient are packed for the tile: .padded_width of its widest
///                                                          layer, .weights_size(), .gradient_size() (whole vectors),
///                                                          .gradient_index(tensor, row, column), increasing from one tensor to the next
///     pack(shape, parameters, packed)                      theta into what Layout says, on the device
///
/// On a tile of B points, by a team (collective: every thread of the team makes the call, and results are there for all of them after it).
/// Channels (network/channels.hpp) choose the derivatives: by the first `space` inputs, and the operator a d/ds + b Laplacian.
///     Tile::memory_size(shape, channels, with_backward, threads)    numbers of scratch
///     Tile(arguments).forward(member, results)                      results [channels.results()][B]
///     Tile(arguments).backward(member, seeds, gradient)             after forward(): gradient += d sum(seeds * results) / d theta, for
///                                                                   seeds [channels.results()][B]; gradient [Layout::gradient_size()]
///
/// In the same way, of a network of one output, by reverse mode, whose cost does not depend on the number of inputs:
///     GradientTile::memory_size(shape, threads)                     numbers of scratch
///     GradientTile(arguments).value_and_slopes(member, value, out)  value [B], and out [inputs][B] = d value / d inputs
///     GradientTile(arguments).tangent_gradient(member, gradient)    after value_and_slopes(), with the same memory: gradient += d t / d
///     theta,
///                                                                   t the sum over points of the tangents sum_k e_k d value / d input_k
///
/// A residual needs a Tile. Matching of grad f with a vector G needs a GradientTile: with e = d loss / d(grad f) frozen, the loss's
/// gradient by theta is that of <grad f, e>.
template <class Model, class Layout = typename Model::Layout, class Tile = typename Model::template Tile<float, 1>,
          class GradientTile = typename Model::template GradientTile<float, 1>>
concept Network = std::constructible_from<Layout, const NetworkShape&> && std::constructible_from < Tile,
        const TileArguments<float>
& > &&requires(const NetworkShape& shape, const Channels& channels, std::uint64_t seed, Kokkos::View<const double*> parameters,
               Kokkos::View<float*> packed, const Layout& layout, const Tile& tile, const GradientTile& gradient_tile,
               const TeamMember& member, const float* seeds, float* out) {
  { Model::tensors(shape) } -> std::same_as<std::vector<ParameterTensor>>;
  { Model::initial_parameters(shape, seed, seed, FirstLayer::all) } -> std::same_as<std::vector<double>>;
  { layout.padded_width } -> std::convertible_to<int>;
  { layout.weights_size() } -> std::same_as<std::int64_t>;
  { layout.gradient_size() } -> std::same_as<std::int64_t>;
  { layout.gradient_index(0, 0, 0) } -> std::same_as<std::int64_t>;
  Model::pack(shape, parameters, packed);
  { Tile::memory_size(shape, channels, true, 1) } -> std::same_as<std::int64_t>;
  tile.forward(member, out);
  tile.backward(member, seeds, out);
  { GradientTile::memory_size(shape, 1) } -> std::same_as<std::int64_t>;
  gradient_tile.value_and_slopes(member, out, out);
  gradient_tile.tangent_gradient(member, out);
};

}  // namespace boltzcurve

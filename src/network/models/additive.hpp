#pragma once

#include <boltzcurve/counter_rng.hpp>
#include "network/models/mlp.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace boltzcurve {

/// A multilayer perceptron, the core, and then the heads: one for each input but the last, a perceptron of one hidden layer that sees this
/// input and the last one, the clock.
struct AdditiveLayout {
  int heads;
  MlpLayout core, head;
  int padded_width;

  KOKKOS_INLINE_FUNCTION explicit AdditiveLayout(const NetworkShape& shape)
      : heads(shape.inputs - 1), core(core_of(shape)), head(head_of(shape)), padded_width(core.padded_width) {}

  KOKKOS_INLINE_FUNCTION static NetworkShape core_of(const NetworkShape& shape) {
    return {shape.inputs, shape.width, shape.hidden_layers, shape.outputs};
  }
  KOKKOS_INLINE_FUNCTION static NetworkShape head_of(const NetworkShape& shape) { return {2, shape.head_width, 1, 1}; }

  KOKKOS_INLINE_FUNCTION static std::int64_t whole_vectors(std::int64_t count) { return (count + 15) / 16 * 16; }
  KOKKOS_INLINE_FUNCTION std::int64_t weights(int i) const {
    return whole_vectors(core.weights_size()) + i * whole_vectors(head.weights_size());
  }
  KOKKOS_INLINE_FUNCTION std::int64_t weights_size() const { return weights(heads); }
  KOKKOS_INLINE_FUNCTION std::int64_t gradient(int i) const { return core.gradient_size() + i * head.gradient_size(); }
  KOKKOS_INLINE_FUNCTION std::int64_t gradient_size() const { return gradient(heads); }
  KOKKOS_INLINE_FUNCTION std::int64_t gradient_index(int tensor, int row, int column) const {
    const int of_core = 2 * (core.shape.hidden_layers + 1), of_head = 2 * (head.shape.hidden_layers + 1);
    if (tensor < of_core) return core.gradient_index(tensor, row, column);
    return gradient((tensor - of_core) / of_head) + head.gradient_index((tensor - of_core) % of_head, row, column);
  }
};

/// Heads take turns in one part of the memory; on the way back their short way forward is gone again.
template <class Real, int Packs>
class AdditiveTile {
 public:
  static constexpr int B = MlpTile<Real, Packs>::B;

  KOKKOS_INLINE_FUNCTION explicit AdditiveTile(const TileArguments<Real>& tile) : tile_(tile), layout_(tile.shape) {}

  KOKKOS_INLINE_FUNCTION static std::int64_t memory_size(const NetworkShape& shape, const Channels& channels, bool with_backward,
                                                         int threads) {
    const auto tile_size = [&](const NetworkShape& part, const Channels& of_part) {
      return MlpTile<Real, Packs>::memory_size(part, of_part, with_backward, threads);
    };
    return tile_size(AdditiveLayout::core_of(shape), channels) + 2 * max_results * B +
           tile_size(AdditiveLayout::head_of(shape), head_channels(channels));
  }

  KOKKOS_INLINE_FUNCTION void forward(const TeamMember& member, Real* results) const {
    core(member).forward(member, results);
    for (int i = 0; i < layout_.heads; ++i) {
      head(member, i).forward(member, spare(member));
      add(member, head_channels(tile_.channels).results(), spare(member), [&](int k) { return results + result_of(i, k) * B; });
    }
  }

  KOKKOS_INLINE_FUNCTION void backward(const TeamMember& member, const Real* seeds, Real* gradient) const {
    core(member).backward(member, seeds, gradient);
    for (int i = 0; i < layout_.heads; ++i) {
      const auto part = seeded_head(member, i, seeds);
      part.backward(member, head_seeds(member), gradient + layout_.gradient(i));
    }
  }

 private:
  static constexpr int max_results = 3;  // of a head, of which value, tangent by its coordinate and second-order channel come

  KOKKOS_INLINE_FUNCTION static Channels head_channels(const Channels& channels) {
    return {channels.space > 0 ? 1 : 0, channels.second_order, channels.divergence};
  }
  /// The result of the whole to which result k of head i counts. Of a field, head i is a part of component i.
  KOKKOS_INLINE_FUNCTION int result_of(int i, int k) const {
    const auto& channels = tile_.channels;
    if (channels.divergence) return k == 0 ? i : channels.space;
    if (k == 0) return 0;
    return k == 1 && channels.space > 0 ? 1 + i : channels.second_order_channel();
  }

  KOKKOS_INLINE_FUNCTION MlpTile<Real, Packs> core(const TeamMember&) const {
    auto part = tile_;
    part.shape = layout_.core.shape;
    return MlpTile<Real, Packs>(part);
  }
  KOKKOS_INLINE_FUNCTION Real* spare(const TeamMember& member) const {
    return tile_.memory + MlpTile<Real, Packs>::memory_size(layout_.core.shape, tile_.channels, tile_.with_backward, member.team_size());
  }
  KOKKOS_INLINE_FUNCTION Real* head_seeds(const TeamMember& member) const { return spare(member) + max_results * B; }

  /// Its inputs are rows i and `heads` of the whole's, heads - i apart.
  KOKKOS_INLINE_FUNCTION MlpTile<Real, Packs> head(const TeamMember& member, int i) const {
    auto part = tile_;
    part.shape = layout_.head.shape;
    part.channels = head_channels(tile_.channels);
    part.weights += layout_.weights(i);
    part.input_scale += i;
    part.inputs += i * B;
    part.memory = spare(member) + 2 * max_results * B;
    return MlpTile<Real, Packs>(part, layout_.heads - i);
  }
  /// Head i after its way forward, with its seeds in place.
  KOKKOS_INLINE_FUNCTION MlpTile<Real, Packs> seeded_head(const TeamMember& member, int i, const Real* seeds) const {
    const auto part = head(member, i);
    part.forward(member, spare(member));
    Kokkos::parallel_for(Kokkos::TeamVectorRange(member, head_channels(tile_.channels).results() * B),
                         [&](const int j) { head_seeds(member)[j] = seeds[result_of(i, j / B) * B + j % B]; });
    member.team_barrier();
    return part;
  }

  /// to(k) [B] += from [count][B] for all k.
  template <class To>
  KOKKOS_INLINE_FUNCTION void add(const TeamMember& member, int count, const Real* from, const To& to) const {
    Kokkos::parallel_for(Kokkos::TeamVectorRange(member, count * B), [&](const int j) { to(j / B)[j % B] += from[j]; });
    member.team_barrier();
  }

  TileArguments<Real> tile_;
  AdditiveLayout layout_;
};

/// The same by reverse mode. Heads are short: each goes its way forward once more where its gradient is asked for.
template <class Real, int Packs>
class AdditiveGradientTile {
 public:
  using Part = MlpGradientTile<Real, Packs>;
  static constexpr int B = Part::B;

  KOKKOS_INLINE_FUNCTION explicit AdditiveGradientTile(const GradientTileArguments<Real>& tile) : tile_(tile), layout_(tile.shape) {}

  KOKKOS_INLINE_FUNCTION static std::int64_t memory_size(const NetworkShape& shape, int threads) {
    return Part::memory_size(AdditiveLayout::core_of(shape), threads) + 3 * B + Part::memory_size(AdditiveLayout::head_of(shape), threads);
  }

  KOKKOS_INLINE_FUNCTION void value_and_slopes(const TeamMember& member, Real* value, Real* slopes) const {
    core().value_and_slopes(member, value, slopes);
    Real* const of_head = spare(member);  // slopes by its two inputs, then its value
    for (int i = 0; i < layout_.heads; ++i) {
      head(member, i).value_and_slopes(member, of_head + 2 * B, of_head);
      Kokkos::parallel_for(Kokkos::TeamVectorRange(member, B), [&](const int j) {
        slopes[i * B + j] += of_head[j];
        slopes[layout_.heads * B + j] += of_head[B + j];
        value[j] += of_head[2 * B + j];
      });
      member.team_barrier();
    }
  }

  KOKKOS_INLINE_FUNCTION void tangent_gradient(const TeamMember& member, Real* gradient) const {
    core().tangent_gradient(member, gradient);
    for (int i = 0; i < layout_.heads; ++i) {
      const auto part = head(member, i);
      part.value_and_slopes(member, spare(member) + 2 * B, spare(member));
      part.tangent_gradient(member, gradient + layout_.gradient(i));
    }
  }

 private:
  KOKKOS_INLINE_FUNCTION Part core() const {
    auto part = tile_;
    part.shape = layout_.core.shape;
    return Part(part);
  }
  KOKKOS_INLINE_FUNCTION Real* spare(const TeamMember& member) const {
    return tile_.memory + Part::memory_size(layout_.core.shape, member.team_size());
  }
  /// Its inputs are rows i and `heads` of the whole's, heads - i apart.
  KOKKOS_INLINE_FUNCTION Part head(const TeamMember& member, int i) const {
    return Part(
        {layout_.head.shape, tile_.weights + layout_.weights(i), tile_.inputs + i * B, tile_.direction + i * B, spare(member) + 3 * B},
        layout_.heads - i);
  }

  GradientTileArguments<Real> tile_;
  AdditiveLayout layout_;
};

/// psi(x, t) = sum_i a_i(x_i, t) + mlp(x, t), and as a field v_i(x, t) = a_i(x_i, t) + mlp_i(x, t). Where the energy is nearly a sum over
/// coordinates, heads learn those terms, one function of one coordinate each, and the core what couples them.
template <>
struct NetworkOf<NetworkKind::additive> {
  using Layout = AdditiveLayout;
  template <class Real, int Packs>
  using Tile = AdditiveTile<Real, Packs>;
  template <class Real, int Packs>
  using GradientTile = AdditiveGradientTile<Real, Packs>;
  using Mlp = NetworkOf<NetworkKind::mlp>;

  /// Those of the core, then "head0/layer0/weight" and so on.
  static std::vector<ParameterTensor> tensors(const NetworkShape& shape) {
    auto tensors = Mlp::tensors(AdditiveLayout::core_of(shape));
    const auto of_head = Mlp::tensors(AdditiveLayout::head_of(shape));
    for (int i = 0; i < shape.inputs - 1; ++i)
      for (auto tensor : of_head) {
        tensor.name = "head" + std::to_string(i) + "/" + tensor.name;
        tensor.offset = tensors.back().offset + tensors.back().size();
        tensors.push_back(std::move(tensor));
      }
    return tensors;
  }

  /// The core as it starts alone; the neurons of heads, whose outputs start from zero, from weights and biases N(0, 1).
  static std::vector<double> initial_parameters(const NetworkShape& shape, std::uint64_t seed, std::uint64_t network,
                                                FirstLayer first_layer) {
    auto parameters = Mlp::initial_parameters(AdditiveLayout::core_of(shape), seed, network, first_layer);
    const auto of_core = parameters.size();
    for (const auto& tensor : tensors(shape)) {
      const auto begin = static_cast<std::size_t>(tensor.offset);
      if (begin < of_core) continue;
      parameters.resize(begin + static_cast<std::size_t>(tensor.size()), 0.0);
      if (tensor.name.find("layer0") == std::string::npos) continue;
      for (std::size_t i = begin; i < parameters.size(); ++i)
        parameters[i] = CounterRng(seed, RandomStream::initial_parameters, network, i).normal();
    }
    return parameters;
  }

  template <class Real>
  static void pack(const NetworkShape& shape, Kokkos::View<const double*> parameters, Kokkos::View<Real*> packed) {
    const AdditiveLayout layout(shape);
    std::int64_t from = 0;
    const auto pack_part = [&](const NetworkShape& part, std::int64_t to) {
      const auto begin = std::exchange(from, from + parameter_count(part));
      Mlp::pack<Real>(part, Kokkos::subview(parameters, std::make_pair(begin, from)),
                      Kokkos::subview(packed, std::make_pair(to, to + MlpLayout(part).weights_size())));
    };
    pack_part(layout.core.shape, 0);
    for (int i = 0; i < layout.heads; ++i) pack_part(layout.head.shape, layout.weights(i));
  }
};

}  // namespace boltzcurve

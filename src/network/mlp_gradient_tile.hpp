#pragma once

#include "network/mlp_tile.hpp"

namespace boltzcurve {

/// Reverse mode on one tile of points: the gradient of psi by its inputs and, for a tangent along a vector e(point), the gradient of the
/// sum of those tangents by the parameters. Nothing is computed twice: the adjoint of psi's value, which gives its slopes, is that of the
/// tangent's channel as well. With W_l the weights, a dot for tangents along e, and products over neurons:
///
///     value      z_l = W_l h_(l-1) + b_l                  h_l = swish(z_l)
///     slopes     p_(l-1) = W_l^T (h'_l p_l)               p_L = output weights;  d psi/d inputs = W_0^T (h'_0 p_0)
///     tangents   z._l = W_l h._(l-1)                      h._l = h'_l z._l
///     adjoint    q_(l-1) = W_l^T (h'_l q_l + h''_l z._l p_l),  q_L = 0
///     gradient   by W_l: sum over points of (h'_l q_l + h''_l z._l p_l) h_(l-1) + (h'_l p_l) h._(l-1)
///
/// Six products of W^2 a point and hidden layer, whatever the number of inputs; reverse mode over reverse mode, as Pearlmutter's (Neural
/// Computation 6, 1994) product with the Hessian. Panels are MlpTile's for two channels, of the value and the tangent, with p of every
/// layer and the first layer's tangents beside them. Neither z nor its sigmoid is lost before the gradient is asked for.
template <class Real, int Packs>
struct MlpGradientTile : private MlpTile<Real, Packs> {
  using Base = MlpTile<Real, Packs>;
  using Base::B, Base::lanes, Base::N;
  using typename Base::P;

  KOKKOS_INLINE_FUNCTION explicit MlpGradientTile(const GradientTileArguments<Real>& tile, int input_step = 1)
      : Base({tile.shape, value_and_tangent, true, tile.weights, nullptr, tile.inputs, tile.direction, nullptr, tile.memory}, input_step) {}

  KOKKOS_INLINE_FUNCTION static std::int64_t memory_size(const NetworkShape& shape, int threads) {
    const TileLayout<Real, Packs> place{MlpLayout(shape).padded_width, value_and_tangent.count(), shape.hidden_layers, true};
    return place.size(threads) + (shape.hidden_layers + 1) * place.panel_stride();
  }

  KOKKOS_FUNCTION void value_and_slopes(const TeamMember& member, Real* value, Real* slopes) const;
  KOKKOS_FUNCTION void tangent_gradient(const TeamMember& member, Real* gradient) const;

 private:
  static constexpr Channels value_and_tangent{0, true, false};

  using Base::layout, Base::place, Base::weights, Base::memory, Base::step, Base::inputs, Base::a;

  KOKKOS_FORCEINLINE_FUNCTION int last() const { return layout.shape.hidden_layers - 1; }
  KOKKOS_FORCEINLINE_FUNCTION Real* z(int layer) const { return memory + place.z(layer); }
  KOKKOS_FORCEINLINE_FUNCTION Real* sigmoids(int layer) const {
    return z(layer) + (layer == 0 ? 1 : value_and_tangent.count()) * place.panel_stride();
  }
  KOKKOS_FORCEINLINE_FUNCTION Real* tangents(const TeamMember& member, int layer) const {
    return layer == 0 ? p(member, layout.shape.hidden_layers) : z(layer) + place.panel_stride();
  }
  /// Panels behind the rest.
  KOKKOS_FORCEINLINE_FUNCTION Real* p(const TeamMember& member, int layer) const {
    return memory + place.size(member.team_size()) + layer * place.panel_stride();
  }
  /// What one layer hands to the next: two panels that take turns.
  KOKKOS_FORCEINLINE_FUNCTION Real* turn(int layer) const { return memory + place.set(layer % 2); }

  /// body(offset in a panel) for the points of N neurons.
  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void for_points(int first, const Body& body) const {
    BOLTZCURVE_UNROLL_ON_GPU(4)
    for (int neuron = first; neuron < first + N; ++neuron)
      for (int lane = own_lane(); lane < B; lane += lanes) body(neuron * B + lane);
  }
  KOKKOS_FORCEINLINE_FUNCTION Swish<P> swish_at(int layer, int i) const { return {P::load(z(layer) + i), P::load(sigmoids(layer) + i)}; }

  KOKKOS_FORCEINLINE_FUNCTION void activate(int layer, int first) const {
    for_points(first, [&](const int i) {
      const P value = P::load(z(layer) + i), s = sigmoid(value);
      s.store(sigmoids(layer) + i);
      (value * s).store(turn(layer) + i);
    });
  }
  /// h' times a row of a panel.
  KOKKOS_FORCEINLINE_FUNCTION void scale_by_slope(int layer, int first, const Real* from) const {
    for_points(first, [&](const int i) { (swish_at(layer, i).first() * P::load(from + i)).store(turn(layer) + i); });
  }

  /// rows [2][N][B], q of N neurons of a layer in the first, become h and its tangent; the adjoints of both take the place of z and its
  /// own.
  KOKKOS_FORCEINLINE_FUNCTION void adjoint(const TeamMember& member, int layer, int first, Real* rows) const {
    Real* const z_bar = memory + place.adjoint(layer);
    for_points(first, [&](const int i) {
      Real* const row = rows + i - first * B;
      const Swish<P> swish = swish_at(layer, i);
      const P slope = P::load(p(member, layer) + i), tangent = P::load(tangents(member, layer) + i), h_prime = swish.first();
      (h_prime * P::load(row) + swish.second() * tangent * slope).store(z_bar + i);
      (h_prime * slope).store(z_bar + place.panel_stride() + i);
      swish.value().store(row);
      (h_prime * tangent).store(row + N * B);
    });
  }

  /// gradient [inputs][W] of the first layer: whole blocks of inputs as the other layers' neurons, those left over one by one.
  KOKKOS_FORCEINLINE_FUNCTION void first_layer_gradient(const TeamMember& member, Real* gradient) const {
    const Real* const z_bar = memory + place.adjoint(0);
    const int count = layout.shape.inputs, left = count % RegisterBlock::neurons;
    if (left < count) {  // then inputs are neighbors: only parts of an additive network are apart, which have two
      this->for_chunks(member, [&](const int first) { this->store_transposed(z_bar + first * B, place.panel_stride(), first); });
      this->outer_gradient(member, inputs, a - inputs, count, gradient);
    }
    this->for_chunks(member, [&](const int first) {
      const Real* const rows = z_bar + first * B;
      for (int k = count - left; k < count; ++k) {
        P sum[N] = {};
        for (int lane = own_lane(); lane < B; lane += lanes) {
          const P input = P::load(inputs + k * step * B + lane), direction = P::load(a + k * step * B + lane);
          BOLTZCURVE_UNROLL_ON_GPU(16)
          for (int i = 0; i < N; ++i)
            sum[i] += P::load(rows + i * B + lane) * input + P::load(rows + place.panel_stride() + i * B + lane) * direction;
        }
        add_lane_sums<N>(sum, gradient + k * place.width + first);
      }
    });
  }
};

template <class Real, int Packs>
KOKKOS_FUNCTION void MlpGradientTile<Real, Packs>::value_and_slopes(const TeamMember& member, Real* value, Real* slopes) const {
  this->for_chunks(member, [&](const int first) {
    this->first_layer(first);
    activate(0, first);
  });
  for (int layer = 1; layer <= last(); ++layer)
    this->for_chunks(member, [&](const int first) {
      this->product(weights + layout.forward(layer), weights + layout.bias(layer), turn(layer - 1), first,
                    z(layer) + std::int64_t{first} * B, 0, 1);
      activate(layer, first);
    });
  Kokkos::parallel_for(Kokkos::TeamThreadRange(member, 1), [&](const int) {
    P sum[Packs] = {};
    this->add_weighted_rows(weights + layout.output(), turn(last()), sum);
    for (int j = 0; j < Packs; ++j) (P(weights[layout.output_bias()]) + sum[j]).store(value + j * lanes + own_lane());
  });
  member.team_barrier();
  this->for_chunks(member, [&](const int first) {
    for_points(first, [&](const int i) { P(weights[layout.output() + i / B]).store(p(member, last()) + i); });
    scale_by_slope(last(), first, p(member, last()));
  });
  for (int layer = last(); layer >= 1; --layer)
    this->for_chunks(member, [&](const int first) {
      Real* const below = p(member, layer - 1);
      this->product(weights + layout.backward(layer), nullptr, turn(layer), first, below + std::int64_t{first} * B, 0, 1);
      scale_by_slope(layer - 1, first, below);
    });
  Kokkos::parallel_for(Kokkos::TeamThreadRange(member, layout.shape.inputs), [&](const int k) {
    P sum[Packs] = {};
    this->add_weighted_rows(weights + k * place.width, turn(0), sum);
    for (int j = 0; j < Packs; ++j) sum[j].store(slopes + k * B + j * lanes + own_lane());
  });
  member.team_barrier();
}

template <class Real, int Packs>
KOKKOS_FUNCTION void MlpGradientTile<Real, Packs>::tangent_gradient(const TeamMember& member, Real* gradient) const {
  this->for_chunks(member, [&](const int first) {
    this->first_product(a, nullptr, first, tangents(member, 0) + std::int64_t{first} * B);
    if (last() > 0) scale_by_slope(0, first, tangents(member, 0));
  });
  for (int layer = 1; layer <= last(); ++layer)
    this->for_chunks(member, [&](const int first) {
      Real* const out = tangents(member, layer);
      this->product(weights + layout.forward(layer), nullptr, turn(layer - 1), first, out + std::int64_t{first} * B, 0, 1);
      if (layer < last()) scale_by_slope(layer, first, out);
    });
  this->for_chunks(member, [&](const int first) {
    Real* const rows = memory + place.rows(member.team_rank());
    for (int i = own_lane(); i < N * B; i += lanes) P(0).store(rows + i);
    adjoint(member, last(), first, rows);
    P sum[N] = {};  // by the output's weights: of the tangents of h
    for (int lane = own_lane(); lane < B; lane += lanes)
      for (int i = 0; i < N; ++i) sum[i] += P::load(rows + (N + i) * B + lane);
    add_lane_sums<N>(sum, gradient + layout.output_gradient() + first);
    this->bias_gradient(last(), first, gradient);
  });
  for (int layer = last(); layer >= 1; --layer) {
    const Real* const z_bar = memory + place.adjoint(layer);
    this->for_chunks(member, [&](const int first) {
      Real* const rows = memory + place.rows(member.team_rank());
      this->product(weights + layout.backward(layer), nullptr, z_bar, first, rows, 0, 1);
      adjoint(member, layer - 1, first, rows);
      this->store_transposed(rows, std::int64_t{N} * B, first);
      this->bias_gradient(layer - 1, first, gradient);
    });
    this->weight_gradient(member, z_bar, gradient + layout.hidden_gradient(layer));
  }
  first_layer_gradient(member, gradient);
}

// As for MlpTile: on the host in network/mlp_tile.cpp.
#ifndef BOLTZCURVE_ONE_LANE
extern template struct MlpGradientTile<float, 1>;
extern template struct MlpGradientTile<float, 2>;
extern template struct MlpGradientTile<double, 1>;
extern template struct MlpGradientTile<double, 2>;
#endif

}  // namespace boltzcurve

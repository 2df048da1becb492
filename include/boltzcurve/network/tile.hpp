#pragma once

#include <boltzcurve/core/pack_math.hpp>
#include <boltzcurve/network/packed_mlp.hpp>

#include <Kokkos_Core.hpp>

#include <utility>

/// The arithmetic of a network on one tile of points, for use inside a kernel: values and derivatives forward, adjoints backward.
///
/// What is carried per neuron. A point brings `count` channels through every layer: the value, one tangent per space coordinate, then, if
/// asked for, the derivative by time and the Laplacian:
///
///     channel   0      1 ... D      D+1     D+2
///               z    dz/dx_k       dz/dt   Lap z
///
/// Where it lies. Points come in groups of B = 2 vector registers; the numbers of one channel of one group are a panel [W][B], and a tile
/// of G groups has G * count panels per layer (and G more for the sigmoid of the value, kept for the way back):
///
///                     B points (2 registers)
///                   +-----------------+      a layer's product is, panel by panel, [8 outputs][W] x [W][B]: an 8 x 2 block of
///     W neurons     |  panel          |      accumulators stays in registers, each weight is broadcast once for all B points,
///                   |                 |      and the panel (W = 128: 16 KiB) stays in the first-level cache for all W/8 blocks
///                   +-----------------+
///
/// Panels are a little further apart than their size, lest all of them fall into the same cache sets.
/// No number of a point ever mixes with another's on the way forward, so what a point gets does not depend on its place in the tile.
namespace boltzcurve {

/// Which numbers travel with each neuron.
struct Channels {
  int space = 0;           ///< tangents by the first `space` inputs
  bool time = false;       ///< derivative by the last input
  bool laplacian = false;  ///< sum of second derivatives by the first `space` inputs

  KOKKOS_INLINE_FUNCTION int count() const { return 1 + space + (time ? 1 : 0) + (laplacian ? 1 : 0); }
  KOKKOS_INLINE_FUNCTION int time_channel() const { return 1 + space; }
  KOKKOS_INLINE_FUNCTION int laplacian_channel() const { return 1 + space + (time ? 1 : 0); }
};

inline constexpr int packs_per_group = 2;
template <class Real>
inline constexpr int group_points = packs_per_group* pack_lanes<Real>;

/// Sizes of one layer's panels within a tile.
template <class Real>
struct PanelGrid {
  int groups, channels, width;  ///< width: padded

  KOKKOS_INLINE_FUNCTION std::int64_t panel_stride() const { return std::int64_t{width + 1} * group_points<Real>; }
  /// Panel of (group, channel); channel == channels is the sigmoid's.
  KOKKOS_INLINE_FUNCTION std::int64_t panel(int group, int channel) const {
    return (std::int64_t{group} * (channels + 1) + channel) * panel_stride();
  }
  KOKKOS_INLINE_FUNCTION std::int64_t size() const { return panel(groups, 0); }
};

/// swish h(z) = z s with s = sigmoid(z), and its derivatives.
template <class P>
struct Swish {
  P z, s;
  KOKKOS_FORCEINLINE_FUNCTION P value() const { return z * s; }
  KOKKOS_FORCEINLINE_FUNCTION P first() const { return s * (P(1) + z * (P(1) - s)); }
  KOKKOS_FORCEINLINE_FUNCTION P second() const { return s * (P(1) - s) * (P(2) + z * (P(1) - P(2) * s)); }
  KOKKOS_FORCEINLINE_FUNCTION P third() const {
    const P u = P(1) - P(2) * s;
    return s * (P(1) - s) * (u * (P(3) + z * u) - P(2) * z * s * (P(1) - s));
  }
};

namespace detail {

/// out [8][B] = weights^T [8][inner] * panel [inner][B] (+ bias [8] where given), with weights stored [inner][8].
template <class Real>
KOKKOS_FORCEINLINE_FUNCTION void multiply_block(const Real* weights, const Real* panel, int inner, const Real* bias, Real* out) {
  using P = Pack<Real>;
  constexpr int B = group_points<Real>, lanes = P::lanes;
  P sum[block_neurons][packs_per_group];
#pragma GCC unroll 8
  for (int r = 0; r < block_neurons; ++r) {
    const P start = bias ? P(bias[r]) : P(0);
#pragma GCC unroll 2
    for (int j = 0; j < packs_per_group; ++j) sum[r][j] = start;
  }
  for (int i = 0; i < inner; ++i) {
    P h[packs_per_group];
#pragma GCC unroll 2
    for (int j = 0; j < packs_per_group; ++j) h[j] = P::load(panel + i * B + j * lanes);
#pragma GCC unroll 8
    for (int r = 0; r < block_neurons; ++r) {
      const P w = weights[i * block_neurons + r];
#pragma GCC unroll 2
      for (int j = 0; j < packs_per_group; ++j) sum[r][j] += w * h[j];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < block_neurons; ++r)
#pragma GCC unroll 2
    for (int j = 0; j < packs_per_group; ++j) sum[r][j].store(out + r * B + j * lanes);
}

/// One level of the tree below: a and b hold Groups sums each, spread over neighbouring lanes; the result holds both, half as wide.
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

/// out[k] += scale * (sum of the lanes of rows[k]) for k < Count, a multiple of the lanes: a tree of shuffles, 3 instructions a row.
template <class Real, int Count>
KOKKOS_FORCEINLINE_FUNCTION void add_lane_sums(Pack<Real>* rows, Real* out, Real scale = 1) {
  using P = Pack<Real>;
  static_assert(Count % P::lanes == 0);
  fold_all<1, Count>(rows);
#pragma GCC unroll 16
  for (int k = 0; k < Count / P::lanes; ++k) (P::load(out + k * P::lanes) + P(scale) * rows[k]).store(out + k * P::lanes);
}

}  // namespace detail

/// z of layer `layer` >= 1 from h of the layer before, all panels of the tile.
template <class Real, class Member>
KOKKOS_INLINE_FUNCTION void linear_forward(const Member& member, const PackedLayout& layout, int layer, const PanelGrid<Real>& grid,
                                           const Real* weights, const Real* h, Real* z) {
  const int blocks = grid.width / block_neurons, channels = grid.channels;
  Kokkos::parallel_for(Kokkos::TeamThreadRange(member, grid.groups * channels * blocks), [&](const int index) {
    const int block = index % blocks, channel = index / blocks % channels, group = index / blocks / channels;
    const Real* bias = channel == 0 ? weights + layout.bias(layer) + block * block_neurons : nullptr;
    const std::int64_t panel = grid.panel(group, channel);
    detail::multiply_block(weights + layout.forward(layer) + std::int64_t{block} * block_neurons * grid.width, h + panel, grid.width, bias,
                           z + panel + block * block_neurons * group_points<Real>);
  });
  member.team_barrier();
}

/// Adjoint of h of the layer before from the adjoint of z of layer `layer` >= 1.
template <class Real, class Member>
KOKKOS_INLINE_FUNCTION void linear_backward(const Member& member, const PackedLayout& layout, int layer, const PanelGrid<Real>& grid,
                                            const Real* weights, const Real* z_bar, Real* h_bar) {
  const int blocks = grid.width / block_neurons, channels = grid.channels;
  Kokkos::parallel_for(Kokkos::TeamThreadRange(member, grid.groups * channels * blocks), [&](const int index) {
    const int block = index % blocks, channel = index / blocks % channels, group = index / blocks / channels;
    const std::int64_t panel = grid.panel(group, channel);
    detail::multiply_block<Real>(weights + layout.backward(layer) + std::int64_t{block} * block_neurons * grid.width, z_bar + panel,
                                 grid.width, nullptr, h_bar + panel + block * block_neurons * group_points<Real>);
  });
  member.team_barrier();
}

/// z of the first layer from the inputs [inputs][G * B], whose derivative by the coordinate behind input k is input_scale[k].
template <class Real, class Member>
KOKKOS_INLINE_FUNCTION void first_layer_forward(const Member& member, const PackedLayout& layout, const Channels& channels,
                                                const PanelGrid<Real>& grid, const Real* weights, const Real* inputs,
                                                const Real* input_scale, Real* z) {
  using P = Pack<Real>;
  constexpr int B = group_points<Real>;
  const int width = grid.width, count = layout.shape.inputs, points = grid.groups * B;
  Kokkos::parallel_for(Kokkos::TeamThreadRange(member, grid.groups * width), [&](const int index) {
    const int neuron = index % width, group = index / width;
    for (int j = 0; j < packs_per_group; ++j) {
      const int lane = j * P::lanes;
      P sum = weights[layout.first_bias() + neuron];
      for (int k = 0; k < count; ++k) sum += P(weights[k * width + neuron]) * P::load(inputs + k * points + group * B + lane);
      sum.store(z + grid.panel(group, 0) + neuron * B + lane);
      for (int k = 0; k < channels.space; ++k)
        P(weights[k * width + neuron] * input_scale[k]).store(z + grid.panel(group, 1 + k) + neuron * B + lane);
      if (channels.time)
        P(weights[(count - 1) * width + neuron] * input_scale[count - 1])
            .store(z + grid.panel(group, channels.time_channel()) + neuron * B + lane);
      if (channels.laplacian) P(0).store(z + grid.panel(group, channels.laplacian_channel()) + neuron * B + lane);
    }
  });
  member.team_barrier();
}

/// h from z through swish, all channels:  h_k = h' z_k,  Lap h = h' Lap z + h'' sum over space of z_k^2.
/// With `keep_sigmoid` the sigmoid is computed and kept in z's extra panel, else it is taken from there.
template <bool keep_sigmoid, class Real, class Member>
KOKKOS_INLINE_FUNCTION void activate(const Member& member, const Channels& channels, const PanelGrid<Real>& grid, Real* z, Real* h) {
  using P = Pack<Real>;
  constexpr int B = group_points<Real>;
  const int width = grid.width, space = channels.space;
  const bool time = channels.time, laplacian = channels.laplacian;
  Kokkos::parallel_for(Kokkos::TeamThreadRange(member, grid.groups * width), [&](const int index) {
    const int neuron = index % width, group = index / width;
    const std::int64_t stride = grid.panel_stride(), start = grid.panel(group, 0) + neuron * B;
    for (int j = 0; j < packs_per_group; ++j) {
      Real* const zs = z + start + j * P::lanes;
      Real* const hs = h + start + j * P::lanes;
      Swish<P> swish{P::load(zs), {}};
      Real* const kept = zs + grid.channels * stride;
      if constexpr (keep_sigmoid) {
        swish.s = sigmoid(swish.z);
        swish.s.store(kept);
      } else {
        swish.s = P::load(kept);
      }
      swish.value().store(hs);
      const P first = swish.first();
      P squares = 0;
      for (int k = 1; k <= space; ++k) {
        const P tangent = P::load(zs + k * stride);
        squares += tangent * tangent;
        (first * tangent).store(hs + k * stride);
      }
      if (time) (first * P::load(zs + (space + 1) * stride)).store(hs + (space + 1) * stride);
      if (laplacian) {
        const std::int64_t last = channels.laplacian_channel() * stride;
        (first * P::load(zs + last) + swish.second() * squares).store(hs + last);
      }
    }
  });
  member.team_barrier();
}

/// The network's output in every channel: psi [count][G * B] from h of the last hidden layer.
template <class Real, class Member>
KOKKOS_INLINE_FUNCTION void output_forward(const Member& member, const PackedLayout& layout, const PanelGrid<Real>& grid,
                                           const Real* weights, const Real* h, Real* psi) {
  using P = Pack<Real>;
  constexpr int B = group_points<Real>;
  const int points = grid.groups * B;
  Kokkos::parallel_for(Kokkos::TeamThreadRange(member, grid.groups * grid.channels), [&](const int index) {
    const int channel = index % grid.channels, group = index / grid.channels;
    const Real* const panel = h + grid.panel(group, channel);
    const Real* const w = weights + layout.output();
    // Two independent sums a register, else every addition waits for the one before.
    P sum[2 * packs_per_group] = {P(0), P(0), P(0), P(0)};
    for (int i = 0; i < grid.width; i += 2)
      for (int j = 0; j < packs_per_group; ++j) {
        sum[j] += P(w[i]) * P::load(panel + i * B + j * P::lanes);
        sum[packs_per_group + j] += P(w[i + 1]) * P::load(panel + (i + 1) * B + j * P::lanes);
      }
    const P bias = channel == 0 ? weights[layout.output_bias()] : Real(0);
    for (int j = 0; j < packs_per_group; ++j)
      (bias + sum[j] + sum[packs_per_group + j]).store(psi + channel * points + group * B + j * P::lanes);
  });
  member.team_barrier();
}

/// From the seeds d loss / d psi [count][G * B]: adds the output layer's gradient (h is the last hidden layer's), then replaces h by its
/// adjoint.
template <class Real, class Member>
KOKKOS_INLINE_FUNCTION void output_backward(const Member& member, const PackedLayout& layout, const PanelGrid<Real>& grid,
                                            const Real* weights, const Real* seeds, Real* h, Real* gradient) {
  using P = Pack<Real>;
  constexpr int B = group_points<Real>, rows = P::lanes > block_neurons ? P::lanes : block_neurons;
  const int points = grid.groups * B, chunks = (grid.width + rows - 1) / rows;
  Kokkos::parallel_for(Kokkos::TeamThreadRange(member, chunks), [&](const int chunk) {
    const int begin = chunk * rows, end = begin + rows < grid.width ? begin + rows : grid.width;
    P sum[rows] = {};
    for (int group = 0; group < grid.groups; ++group)
      for (int channel = 0; channel < grid.channels; ++channel) {
        Real* const panel = h + grid.panel(group, channel);
        for (int j = 0; j < packs_per_group; ++j) {
          const P seed = P::load(seeds + channel * points + group * B + j * P::lanes);
          for (int i = begin; i < end; ++i) {
            Real* const place = panel + i * B + j * P::lanes;
            sum[i - begin] += P::load(place) * seed;
            (P(weights[layout.output() + i]) * seed).store(place);
          }
        }
      }
    Real totals[rows] = {};
    detail::add_lane_sums<Real, rows>(sum, totals);
    for (int i = begin; i < end; ++i) gradient[layout.output_gradient() + i] += totals[i - begin];
  });
  Kokkos::single(Kokkos::PerTeam(member), [&]() {
    P sum[P::lanes] = {};
    for (int j = 0; j < grid.groups * packs_per_group; ++j) sum[0] += P::load(seeds + j * P::lanes);
    Real totals[P::lanes] = {};
    detail::add_lane_sums<Real, P::lanes>(sum, totals);
    gradient[layout.output_bias_gradient()] += totals[0];
  });
  member.team_barrier();
}

/// In place: the adjoint of h becomes the adjoint of z of the same layer.
///     z-bar   = h' h-bar + h'' sum_k z_k h_k-bar + (h'' Lap z + h''' sum_k z_k^2) Lap h-bar      (k over space and time in the first sum)
///     z_k-bar = h' h_k-bar + 2 h'' z_k Lap h-bar,   z_t-bar = h' h_t-bar,   Lap z-bar = h' Lap h-bar
template <class Real, class Member>
KOKKOS_INLINE_FUNCTION void activate_backward(const Member& member, const Channels& channels, const PanelGrid<Real>& grid, const Real* z,
                                              Real* adjoint) {
  using P = Pack<Real>;
  constexpr int B = group_points<Real>;
  const int width = grid.width, space = channels.space;
  const bool time = channels.time, laplacian = channels.laplacian;
  Kokkos::parallel_for(Kokkos::TeamThreadRange(member, grid.groups * width), [&](const int index) {
    const int neuron = index % width, group = index / width;
    const std::int64_t stride = grid.panel_stride(), start = grid.panel(group, 0) + neuron * B;
    for (int j = 0; j < packs_per_group; ++j) {
      const Real* const zs = z + start + j * P::lanes;
      Real* const as = adjoint + start + j * P::lanes;
      const Swish<P> swish{P::load(zs), P::load(zs + grid.channels * stride)};
      const P first = swish.first(), second = swish.second();
      P value = first * P::load(as);
      P laplacian_bar = 0;
      if (laplacian) {
        const std::int64_t last = channels.laplacian_channel() * stride;
        laplacian_bar = P::load(as + last);
        value += second * P::load(zs + last) * laplacian_bar;
        (first * laplacian_bar).store(as + last);
      }
      const P twice = P(2) * second * laplacian_bar;
      P mixed = 0, squares = 0;
      for (int k = 1; k <= space; ++k) {
        const P tangent = P::load(zs + k * stride), bar = P::load(as + k * stride);
        mixed += tangent * bar;
        squares += tangent * tangent;
        (first * bar + twice * tangent).store(as + k * stride);
      }
      if (time) {
        const P bar = P::load(as + (space + 1) * stride);
        mixed += P::load(zs + (space + 1) * stride) * bar;
        (first * bar).store(as + (space + 1) * stride);
      }
      (value + second * mixed + swish.third() * squares * laplacian_bar).store(as);
    }
  });
  member.team_barrier();
}

/// out [W] += scale * (sum over points of one channel, times a factor per point where `factor` [G * B] is given).
template <class Real, class Member>
KOKKOS_INLINE_FUNCTION void row_sums(const Member& member, const PanelGrid<Real>& grid, const Real* panels, Real* out,
                                     const Real* factor = nullptr, int channel = 0, Real scale = 1) {
  using P = Pack<Real>;
  constexpr int B = group_points<Real>, rows = P::lanes > block_neurons ? P::lanes : block_neurons;
  const int chunks = (grid.width + rows - 1) / rows;
  Kokkos::parallel_for(Kokkos::TeamThreadRange(member, chunks), [&](const int chunk) {
    const int begin = chunk * rows, end = begin + rows < grid.width ? begin + rows : grid.width;
    P sum[rows] = {};
    for (int group = 0; group < grid.groups; ++group)
      for (int j = 0; j < packs_per_group; ++j) {
        const P weight = factor ? P::load(factor + group * B + j * P::lanes) : P(1);
        for (int i = begin; i < end; ++i) sum[i - begin] += weight * P::load(panels + grid.panel(group, channel) + i * B + j * P::lanes);
      }
    Real totals[rows] = {};
    detail::add_lane_sums<Real, rows>(sum, totals, scale);
    for (int i = begin; i < end; ++i) out[i] += totals[i - begin];
  });
}

/// Adds to the gradient of layer `layer` >= 1: weights  sum over points and channels of z-bar h,  biases  sum over points of z-bar.
template <class Real, class Member>
KOKKOS_INLINE_FUNCTION void weight_gradient(const Member& member, const PackedLayout& layout, int layer, const PanelGrid<Real>& grid,
                                            const Real* z_bar, const Real* h, Real* gradient) {
  using P = Pack<Real>;
  constexpr int B = group_points<Real>, lanes = P::lanes;
  const int blocks = grid.width / block_neurons, pairs = grid.width / 2;
  const std::int64_t stride = grid.panel_stride();
  Real* const weights = gradient + layout.hidden_gradient(layer);
  Kokkos::parallel_for(Kokkos::TeamThreadRange(member, blocks * pairs), [&](const int index) {
    const int block = index / pairs, pair = index % pairs;
    P sum[2 * block_neurons];
#pragma GCC unroll 16
    for (int r = 0; r < 2 * block_neurons; ++r) sum[r] = P(0);
    for (int group = 0; group < grid.groups; ++group) {
      const Real* rows = z_bar + grid.panel(group, 0) + block * block_neurons * B;
      const Real* columns = h + grid.panel(group, 0) + pair * 2 * B;
      for (int channel = 0; channel < grid.channels; ++channel, rows += stride, columns += stride)
#pragma GCC unroll 2
        for (int j = 0; j < packs_per_group; ++j) {
          const P left = P::load(columns + j * lanes), right = P::load(columns + B + j * lanes);
#pragma GCC unroll 8
          for (int r = 0; r < block_neurons; ++r) {
            const P row = P::load(rows + r * B + j * lanes);
            sum[r] += row * left;
            sum[block_neurons + r] += row * right;
          }
        }
    }
    detail::add_lane_sums<Real, 2 * block_neurons>(sum, weights + std::int64_t{index} * (2 * block_neurons));
  });
  row_sums(member, grid, z_bar, gradient + layout.bias_gradient(layer));
  member.team_barrier();
}

/// Adds the first layer's gradient from the adjoint of its z.
template <class Real, class Member>
KOKKOS_INLINE_FUNCTION void first_layer_gradient(const Member& member, const PackedLayout& layout, const Channels& channels,
                                                 const PanelGrid<Real>& grid, const Real* z_bar, const Real* inputs,
                                                 const Real* input_scale, Real* gradient) {
  const int count = layout.shape.inputs, points = grid.groups * group_points<Real>;
  for (int k = 0; k < count; ++k) {
    Real* const column = gradient + k * grid.width;
    row_sums(member, grid, z_bar, column, inputs + k * points);
    member.team_barrier();
    if (k < channels.space) row_sums<Real>(member, grid, z_bar, column, nullptr, 1 + k, input_scale[k]);
    if (k == count - 1 && channels.time) row_sums<Real>(member, grid, z_bar, column, nullptr, channels.time_channel(), input_scale[k]);
    member.team_barrier();
  }
  row_sums(member, grid, z_bar, gradient + layout.first_bias());
  member.team_barrier();
}

/// Scratch of one network on one tile: z of every layer and two sets of panels that change roles.
template <class Real>
struct TileBuffers {
  Real* z;  // [hidden_layers] layers of panels
  Real *h, *spare;

  KOKKOS_INLINE_FUNCTION static std::int64_t size(const PanelGrid<Real>& grid, int hidden_layers) {
    return (hidden_layers + 2) * grid.size();
  }
  KOKKOS_INLINE_FUNCTION TileBuffers(const PanelGrid<Real>& grid, int hidden_layers, Real* memory)
      : z(memory), h(memory + hidden_layers * grid.size()), spare(memory + (hidden_layers + 1) * grid.size()) {}
};

/// psi [count][G * B] and everything that the way back needs. `keep_layers`: z of all layers is kept; else every layer reuses the first's.
template <bool keep_layers, class Real, class Member>
KOKKOS_INLINE_FUNCTION void network_forward(const Member& member, const PackedLayout& layout, const Channels& channels,
                                            const PanelGrid<Real>& grid, const Real* weights, const Real* inputs, const Real* input_scale,
                                            const TileBuffers<Real>& tile, Real* psi) {
  first_layer_forward(member, layout, channels, grid, weights, inputs, input_scale, tile.z);
  activate<true>(member, channels, grid, tile.z, tile.h);
  for (int layer = 1; layer < layout.shape.hidden_layers; ++layer) {
    Real* const z = keep_layers ? tile.z + layer * grid.size() : tile.z;
    linear_forward(member, layout, layer, grid, weights, tile.h, z);
    activate<true>(member, channels, grid, z, tile.h);
  }
  output_forward(member, layout, grid, weights, tile.h, psi);
}

/// Adds d loss / d parameters of the tile to `gradient`, given d loss / d psi and what network_forward<true> left in `tile`.
template <class Real, class Member>
KOKKOS_INLINE_FUNCTION void network_backward(const Member& member, const PackedLayout& layout, const Channels& channels,
                                             const PanelGrid<Real>& grid, const Real* weights, const Real* inputs, const Real* input_scale,
                                             const TileBuffers<Real>& tile, const Real* seeds, Real* gradient) {
  const int last = layout.shape.hidden_layers - 1;
  Real *h = tile.h, *adjoint = tile.spare;
  output_backward(member, layout, grid, weights, seeds, h, gradient);
  for (int layer = last; layer >= 1; --layer) {
    Real* const below = tile.z + (layer - 1) * grid.size();
    activate_backward(member, channels, grid, tile.z + layer * grid.size(), h);
    Real* const free = adjoint;
    adjoint = h;
    h = free;
    activate<false>(member, channels, grid, below, h);
    weight_gradient(member, layout, layer, grid, adjoint, h, gradient);
    linear_backward(member, layout, layer, grid, weights, adjoint, h);
  }
  activate_backward(member, channels, grid, tile.z, h);
  first_layer_gradient(member, layout, channels, grid, h, inputs, input_scale, gradient);
}

}  // namespace boltzcurve

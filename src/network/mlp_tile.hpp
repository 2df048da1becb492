#pragma once

#include "network/micro_kernels.hpp"
#include "network/network_concept.hpp"
#include "network/swish.hpp"

#include <type_traits>

/// The arithmetic of a multilayer perceptron on one tile of points, for use inside a kernel: values and derivatives forward, adjoints
/// backward.
///
/// What is carried per neuron. A point brings `count` channels through every layer: the value, one tangent per space coordinate and, if
/// asked for, one second-order channel, the image of psi under the operator  a d/ds + b Laplacian  with a point's own a and b. It passes
/// through a layer as linearly as the derivative by the clock s would, so that the two parts need not travel apart:
///
///     channel   0      1 ... D         D+1
///               z    dz/dx_k    a dz/ds + b Lap z
///
/// Where it lies. A tile holds B points: Packs vectors. The numbers of one channel are a panel [W][B], a layer is a set of panels.
///
///               B points (Packs vectors)
///             +-----------------+      A layer's product takes R outputs (of RegisterBlock) at a time, for three columns at a time: a
///             column
///  W neurons  |  panel          |      is one vector of points of one channel, whichever panel it lies in. So a weight is broadcast once
///             |                 |      for three multiply-adds, and R x 3 sums stay in registers (24 of 32 on AVX-512).
///             +-----------------+      16 outputs of all channels are made at a time; while they are in the first-level cache they
///             +---+---+---+---+--      go through the activation.
///   B points  | s | l | a | b |
///             |   |   |   |   |        For the gradient of the weights, sums over points and channels of z-bar h, h is recomputed,
///             |   |   |   |   |        transposed in registers and kept as slabs, one vector of neurons wide: [R rows][B] x [B][3 slabs]
///             +---+---+---+---+--      accumulates in registers over all channels, and no lane is ever summed.
///
/// Who does what. On the host one thread goes through a tile, a point in every lane of its vectors. On a GPU a warp stands for the vector,
/// a point for each of its 32 threads (own_lane()), and a team has a warp for every 16 neurons, up to a number; products are of 16 x 5, and
/// neurons are transposed by the way they are written. What differs is named in simd/pack.hpp, simd/pack_shuffle.hpp and RegisterBlock.
///
/// Panels are a little further apart than their size, lest all of them fall into the same cache sets.
/// No number of a point ever mixes with another's on the way forward, so what a point gets does not depend on its place in the tile.
namespace boltzcurve {

/// How a tile's scratch memory is divided: offsets in numbers.
template <class Real, int Packs>
struct TileLayout {
  static constexpr int points = Packs * lanes_abreast<Real>;

  int width = 0, channels = 0, hidden_layers = 0;  ///< width: padded
  bool backward = false;                           ///< room for the way back: z of every layer, and rows

  KOKKOS_INLINE_FUNCTION std::int64_t panel_stride() const { return (std::int64_t{width} + 1) * points; }
  /// The first layer keeps value and sigmoid only: its derivatives are those of a linear function. The others keep all channels and the
  /// sigmoid behind them; where there is no way back they take turns.
  KOKKOS_INLINE_FUNCTION std::int64_t z(int layer) const {
    return layer == 0 ? 0 : (2 + (backward ? layer - 1 : 0) * (channels + 1)) * panel_stride();
  }
  /// Two sets of panels for h on the way forward, which take turns.
  KOKKOS_INLINE_FUNCTION std::int64_t set(int which) const {
    const int kept = backward || hidden_layers == 1 ? hidden_layers - 1 : 1;
    return (2 + kept * (channels + 1) + which * channels) * panel_stride();
  }
  /// On the way back adjoints of z take the place of z, and the two sets serve slabs and the first layer, whose z has too little room: what
  /// is written lies where the cache has just been.
  KOKKOS_INLINE_FUNCTION std::int64_t adjoint(int layer) const { return layer == 0 ? set(1) : z(layer); }
  KOKKOS_INLINE_FUNCTION std::int64_t slabs() const { return set(0); }
  KOKKOS_INLINE_FUNCTION std::int64_t rows(int thread) const { return set(2) + std::int64_t{channels} * thread * chunk_neurons * points; }
  KOKKOS_INLINE_FUNCTION std::int64_t size(int threads) const { return backward ? rows(threads) : set(2); }
};

/// One network, one tile; see the concept Network. Everything is in scratch memory or read-only; nothing is owned.
template <class Real, int Packs>
struct MlpTile {
  using P = Pack<Real>;
  static constexpr int B = Packs * lanes_abreast<Real>, lanes = lanes_abreast<Real>, N = chunk_neurons;
  /// Neurons that a thread activates side by side: on a GPU several, whose loads then wait together.
  static constexpr int G = threads_abreast == 1 ? 1 : 4;

  MlpLayout layout;
  Channels channels;
  TileLayout<Real, Packs> place;
  int step;
  const Real *weights, *input_scale, *inputs, *a, *b;
  Real* memory;

  /// The network's inputs are every `input_step`-th of the rows of inputs and of their scales.
  KOKKOS_INLINE_FUNCTION explicit MlpTile(const TileArguments<Real>& tile, int input_step = 1)
      : layout(tile.shape),
        channels(tile.channels),
        place{layout.padded_width, channels.count(), layout.shape.hidden_layers, tile.with_backward},
        step(input_step),
        weights(tile.weights),
        input_scale(tile.input_scale),
        inputs(tile.inputs),
        a(tile.a),
        b(tile.b),
        memory(tile.memory) {}

  KOKKOS_INLINE_FUNCTION static std::int64_t memory_size(const NetworkShape& shape, const Channels& channels, bool with_backward,
                                                         int threads) {
    return TileLayout<Real, Packs>{MlpLayout(shape).padded_width, channels.count(), shape.hidden_layers, with_backward}.size(threads);
  }

  KOKKOS_FUNCTION void forward(const TeamMember& member, Real* results) const;
  KOKKOS_FUNCTION void backward(const TeamMember& member, const Real* seeds, Real* gradient) const;

 protected:
  /// z of the first layer and its derivatives, which are those of a linear function: only the value is stored.
  struct FirstLayerZ {
    const MlpTile& network;

    KOKKOS_FORCEINLINE_FUNCTION Real* values(int neuron) const { return network.memory + neuron * B; }
    KOKKOS_FORCEINLINE_FUNCTION Real* sigmoids(int neuron) const { return values(neuron) + network.place.panel_stride(); }
    KOKKOS_FORCEINLINE_FUNCTION P tangent(int k, int neuron, int) const {
      return network.weights[(k - 1) * network.place.width + neuron] * network.input_scale[(k - 1) * network.step];
    }
    KOKKOS_FORCEINLINE_FUNCTION P second_order(int neuron, int lane) const {
      const int clock = network.layout.shape.inputs - 1;
      return P(network.weights[clock * network.place.width + neuron] * network.input_scale[clock * network.step]) *
             P::load(network.a + lane);
    }
  };

  struct LayerZ {
    const MlpTile& network;
    Real* z;

    KOKKOS_FORCEINLINE_FUNCTION Real* values(int neuron) const { return z + neuron * B; }
    KOKKOS_FORCEINLINE_FUNCTION Real* sigmoids(int neuron) const {
      return values(neuron) + network.channels.count() * network.place.panel_stride();
    }
    KOKKOS_FORCEINLINE_FUNCTION P tangent(int k, int neuron, int lane) const {
      return P::load(values(neuron) + k * network.place.panel_stride() + lane);
    }
    KOKKOS_FORCEINLINE_FUNCTION P second_order(int neuron, int lane) const {
      return tangent(network.channels.second_order_channel(), neuron, lane);
    }
  };

  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void for_chunks(const TeamMember& member, const Body& body) const {
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, place.width / N), [&](const int chunk) { body(chunk * N); });
    member.team_barrier();
  }

  KOKKOS_FORCEINLINE_FUNCTION void first_layer(int first) const {
    first_product(inputs, weights + layout.first_bias(), first, memory + std::int64_t{first} * B);
  }

  /// N outputs of the first layer, from `first` on, of one channel: out points to the first of them.
  KOKKOS_FORCEINLINE_FUNCTION void first_product(const Real* in, const Real* bias, int first, Real* out) const {
    constexpr int R = RegisterBlock::neurons;
    const Real* from[Packs];
    Real* to[Packs];
    for (int r = 0; r < N; r += R) {
      BOLTZCURVE_UNROLL(8)
      for (int j = 0; j < Packs; ++j) from[j] = in + j * lanes + own_lane(), to[j] = out + r * B + j * lanes + own_lane();
      multiply_block<Packs>(weights + first + r, place.width, from, layout.shape.inputs, std::int64_t{step} * B,
                            bias ? bias + first + r : nullptr, bias ? Packs : 0, to, B);
    }
  }

  /// N outputs, from `first` on, of the first `count` channels: out points to the first of them in the first panel.
  KOKKOS_FORCEINLINE_FUNCTION void product(const Real* blocks, const Real* bias, const Real* in, int first, Real* out,
                                           std::int64_t out_stride, int count) const {
    constexpr int R = RegisterBlock::neurons;
    for_column_blocks<Real>(count * Packs, [&]<int Columns>(int column, std::integral_constant<int, Columns>) {
      const Real* from[Columns];
      Real* to[Columns];
      BOLTZCURVE_UNROLL(8)
      for (int j = 0; j < Columns; ++j) {
        const int channel = (column + j) / Packs, vector = (column + j) % Packs;
        from[j] = in + channel * place.panel_stride() + vector * lanes + own_lane();
        to[j] = out + channel * out_stride + vector * lanes + own_lane();
      }
      const int biased = bias ? Packs - column : 0;  // a bias belongs to the value alone, the first channel
      for (int row = 0; row < N; row += R) {
        multiply_block<Columns>(blocks + std::int64_t{first + row} * place.width, R, from, place.width, B,
                                bias ? bias + first + row : nullptr, biased, to, B);
        BOLTZCURVE_UNROLL(8)
        for (int j = 0; j < Columns; ++j) to[j] += R * B;
      }
    });
  }

  /// h from z through swish:  h_k = h' z_k,  h_2 = h' z_2 + b h'' sum of z_k^2 (k over space, 2 the second-order channel).
  template <class Z>
  KOKKOS_FORCEINLINE_FUNCTION void activate(const Z& z, int first, Real* h) const {
    const std::int64_t stride = place.panel_stride();
    for (int neuron = first; neuron < first + N; neuron += G)
      for (int lane = own_lane(); lane < B; lane += lanes) {
        Real* const out = h + neuron * B + lane;
        Swish<P> swish[G];
        P h_prime[G], squares[G], tangent[G];
        each([&](const int g) { swish[g].z = P::load(z.values(neuron + g) + lane); });
        each([&](const int g) {
          swish[g].s = sigmoid(swish[g].z);
          if (place.backward) swish[g].s.store(z.sigmoids(neuron + g) + lane);
          swish[g].value().store(out + g * B);
          h_prime[g] = swish[g].first();
          squares[g] = 0;
        });
        for (int k = 1; k <= channels.space; ++k) {
          each([&](const int g) { tangent[g] = z.tangent(k, neuron + g, lane); });
          each([&](const int g) {
            squares[g] += tangent[g] * tangent[g];
            (h_prime[g] * tangent[g]).store(out + k * stride + g * B);
          });
        }
        if (channels.second_order) {
          const P factor = P::load(b + lane);
          each([&](const int g) { tangent[g] = z.second_order(neuron + g, lane); });
          each([&](const int g) {
            (h_prime[g] * tangent[g] + factor * swish[g].second() * squares[g])
                .store(out + channels.second_order_channel() * stride + g * B);
          });
        }
      }
  }

  /// body(g) for the neurons that a thread activates side by side.
  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION static void each(const Body& body) {
    BOLTZCURVE_UNROLL(4)
    for (int g = 0; g < G; ++g) body(g);
  }

  /// sum[j] += pack j of the sum over neurons of weight times row of a panel of h.
  KOKKOS_FORCEINLINE_FUNCTION void add_weighted_rows(const Real* w, const Real* panel, P* sum) const {
    // Two independent sums a register, else every addition waits for the one before.
    P other[Packs] = {};
    BOLTZCURVE_UNROLL_ON_GPU(8)
    for (int i = 0; i < place.width; i += 2)
      for (int j = 0; j < Packs; ++j) {
        sum[j] += P(w[i]) * P::load(panel + i * B + j * lanes + own_lane());
        other[j] += P(w[i + 1]) * P::load(panel + (i + 1) * B + j * lanes + own_lane());
      }
    for (int j = 0; j < Packs; ++j) sum[j] += other[j];
  }

  /// The network's one output in every channel from h of the last hidden layer.
  KOKKOS_FORCEINLINE_FUNCTION void output(const TeamMember& member, const Real* h, Real* results) const {
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, channels.count()), [&](const int channel) {
      P sum[Packs] = {};
      add_weighted_rows(weights + layout.output(), h + channel * place.panel_stride(), sum);
      const P bias = channel == 0 ? weights[layout.output_bias()] : Real(0);
      for (int j = 0; j < Packs; ++j) (bias + sum[j]).store(results + channel * B + j * lanes + own_lane());
    });
    member.team_barrier();
  }

  /// The values of all outputs, and the sum over k of the tangent by x_k of output k.
  KOKKOS_FORCEINLINE_FUNCTION void output_field(const TeamMember& member, const Real* h, Real* results) const {
    const int count = channels.space;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, count + 1), [&](const int result) {
      P sum[Packs] = {};
      if (result < count)
        add_weighted_rows(weights + layout.output(result), h, sum);
      else
        for (int k = 0; k < count; ++k) add_weighted_rows(weights + layout.output(k), h + (k + 1) * place.panel_stride(), sum);
      const P bias = result < count ? weights[layout.output_bias() + result] : Real(0);
      for (int j = 0; j < Packs; ++j) (bias + sum[j]).store(results + result * B + j * lanes + own_lane());
    });
    member.team_barrier();
  }

  /// rows [count][N][B]: adjoint of h of the last hidden layer.
  KOKKOS_FORCEINLINE_FUNCTION void output_adjoint(const Real* seeds, int first, Real* rows) const {
    for (int channel = 0; channel < channels.count(); ++channel)
      for (int i = 0; i < N; ++i) {
        const P w = weights[layout.output() + first + i];
        for (int lane = own_lane(); lane < B; lane += lanes)
          (w * P::load(seeds + channel * B + lane)).store(rows + (channel * N + i) * B + lane);
      }
  }

  KOKKOS_FORCEINLINE_FUNCTION void output_field_adjoint(const Real* seeds, int first, Real* rows) const {
    const int count = channels.space;
    for (int i = 0; i < N; ++i)
      for (int lane = own_lane(); lane < B; lane += lanes) {
        const P of_divergence = P::load(seeds + count * B + lane);
        P sum = 0;
        for (int k = 0; k < count; ++k) {
          const P w = weights[layout.output(k) + first + i];
          sum += w * P::load(seeds + k * B + lane);
          (w * of_divergence).store(rows + ((k + 1) * N + i) * B + lane);
        }
        sum.store(rows + i * B + lane);
      }
  }

  KOKKOS_FORCEINLINE_FUNCTION void output_gradient(const Real* seeds, const Real* rows, Real* out) const {
    P sum[N] = {};
    for (int channel = 0; channel < channels.count(); ++channel)
      for (int lane = own_lane(); lane < B; lane += lanes) {
        const P seed = P::load(seeds + channel * B + lane);
        BOLTZCURVE_UNROLL_ON_GPU(16)
        for (int i = 0; i < N; ++i) sum[i] += seed * P::load(rows + (channel * N + i) * B + lane);
      }
    add_lane_sums<N>(sum, out);
  }

  KOKKOS_FORCEINLINE_FUNCTION void output_field_gradient(const Real* seeds, const Real* rows, Real* out) const {
    const int count = channels.space;
    for (int k = 0; k < count; ++k) {
      P sum[N] = {};
      for (int lane = own_lane(); lane < B; lane += lanes) {
        const P of_value = P::load(seeds + k * B + lane), of_divergence = P::load(seeds + count * B + lane);
        BOLTZCURVE_UNROLL_ON_GPU(16)
        for (int i = 0; i < N; ++i)
          sum[i] += of_value * P::load(rows + i * B + lane) + of_divergence * P::load(rows + ((k + 1) * N + i) * B + lane);
      }
      add_lane_sums<N>(sum, out + std::int64_t{k} * place.width);
    }
  }

  /// rows [count][N][B], adjoint of h of N neurons of a layer, becomes h itself; their adjoint of z takes its place.
  ///     z-bar   = h' h-bar + h'' (sum_k z_k h_k-bar + z_2 h_2-bar) + b h''' sum_k z_k^2 h_2-bar
  ///     z_k-bar = h' h_k-bar + 2 b h'' z_k h_2-bar,   z_2-bar = h' h_2-bar
  KOKKOS_FORCEINLINE_FUNCTION void activate_backward(int layer, int first, Real* rows) const {
    if (layer == 0)
      activate_backward(FirstLayerZ{*this}, first, rows, memory + place.adjoint(0));
    else
      activate_backward(LayerZ{*this, memory + place.z(layer)}, first, rows, memory + place.adjoint(layer));
  }

  template <class Z>
  KOKKOS_FORCEINLINE_FUNCTION void activate_backward(const Z& z, int first, Real* rows, Real* z_bar) const {
    constexpr int row_stride = N * B;
    const std::int64_t stride = place.panel_stride();
    const int second = channels.second_order_channel();
    for (int i = 0; i < N; i += G)
      for (int lane = own_lane(); lane < B; lane += lanes) {
        const int neuron = first + i;
        Real* const row = rows + i * B + lane;
        Real* const out = z_bar + neuron * B + lane;
        Swish<P> swish[G];
        P h_prime[G], h_second[G], value_bar[G], mixed[G], squares[G], second_bar[G], twice[G], half_scaled[G], tangent[G], bar[G];
        each([&](const int g) {
          swish[g] = {P::load(z.values(neuron + g) + lane), P::load(z.sigmoids(neuron + g) + lane)};
          bar[g] = P::load(row + g * B);
          second_bar[g] = channels.second_order ? P::load(row + second * row_stride + g * B) : P(0);
        });
        each([&](const int g) {
          h_prime[g] = swish[g].first(), h_second[g] = swish[g].second();
          value_bar[g] = h_prime[g] * bar[g];
          swish[g].value().store(row + g * B);
          mixed[g] = squares[g] = twice[g] = half_scaled[g] = 0;
          if (channels.second_order) {
            half_scaled[g] = P::load(b + lane) * second_bar[g];
            twice[g] = P(2) * h_second[g] * half_scaled[g];
          }
        });
        for (int k = 1; k <= channels.space; ++k) {
          each([&](const int g) { tangent[g] = z.tangent(k, neuron + g, lane), bar[g] = P::load(row + k * row_stride + g * B); });
          each([&](const int g) {
            mixed[g] += tangent[g] * bar[g];
            squares[g] += tangent[g] * tangent[g];
            (h_prime[g] * bar[g] + twice[g] * tangent[g]).store(out + k * stride + g * B);
            (h_prime[g] * tangent[g]).store(row + k * row_stride + g * B);
          });
        }
        if (channels.second_order) {
          each([&](const int g) { tangent[g] = z.second_order(neuron + g, lane); });
          each([&](const int g) {
            mixed[g] += tangent[g] * second_bar[g];
            value_bar[g] += swish[g].third() * squares[g] * half_scaled[g];
            (h_prime[g] * second_bar[g]).store(out + second * stride + g * B);
            (h_prime[g] * tangent[g] + P::load(b + lane) * h_second[g] * squares[g]).store(row + second * row_stride + g * B);
          });
        }
        each([&](const int g) { (value_bar[g] + h_second[g] * mixed[g]).store(out + g * B); });
      }
  }

  /// Gradients that are sums over points of rows of z-bar alone: biases, and all of the first layer's.
  KOKKOS_FORCEINLINE_FUNCTION void row_gradients(int layer, int first, Real* gradient) const {
    bias_gradient(layer, first, gradient);
    if (layer > 0) return;
    const Real* const rows = memory + place.adjoint(0) + first * B;
    const int count = layout.shape.inputs;
    for (int k = 0; k < count; ++k) {
      const bool along_clock = channels.second_order && k == count - 1;
      const Real* const derivative = rows + (along_clock ? channels.second_order_channel() : k + 1) * place.panel_stride();
      const P scale = input_scale[k * step];
      P sum[N] = {};
      BOLTZCURVE_UNROLL_ON_GPU(16)
      for (int i = 0; i < N; ++i)
        for (int lane = own_lane(); lane < B; lane += lanes) {
          sum[i] += P::load(rows + i * B + lane) * P::load(inputs + k * step * B + lane);
          if (along_clock)
            sum[i] += scale * P::load(a + lane) * P::load(derivative + i * B + lane);
          else if (k < channels.space)
            sum[i] += scale * P::load(derivative + i * B + lane);
        }
      add_lane_sums<N>(sum, gradient + k * place.width + first);
    }
  }

  KOKKOS_FORCEINLINE_FUNCTION void bias_gradient(int layer, int first, Real* gradient) const {
    const Real* const rows = memory + place.adjoint(layer) + first * B;
    P sum[N] = {};
    BOLTZCURVE_UNROLL_ON_GPU(16)
    for (int i = 0; i < N; ++i)
      for (int lane = own_lane(); lane < B; lane += lanes) sum[i] += P::load(rows + i * B + lane);
    add_lane_sums<N>(sum, gradient + layout.bias_gradient(layer) + first);
  }

  /// Numbers of one slab: [count][B][lanes].
  KOKKOS_FORCEINLINE_FUNCTION std::int64_t slab_size() const { return std::int64_t{channels.count()} * B * lanes; }

  /// Rows of N neurons, [count][N][B] with channels `stride` apart, into their places of the slabs: transposed in registers, or on a GPU by
  /// writing a point's neurons one after another.
  KOKKOS_FORCEINLINE_FUNCTION void store_transposed(const Real* rows, std::int64_t stride, int first) const {
    constexpr int side = threads_abreast == 1 ? lanes : N;  // neurons at a time
    for (int i = 0; i < N; i += side)
      for (int channel = 0; channel < channels.count(); ++channel)
        for (int lane = own_lane(); lane < B; lane += lanes) {
          P square[side];
          BOLTZCURVE_UNROLL(16)
          for (int r = 0; r < side; ++r) square[r] = P::load(rows + channel * stride + (i + r) * B + lane);
          transpose(square);
          Real* const out = memory + place.slabs() + (first + i) / lanes * slab_size() + (channel * B + lane) * lanes + (first + i) % lanes;
          store_rows<side>(square, out);
        }
  }

  /// gradient [W][W] += sum over points and channels of z-bar h, h from the slabs.
  KOKKOS_FORCEINLINE_FUNCTION void weight_gradient(const TeamMember& member, const Real* z_bar, Real* gradient) const {
    outer_gradient(member, z_bar, place.panel_stride(), place.width, gradient);
  }

  /// gradient [count][W] += sum over points and channels of rows [count][B], channels `stride` apart, times the slabs; whole blocks of R
  /// rows.
  KOKKOS_FORCEINLINE_FUNCTION void outer_gradient(const TeamMember& member, const Real* rows, std::int64_t stride, int count,
                                                  Real* gradient) const {
    constexpr int R = RegisterBlock::neurons;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, team_parts(member)), [&](const int part) {
      for_column_blocks<Real>(place.width / lanes, [&]<int Columns>(int slab, std::integral_constant<int, Columns>) {
        for (int row = part * R; row + R <= count; row += team_parts(member) * R)
          add_outer_products<Columns, B>(rows + row * B, stride, memory + place.slabs() + slab * slab_size() + own_lane(), slab_size(),
                                         channels.count(), gradient + std::int64_t{row} * place.width + slab * lanes + own_lane(),
                                         place.width);
      });
    });
    member.team_barrier();
  }

  /// Into how many parts the rows of a gradient fall: on the host one for every thread of the team, each walking through a slab that stays
  /// in its cache.
  KOKKOS_FORCEINLINE_FUNCTION static int team_parts(const TeamMember& member) { return member.team_size(); }
};

template <class Real, int Packs>
KOKKOS_FUNCTION void MlpTile<Real, Packs>::forward(const TeamMember& member, Real* results) const {
  for_chunks(member, [&](const int first) {
    first_layer(first);
    activate(FirstLayerZ{*this}, first, memory + place.set(0));
  });
  for (int layer = 1; layer < layout.shape.hidden_layers; ++layer) {
    const Real* const below = memory + place.set((layer - 1) % 2);
    for_chunks(member, [&](const int first) {
      product(weights + layout.forward(layer), weights + layout.bias(layer), below, first,
              memory + place.z(layer) + std::int64_t{first} * B, place.panel_stride(), channels.count());
      activate(LayerZ{*this, memory + place.z(layer)}, first, memory + place.set(layer % 2));
    });
  }
  const Real* const last = memory + place.set((layout.shape.hidden_layers - 1) % 2);
  if (channels.divergence)
    output_field(member, last, results);
  else
    output(member, last, results);
}

template <class Real, int Packs>
KOKKOS_FUNCTION void MlpTile<Real, Packs>::backward(const TeamMember& member, const Real* seeds, Real* gradient) const {
  const int last = layout.shape.hidden_layers - 1;
  for_chunks(member, [&](const int first) {
    Real* const rows = memory + place.rows(member.team_rank());
    if (channels.divergence)
      output_field_adjoint(seeds, first, rows);
    else
      output_adjoint(seeds, first, rows);
    activate_backward(last, first, rows);
    if (channels.divergence)
      output_field_gradient(seeds, rows, gradient + layout.output_gradient() + first);
    else
      output_gradient(seeds, rows, gradient + layout.output_gradient() + first);
    row_gradients(last, first, gradient);
  });
  Kokkos::parallel_for(Kokkos::TeamThreadRange(member, layout.shape.outputs), [&](const int k) {
    Kokkos::single(Kokkos::PerThread(member), [&]() {
      Real sum = gradient[layout.output_bias_gradient() + k];
      for (int p = 0; p < B; ++p) sum += seeds[k * B + p];
      gradient[layout.output_bias_gradient() + k] = sum;
    });
  });
  for (int layer = last; layer >= 1; --layer) {
    const Real* const adjoint = memory + place.adjoint(layer);
    for_chunks(member, [&](const int first) {
      Real* const rows = memory + place.rows(member.team_rank());
      product(weights + layout.backward(layer), nullptr, adjoint, first, rows, std::int64_t{N} * B, channels.count());
      activate_backward(layer - 1, first, rows);
      store_transposed(rows, std::int64_t{N} * B, first);
      row_gradients(layer - 1, first, gradient);
    });
    weight_gradient(member, adjoint, gradient + layout.hidden_gradient(layer));
  }
}

// On the host compiled once, in network/mlp_tile.cpp; a GPU's compiler wants the code where the kernels are.
#ifndef BOLTZCURVE_ONE_LANE
extern template struct MlpTile<float, 1>;
extern template struct MlpTile<float, 2>;
extern template struct MlpTile<double, 1>;
extern template struct MlpTile<double, 2>;
#endif

}  // namespace boltzcurve

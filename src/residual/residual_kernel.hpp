#pragma once

#include "residual/to_device.hpp"

#include <boltzcurve/error.hpp>
#include "network/network_models.hpp"
#include "residual/curve_concept.hpp"
#include "residual/residual.hpp"
#include "simd/pack_math.hpp"

#include <algorithm>
#include <string_view>
#include <type_traits>
#include <utility>

// The fused kernel, for any curve (residual/curve_concept.hpp) and networks (network/network_concept.hpp): included by the file of each,
// which instantiates it.
namespace boltzcurve::detail {

inline constexpr std::int64_t alignment_bytes = 64;

/// Threads of a team that go through a tile together: on the host the one whose caches it lies in, on a GPU as many warps as there are
/// chunks of neurons, up to a number that leaves each thread the registers for its block of sums.
inline constexpr int max_warps = 8, min_teams = 2;  // of a multiprocessor: 128 registers a thread
inline int team_size_for(int padded_width) { return threads_abreast == 1 ? 1 : std::min(max_warps, padded_width / chunk_neurons); }

template <class Real>
constexpr std::int64_t aligned(std::int64_t count) {
  constexpr std::int64_t numbers = alignment_bytes / static_cast<std::int64_t>(sizeof(Real));
  return (count + numbers - 1) / numbers * numbers;
}

/// Vectors of points in a tile. Two make every weight that is loaded serve twice as many points, which counts where a layer's weights
/// [W][W] are more than what a tile of one vector carries through it [W][channels][lanes]; else the smaller tile fits the caches better.
template <class Real>
int packs_for(const NetworkShape& network, int channels) {
  if (threads_abreast > 1) return 1;
  return network.width >= channels * pack_lanes<Real> ? 2 : 1;
}

/// The networks of a curve, those it names and then the normalizer, a function of the clock alone.
template <class Curve>
struct Slots {
  static constexpr int normalizer = Curve::network_count, count = Curve::network_count + 1;

  static std::string_view name(int slot) { return slot == normalizer ? "normalizer" : Curve::network_names[slot]; }
  static Channels channels(const Curve& curve, int slot) { return slot == normalizer ? Channels{} : curve.channels(slot); }
  static bool needed_for_velocity(int slot) { return slot != normalizer && Curve::needed_for_velocity(slot); }
};

/// A network in its slot, packed as its model's tiles want it. Absent ones have no weights.
template <class Real>
struct PackedNetwork {
  bool present = false;
  NetworkShape shape;
  Kokkos::View<Real*> weights;

  /// body(layout), host.
  template <class Body>
  auto with_layout(const Body& body) const {
    return with_network(shape.kind, [&](auto model) { return body(typename decltype(model)::Layout(shape)); });
  }
  std::int64_t gradient_size() const {
    return with_layout([](const auto& layout) { return layout.gradient_size(); });
  }
};

/// Where a team keeps one tile in its scratch memory: offsets in numbers.
template <class Curve, class Real, int Packs>
struct TilePlan {
  static constexpr int points = Packs * lanes_abreast<Real>;
  using CurveSlots = Slots<Curve>;

  struct Slot {
    bool active;
    Channels channels;
    SecondOrderRows second_order;                 // rows of time
    std::int64_t results, seeds, tile, gradient;  // the last within the gradient
  };

  int known_rows, team_size = 1;
  bool with_gradient;
  Slot slots[CurveSlots::count];
  std::int64_t inputs, weight, unit, time, known;
  std::int64_t gradient, loss, sum_size, total;  // the two in the middle within the gradient

  TilePlan(const Curve& curve, const PackedNetwork<Real>* networks, Purpose purpose, bool with_sums)
      : known_rows(curve.known_rows()), with_gradient(with_sums) {
    std::int64_t end = 0;
    const auto reserve = [&](std::int64_t count) { return std::exchange(end, end + aligned<Real>(count)); };
    inputs = reserve((curve.dimension + 1) * points);
    weight = reserve(points);
    unit = reserve(points);
    time = reserve(Curve::time_row_count * points);
    known = reserve(known_rows * points);
    loss = 0;
    for (int s = 0; s < CurveSlots::count; ++s) {
      auto& slot = slots[s];
      slot.active = networks[s].present && (purpose == Purpose::residual || CurveSlots::needed_for_velocity(s));
      slot.channels = CurveSlots::channels(curve, s);
      slot.second_order = slot.channels.second_order ? curve.second_order_rows(s) : SecondOrderRows{0, 0};
      slot.results = reserve(slot.active ? slot.channels.results() * points : 0);
      slot.seeds = reserve(slot.active && with_gradient ? slot.channels.results() * points : 0);
      slot.gradient = loss;
      if (!slot.active) continue;
      loss += networks[s].gradient_size();
      team_size = std::max(team_size, team_size_for(networks[s].with_layout([](const auto& layout) { return layout.padded_width; })));
    }
    for (int s = 0; s < CurveSlots::count; ++s) {
      const auto& shape = networks[s].shape;
      slots[s].tile = reserve(!slots[s].active ? 0 : with_network(shape.kind, [&](auto model) {
        return decltype(model)::template Tile<Real, Packs>::memory_size(shape, slots[s].channels, with_gradient, team_size);
      }));
    }
    sum_size = loss + 1;
    gradient = reserve(with_gradient ? sum_size : 0);
    total = end;
  }
};

/// What is known of a pack of points once the networks have been asked.
template <class Curve, class Real, int Packs>
struct PointRows {
  using P = Pack<Real>;
  using Plan = TilePlan<Curve, Real, Packs>;

  const Plan& plan;
  const Real* memory;  // of the tile, moved on to the pack or to the thread's own lane

  KOKKOS_FORCEINLINE_FUNCTION P row(std::int64_t rows, int row) const { return P::load(memory + rows + row * Plan::points); }
  KOKKOS_FORCEINLINE_FUNCTION P time(int k) const { return row(plan.time, k); }
  KOKKOS_FORCEINLINE_FUNCTION P known(int k) const { return row(plan.known, k); }
  KOKKOS_FORCEINLINE_FUNCTION P result(int network, int k) const { return row(plan.slots[network].results, k); }
  KOKKOS_FORCEINLINE_FUNCTION bool has(int network) const { return plan.slots[network].active; }
};

/// A team's part: its share of the chunks of points, tile by tile.
template <class Curve, class Real, int Packs>
struct TileFunctor {
  using P = Pack<Real>;
  using Plan = TilePlan<Curve, Real, Packs>;
  using Member = Kokkos::TeamPolicy<>::member_type;
  using Scratch = Kokkos::View<char*, Kokkos::DefaultExecutionSpace::scratch_memory_space, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  static constexpr int points = Plan::points;

  Curve curve;
  PackedNetwork<Real> networks[Slots<Curve>::count];
  Plan plan;
  Kokkos::View<const Real*> shift, scale;
  PointScalars<const Real> t;
  Points<const Real> x, known;
  std::int64_t n;

  KOKKOS_INLINE_FUNCTION std::int64_t scratch_bytes() const {
    return plan.total * static_cast<std::int64_t>(sizeof(Real)) + alignment_bytes;
  }

  KOKKOS_INLINE_FUNCTION Real* scratch_of(const Member& member) const {
    const Scratch scratch(member.team_scratch(1), static_cast<std::size_t>(scratch_bytes()));
    const auto address = (reinterpret_cast<std::uintptr_t>(scratch.data()) + alignment_bytes - 1) / alignment_bytes * alignment_bytes;
    return reinterpret_cast<Real*>(address);
  }

  KOKKOS_INLINE_FUNCTION TileArguments<Real> arguments(int s, Real* memory) const {
    const auto& slot = plan.slots[s];
    const int first_input = networks[s].shape.inputs == 1 ? curve.dimension : 0;
    return {networks[s].shape,
            slot.channels,
            plan.with_gradient,
            networks[s].weights.data(),
            scale.data() + first_input,
            memory + plan.inputs + first_input * points,
            memory + plan.time + slot.second_order.a * points,
            memory + plan.time + slot.second_order.b * points,
            memory + slot.tile};
  }

  KOKKOS_INLINE_FUNCTION void forward(const Member& member, Real* memory) const {
    for (int s = 0; s < Slots<Curve>::count; ++s)
      if (plan.slots[s].active)
        with_network(networks[s].shape.kind, [&](auto model) {
          using Tile = typename decltype(model)::template Tile<Real, Packs>;
          Tile(arguments(s, memory)).forward(member, memory + plan.slots[s].results);
        });
  }
  KOKKOS_INLINE_FUNCTION void backward(const Member& member, Real* memory) const {
    for (int s = 0; s < Slots<Curve>::count; ++s)
      if (plan.slots[s].active)
        with_network(networks[s].shape.kind, [&](auto model) {
          using Tile = typename decltype(model)::template Tile<Real, Packs>;
          Tile(arguments(s, memory)).backward(member, memory + plan.slots[s].seeds, memory + plan.gradient + plan.slots[s].gradient);
        });
  }

  /// Copies what is known of the tile's points into rows of scratch; places beyond the last point repeat it.
  template <Purpose purpose>
  KOKKOS_INLINE_FUNCTION void gather(const Member& member, std::int64_t first, std::int64_t end, Real* memory) const {
    const int D = curve.dimension;
    const auto index = [=](int p) { return first + p < end ? first + p : end - 1; };
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, Packs), [&](const int pack) {
      const int lane = pack * lanes_abreast<Real> + own_lane();
      Real* const rows = memory + lane;
      P time = 0;
      for (int l = 0; l < P::lanes; ++l) time.set(l, t(index(lane + l)));
      const auto reading = curve.clock_at(time);
      ((reading.clock - P(shift(D))) * P(scale(D))).store(rows + plan.inputs + D * points);
      fmax(fabs(reading.time_per_clock), P(min_time_per_clock)).store(rows + plan.unit);
      Real* const time_rows = rows + plan.time;
      curve.store_time_rows(purpose, time, reading, [=](int row, P value) { value.store(time_rows + row * points); });
    });
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, D), [&](const int k) {
      for (int p = own_lane(); p < points; p += threads_abreast)
        memory[plan.inputs + k * points + p] = (x(index(p), k) - shift(k)) * scale(k);
    });
    if (purpose == Purpose::residual || Curve::velocity_needs_energies)
      Kokkos::parallel_for(Kokkos::TeamThreadRange(member, plan.known_rows), [&](const int k) {
        for (int p = own_lane(); p < points; p += threads_abreast) memory[plan.known + k * points + p] = known(index(p), k);
      });
    member.team_barrier();
  }
};

/// Residual, loss and gradient.
template <class Curve, class Real, int Packs, bool with_gradient>
struct ResidualFunctor {
  using Tiles = TileFunctor<Curve, Real, Packs>;
  using P = Pack<Real>;
  using Member = typename Tiles::Member;
  static constexpr int points = Tiles::points, normalizer = Slots<Curve>::normalizer;

  Tiles tiles;
  PointScalars<Real> residual;
  PartialSums sums;
  Real point_weight;  // 1 / points in the batch
  LossShape loss;

  KOKKOS_INLINE_FUNCTION void operator()(const Member& member) const {
    Real* const memory = tiles.scratch_of(member);
    Real* const gradient = memory + tiles.plan.gradient;
    for (std::int64_t begin = std::int64_t{member.league_rank()} * summed_points; begin < tiles.n;
         begin += std::int64_t{member.league_size()} * summed_points) {
      const std::int64_t end = begin + summed_points < tiles.n ? begin + summed_points : tiles.n;
      if constexpr (with_gradient) {
        Kokkos::parallel_for(Kokkos::TeamVectorRange(member, tiles.plan.sum_size), [&](const std::int64_t i) { gradient[i] = 0; });
        member.team_barrier();
      }
      for (std::int64_t first = begin; first < end; first += points) one_tile(member, first, end, memory);
      if constexpr (with_gradient) sums.add(member, gradient);
    }
  }

  KOKKOS_INLINE_FUNCTION void one_tile(const Member& member, std::int64_t first, std::int64_t end, Real* memory) const {
    tiles.template gather<Purpose::residual>(member, first, end, memory);
    tiles.forward(member, memory);
    residual_and_seeds(member, first, end, memory);
    if constexpr (with_gradient) tiles.backward(member, memory);
  }

  KOKKOS_INLINE_FUNCTION void residual_and_seeds(const Member& member, std::int64_t first, std::int64_t end, Real* memory) const {
    const auto& plan = tiles.plan;
    const auto& curve = tiles.curve;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, Packs), [&](const int pack) {
      const int lane = pack * lanes_abreast<Real> + own_lane();
      const PointRows<Curve, Real, Packs> rows{plan, memory + lane};
      const P time_per_clock = rows.row(plan.unit, 0);
      P r = curve.template residual<P>(rows);
      if (rows.has(normalizer)) r -= rows.result(normalizer, 0) / time_per_clock;
      for (int l = 0; l < P::lanes && first + lane + l < end; ++l) residual(first + lane + l) = r[l];
      if constexpr (with_gradient) {
        P weight = P(point_weight);
        for (int l = 0; l < P::lanes; ++l)
          if (first + lane + l >= end) weight.set(l, 0);
        const P unit = loss.unit == ResidualUnit::clock ? time_per_clock : P(1), scaled = unit * r;
        P cost = scaled * scaled, by_residual = P(2) * weight * unit * scaled;
        if (loss.kind == LossKind::pseudo_huber) {
          // 2 w^2 (sqrt(1 + q) - 1) = 2 R^2 / (1 + sqrt(1 + q)), q = (R/w)^2: without the difference of nearly equal numbers.
          const P root = sqrt(P(1) + cost * P(1 / (loss.width * loss.width)));
          cost = P(2) * cost / (P(1) + root);
          by_residual /= root;
        } else if (loss.kind == LossKind::absolute_and_squared) {
          const P size = fabs(scaled), sign = select(scaled > P(0), P(1), select(scaled < P(0), P(-1), scaled));
          cost += size;
          by_residual += weight * unit * sign;
        }
        (weight * cost).store(memory + plan.weight + lane);  // the loss per point
        if (rows.has(normalizer)) (-by_residual / time_per_clock).store(memory + plan.slots[normalizer].seeds + lane);
        curve.template residual_gradient<P>(rows, by_residual, [&](int network, int result, P value) {
          value.store(memory + plan.slots[network].seeds + result * points + lane);
        });
      }
    });
    member.team_barrier();
    if constexpr (with_gradient)
      Kokkos::single(Kokkos::PerTeam(member), [&]() {
        Real sum = 0;
        for (int p = 0; p < points; ++p) sum += memory[plan.weight + p];
        memory[plan.gradient + plan.loss] += sum;
      });
  }
};

/// Velocity and divergence.
template <class Curve, class Real, int Packs>
struct VelocityFunctor {
  using Tiles = TileFunctor<Curve, Real, Packs>;
  using P = Pack<Real>;
  using Member = typename Tiles::Member;
  static constexpr int points = Tiles::points;

  Tiles tiles;
  Points<Real> velocity;
  PointScalars<Real> divergence;

  KOKKOS_INLINE_FUNCTION void operator()(const Member& member) const {
    Real* const memory = tiles.scratch_of(member);
    const std::int64_t stride = std::int64_t{member.league_size()} * points;
    for (std::int64_t first = std::int64_t{member.league_rank()} * points; first < tiles.n; first += stride)
      one_tile(member, first, memory);
  }

  KOKKOS_INLINE_FUNCTION void one_tile(const Member& member, std::int64_t first, Real* memory) const {
    const auto& curve = tiles.curve;
    tiles.template gather<Purpose::velocity>(member, first, tiles.n, memory);
    tiles.forward(member, memory);
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, Packs), [&](const int pack) {
      const int lane = pack * lanes_abreast<Real> + own_lane();
      const PointRows<Curve, Real, Packs> rows{tiles.plan, memory + lane};
      for (int k = 1; k <= curve.dimension + 1; ++k) {
        const P value = curve.template velocity<P>(k, rows);
        for (int l = 0; l < P::lanes && first + lane + l < tiles.n; ++l) {
          if (k <= curve.dimension)
            velocity(first + lane + l, k - 1) = value[l];
          else
            divergence(first + lane + l) = value[l];
        }
      }
    });
    member.team_barrier();
  }
};

inline int chunks_of(std::int64_t n, std::int64_t chunk) { return static_cast<int>((n + chunk - 1) / chunk); }

template <class Functor>
void launch_teams(const char* label, int teams, const Functor& functor) {
  if (teams == 0) return;
  using Policy = std::conditional_t<threads_abreast == 1, Kokkos::TeamPolicy<>,
                                    Kokkos::TeamPolicy<Kokkos::LaunchBounds<max_warps * threads_abreast, min_teams>>>;
  Policy policy(teams, functor.tiles.plan.team_size, threads_abreast);
  policy.set_scratch_size(1, Kokkos::PerTeam(static_cast<int>(functor.tiles.scratch_bytes())));
  Kokkos::parallel_for(label, policy, functor);
}

template <CurveFunctor Curve, class Real>
class ResidualKernelOf final : public ResidualKernel<Real> {
 public:
  using CurveSlots = Slots<Curve>;

  ResidualKernelOf(const Curve& curve, const CurveNetworks& networks, const LossShape& loss)
      : curve_(curve),
        networks_(networks),
        loss_(loss),
        parameters_("boltzcurve::parameters", static_cast<std::size_t>(networks.parameter_count())),
        input_shift_(to_device<Real>("boltzcurve::input_shift", networks.input_shift)),
        input_scale_(to_device<Real>("boltzcurve::input_scale", networks.input_scale)) {
    // As the widest network wants it.
    int width = 0;
    for (const auto& [name, shape] : networks.list) {
      const int slot = slot_of(name);
      if (shape.width > width) packs_ = packs_for<Real>(shape, CurveSlots::channels(curve, slot).count());
      width = std::max(width, shape.width);
    }
    for (const auto& [name, shape] : networks.list) {
      auto& network = packed_[slot_of(name)];
      network.present = true;
      network.shape = shape;
      const auto count = network.with_layout([](const auto& layout) { return layout.weights_size(); });
      network.weights = Kokkos::View<Real*>("boltzcurve::packed_weights", static_cast<std::size_t>(count));
    }
  }

  void set_parameters(std::span<const double> parameters) override {
    Kokkos::deep_copy(parameters_, Kokkos::View<const double*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(
                                       parameters.data(), parameters.size()));
    std::size_t begin = 0;
    for (const auto& [name, shape] : networks_.list) {
      const std::size_t end = begin + static_cast<std::size_t>(parameter_count(shape));
      auto& network = packed_[slot_of(name)];
      const Kokkos::View<const double*> part = Kokkos::subview(parameters_, std::make_pair(begin, end));
      with_network(shape.kind, [&](auto model) { model.pack(network.shape, part, network.weights); });
      begin = end;
    }
  }

  std::vector<std::int64_t> sum_borders() const override {
    std::vector<std::int64_t> borders;
    std::int64_t offset = 0;
    for (const auto& network : packed_) {
      if (!network.present) continue;
      const int tensors = static_cast<int>(parameter_tensors(network.shape).size());
      network.with_layout([&](const auto& layout) {
        for (int tensor = 0; tensor < tensors; ++tensor) borders.push_back(offset + layout.gradient_index(tensor, 0, 0));
      });
      offset += network.gradient_size();
    }
    borders.push_back(offset);
    borders.push_back(offset + 1);
    return borders;
  }

  double unpack(const std::vector<double>& sums, std::vector<double>& gradient) const override {
    gradient.resize(static_cast<std::size_t>(networks_.parameter_count()));
    std::int64_t offsets[CurveSlots::count], end = 0;  // in the order of slots
    for (int slot = 0; slot < CurveSlots::count; ++slot) {
      offsets[slot] = end;
      if (packed_[slot].present) end += packed_[slot].gradient_size();
    }
    auto out = gradient.begin();
    for (const auto& [name, shape] : networks_.list) {
      const int slot = slot_of(name);
      const auto tensors = parameter_tensors(shape);
      packed_[slot].with_layout([&](const auto& layout) {
        for (std::size_t k = 0; k < tensors.size(); ++k)
          for (int row = 0; row < tensors[k].rows; ++row)
            for (int column = 0; column < tensors[k].columns; ++column)
              *out++ = sums[static_cast<std::size_t>(offsets[slot] + layout.gradient_index(static_cast<int>(k), row, column))];
      });
    }
    return sums[static_cast<std::size_t>(end)];
  }

  void add_loss_and_gradient(const CollocationBatch<Real>& batch, std::int64_t n, double batch_points, const PartialSums& sums,
                             PointScalars<Real> residual) const override {
    launch<true>(batch, n, batch_points, sums, residual);
  }

  void residual(const CollocationBatch<Real>& batch, std::int64_t n, PointScalars<Real> residual) const override {
    launch<false>(batch, n, 1, {}, residual);
  }

  void velocity(std::int64_t n, PointScalars<const Real> t, Points<const Real> x, Points<const Real> known, Points<Real> velocity,
                PointScalars<Real> divergence) const override {
    with_packs([&]<int Packs>(std::integral_constant<int, Packs>) {
      const VelocityFunctor<Curve, Real, Packs> functor{tiles<Packs>(Purpose::velocity, false, t, x, known, n), velocity, divergence};
      launch_teams("boltzcurve::velocity", chunks_of(n, functor.points), functor);
    });
  }
  bool velocity_needs_energies() const override { return Curve::velocity_needs_energies; }

  std::int64_t scratch_bytes() const override {
    return with_packs([&]<int Packs>(std::integral_constant<int, Packs>) {
      return tiles<Packs>(Purpose::residual, true, {}, {}, {}, 0).scratch_bytes();
    });
  }

  const CurveNetworks& networks() const override { return networks_; }

 private:
  static int slot_of(std::string_view name) {
    for (int slot = 0; slot < CurveSlots::count; ++slot)
      if (CurveSlots::name(slot) == name) return slot;
    throw Error(ExitCode::internal_error, "the curve has no use for a network called " + std::string(name));
  }

  template <class Body>
  auto with_packs(const Body& body) const {
    if constexpr (threads_abreast > 1)
      return body(std::integral_constant<int, 1>());
    else
      return packs_ == 2 ? body(std::integral_constant<int, 2>()) : body(std::integral_constant<int, 1>());
  }

  template <int Packs>
  TileFunctor<Curve, Real, Packs> tiles(Purpose purpose, bool with_gradient, PointScalars<const Real> t, Points<const Real> x,
                                        Points<const Real> known, std::int64_t n) const {
    TileFunctor<Curve, Real, Packs> functor{
        curve_, {}, TilePlan<Curve, Real, Packs>(curve_, packed_, purpose, with_gradient), input_shift_, input_scale_, t, x, known, n};
    std::copy(std::begin(packed_), std::end(packed_), std::begin(functor.networks));
    return functor;
  }

  template <bool with_gradient>
  void launch(const CollocationBatch<Real>& batch, std::int64_t n, double batch_points, const PartialSums& sums,
              PointScalars<Real> residual) const {
    with_packs([&]<int Packs>(std::integral_constant<int, Packs>) {
      const ResidualFunctor<Curve, Real, Packs, with_gradient> functor{
          tiles<Packs>(Purpose::residual, with_gradient, batch.t, batch.x, batch.known, n), residual, sums,
          static_cast<Real>(1 / batch_points), loss_};
      const auto chunks = static_cast<int>(partial_sums_of(n));
      if constexpr (with_gradient)
        launch_teams("boltzcurve::residual_gradient", sums.teams(chunks), functor);
      else
        launch_teams("boltzcurve::residual", chunks, functor);
    });
  }

  Curve curve_;
  CurveNetworks networks_;
  LossShape loss_;
  int packs_ = 1;  // vectors of points in a tile: 1 or 2
  PackedNetwork<Real> packed_[CurveSlots::count];
  Kokkos::View<double*> parameters_;
  Kokkos::View<Real*> input_shift_, input_scale_;
};

}  // namespace boltzcurve::detail

namespace boltzcurve {

template <class Curve, class Real>
std::unique_ptr<ResidualKernel<Real>> make_residual_kernel(const Curve& curve, const CurveNetworks& networks, const LossShape& loss) {
  return std::make_unique<detail::ResidualKernelOf<Curve, Real>>(curve, networks, loss);
}

}  // namespace boltzcurve

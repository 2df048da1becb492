#pragma once

#include "residual/curve_kernel.hpp"

#include "residual/residual.hpp"

#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>

// The fused kernel of the residual, for any curve (residual/curve_concept.hpp) and networks (network/network_concept.hpp): included by the
// file of each, which instantiates it.
namespace boltzcurve::detail {

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

  KOKKOS_INLINE_FUNCTION Real* scratch_of(const Member& member) const { return team_scratch<Real>(member, scratch_bytes()); }

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
    const auto index = [=](int p) { return first + p < end ? first + p : end - 1; };
    gather_inputs<Packs>(member, curve, shift, scale, t, x, first, end, memory + plan.inputs, [&](int lane, P time, const auto& reading) {
      fmax(fabs(reading.time_per_clock), P(min_time_per_clock)).store(memory + plan.unit + lane);
      Real* const time_rows = memory + plan.time + lane;
      curve.store_time_rows(purpose, time, reading, [=](int row, P value) { value.store(time_rows + row * points); });
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
          const PseudoHuber<P> huber(cost, loss.width);
          cost = huber.cost;
          by_residual /= huber.root;
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

template <CurveFunctor Curve, class Real>
class ResidualKernelOf final : public CurveKernelOf<Curve, Real, ResidualKernel<Real>> {
 public:
  using CurveSlots = Slots<Curve>;

  ResidualKernelOf(const Curve& curve, const CurveNetworks& networks, const LossShape& loss)
      : CurveKernelOf<Curve, Real, ResidualKernel<Real>>(curve, networks, [&](int slot) { return CurveSlots::channels(curve, slot); }),
        loss_(loss) {}

  void add_loss_and_gradient(const CollocationBatch<Real>& batch, std::int64_t n, double batch_points, const PartialSums& sums,
                             PointScalars<Real> residual) const override {
    launch<true>(batch, n, batch_points, sums, residual);
  }

  void residual(const CollocationBatch<Real>& batch, std::int64_t n, PointScalars<Real> residual) const override {
    launch<false>(batch, n, 1, {}, residual);
  }

  void velocity(std::int64_t n, PointScalars<const Real> t, Points<const Real> x, Points<const Real> known, Points<Real> velocity,
                PointScalars<Real> divergence) const override {
    this->with_packs([&]<int Packs>(std::integral_constant<int, Packs>) {
      const VelocityFunctor<Curve, Real, Packs> functor{tiles<Packs>(Purpose::velocity, false, t, x, known, n), velocity, divergence};
      launch_teams("boltzcurve::velocity", chunks_of(n, functor.points), functor);
    });
  }
  bool velocity_needs_energies() const override { return Curve::velocity_needs_energies; }

  std::int64_t scratch_bytes() const override {
    return this->with_packs([&]<int Packs>(std::integral_constant<int, Packs>) {
      return tiles<Packs>(Purpose::residual, true, {}, {}, {}, 0).scratch_bytes();
    });
  }

 private:
  template <int Packs>
  TileFunctor<Curve, Real, Packs> tiles(Purpose purpose, bool with_gradient, PointScalars<const Real> t, Points<const Real> x,
                                        Points<const Real> known, std::int64_t n) const {
    TileFunctor<Curve, Real, Packs> functor{this->curve_,
                                            {},
                                            TilePlan<Curve, Real, Packs>(this->curve_, this->packed_, purpose, with_gradient),
                                            this->input_shift_,
                                            this->input_scale_,
                                            t,
                                            x,
                                            known,
                                            n};
    std::copy(std::begin(this->packed_), std::end(this->packed_), std::begin(functor.networks));
    return functor;
  }

  template <bool with_gradient>
  void launch(const CollocationBatch<Real>& batch, std::int64_t n, double batch_points, const PartialSums& sums,
              PointScalars<Real> residual) const {
    this->with_packs([&]<int Packs>(std::integral_constant<int, Packs>) {
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

  LossShape loss_;
};

}  // namespace boltzcurve::detail

namespace boltzcurve {

template <class Curve, class Real>
std::unique_ptr<ResidualKernel<Real>> make_residual_kernel(const Curve& curve, const CurveNetworks& networks, const LossShape& loss) {
  return std::make_unique<detail::ResidualKernelOf<Curve, Real>>(curve, networks, loss);
}

}  // namespace boltzcurve

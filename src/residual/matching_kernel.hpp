#pragma once

#include "residual/curve_kernel.hpp"

#include <boltzcurve/error.hpp>
#include "residual/matching.hpp"

#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>

// The fused kernel of matching: included by the file of a curve that offers it, which instantiates it.
namespace boltzcurve::detail {

/// Where a team keeps one tile in its scratch memory: offsets in numbers.
template <class Real, int Packs>
struct MatchingPlan {
  static constexpr int points = Packs * lanes_abreast<Real>;

  int team_size;
  std::int64_t inputs, slopes, tau, weight, value, tile, gradient;
  std::int64_t loss, sum_size, total;  // the first within the gradient

  /// `gradient_size`: of all networks, of which psi's is the first.
  MatchingPlan(const PackedNetwork<Real>& psi, std::int64_t gradient_size, bool with_gradient)
      : team_size(team_size_for(psi.with_layout([](const auto& layout) { return layout.padded_width; }))),
        loss(gradient_size),
        sum_size(gradient_size + 1) {
    std::int64_t end = 0;
    const auto reserve = [&](std::int64_t count) { return std::exchange(end, end + aligned<Real>(count)); };
    inputs = reserve(psi.shape.inputs * points);
    slopes = reserve(psi.shape.inputs * points);
    tau = reserve(points);
    weight = reserve(points);
    value = reserve(points);
    tile = reserve(with_network(psi.shape.kind, [&](auto model) {
      return decltype(model)::template GradientTile<Real, Packs>::memory_size(psi.shape, team_size);
    }));
    gradient = reserve(with_gradient ? sum_size : 0);
    total = end;
  }
};

/// psi and its gradient by reverse mode at a tile of points, and the gradient of its tangent by its parameters.
template <class Curve, class Real, int Packs>
struct PsiTiles {
  using P = Pack<Real>;
  static constexpr int points = Packs * lanes_abreast<Real>;

  Curve curve;
  PackedNetwork<Real> psi;
  MatchingPlan<Real, Packs> plan;
  Kokkos::View<const Real*> shift, scale;
  PointScalars<const Real> t;
  Points<const Real> x;
  std::int64_t n;

  KOKKOS_INLINE_FUNCTION std::int64_t scratch_bytes() const {
    return plan.total * static_cast<std::int64_t>(sizeof(Real)) + alignment_bytes;
  }

  KOKKOS_INLINE_FUNCTION Real* scratch_of(const TeamMember& member) const { return team_scratch<Real>(member, scratch_bytes()); }

  /// psi -> value [points], d psi/d inputs -> slopes [D+1][points], tau [points].
  KOKKOS_INLINE_FUNCTION void psi_and_slopes(const TeamMember& member, std::int64_t first, std::int64_t end, Real* memory) const {
    gather_inputs<Packs>(member, curve, shift, scale, t, x, first, end, memory + plan.inputs,
                         [&](int lane, P time, const auto&) { curve.factors(time).tau.store(memory + plan.tau + lane); });
    member.team_barrier();
    with_tile(memory, [&](const auto& tile) { tile.value_and_slopes(member, memory + plan.value, memory + plan.slopes); });
  }

  /// Gradient by psi's parameters of the sum over points of the tangent of psi along the vector that stands in `slopes`.
  KOKKOS_INLINE_FUNCTION void add_tangent_gradient(const TeamMember& member, Real* memory) const {
    with_tile(memory, [&](const auto& tile) { tile.tangent_gradient(member, memory + plan.gradient); });
  }

 private:
  template <class Body>
  KOKKOS_INLINE_FUNCTION void with_tile(Real* memory, const Body& body) const {
    with_network(psi.shape.kind, [&](auto model) {
      using Tile = typename decltype(model)::template GradientTile<Real, Packs>;
      body(Tile({psi.shape, psi.weights.data(), memory + plan.inputs, memory + plan.slopes, memory + plan.tile}));
    });
  }
};

/// Misfit, loss and gradient.
template <class Curve, class Real, int Packs, bool with_gradient>
struct MatchingFunctor {
  using Tiles = PsiTiles<Curve, Real, Packs>;
  using P = Pack<Real>;
  static constexpr int points = Tiles::points;

  Tiles tiles;
  Points<const Real> base, goal;
  PointScalars<const Real> spread;
  PointScalars<Real> misfit;
  PartialSums sums;
  Real point_weight;  // 1 / points in the batch
  MatchingShape shape;

  KOKKOS_INLINE_FUNCTION void operator()(const TeamMember& member) const {
    Real* const memory = tiles.scratch_of(member);
    Real* const gradient = memory + tiles.plan.gradient;
    for (std::int64_t begin = std::int64_t{member.league_rank()} * summed_points; begin < tiles.n;
         begin += std::int64_t{member.league_size()} * summed_points) {
      const std::int64_t end = begin + summed_points < tiles.n ? begin + summed_points : tiles.n;
      if constexpr (with_gradient) {
        Kokkos::parallel_for(Kokkos::TeamVectorRange(member, tiles.plan.sum_size), [&](const std::int64_t i) { gradient[i] = 0; });
        member.team_barrier();
      }
      for (std::int64_t first = begin; first < end; first += points) {
        tiles.psi_and_slopes(member, first, end, memory);
        match(member, first, end, memory);
        if constexpr (with_gradient) tiles.add_tangent_gradient(member, memory);
      }
      if constexpr (with_gradient) sums.add(member, gradient);
    }
  }

  /// The misfit and, in place of the slopes by inputs, which are `scale` times a coordinate, the loss's derivatives by them.
  KOKKOS_INLINE_FUNCTION void match(const TeamMember& member, std::int64_t first, std::int64_t end, Real* memory) const {
    const auto& plan = tiles.plan;
    const int D = tiles.curve.dimension;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, Packs), [&](const int pack) {
      const int lane = pack * lanes_abreast<Real> + own_lane();
      const auto index = [=](int l) { return first + lane + l < end ? first + lane + l : end - 1; };
      const P tau = P::load(memory + plan.tau + lane);
      P square = 0, of_point = 0, weight = P(point_weight);
      for (int k = 0; k < D; ++k) {
        Real* const row = memory + plan.slopes + k * points + lane;
        P known = 0;
        for (int l = 0; l < P::lanes; ++l) known.set(l, base(index(l), k) - goal(index(l), k));
        const P error = known + tau * P(tiles.scale(k)) * P::load(row);
        square += error * error;
        error.store(row);
      }
      for (int l = 0; l < P::lanes; ++l) of_point.set(l, spread(index(l)));
      const P q = of_point * square;
      for (int l = 0; l < P::lanes && first + lane + l < end; ++l) misfit(first + lane + l) = q[l];
      if constexpr (with_gradient) {
        for (int l = 0; l < P::lanes; ++l)
          if (first + lane + l >= end) weight.set(l, 0);
        P cost = q, by_square = weight * of_point;
        if (shape.kind == LossKind::pseudo_huber) {
          const PseudoHuber<P> huber(q, shape.width);
          cost = huber.cost;
          by_square /= huber.root;
        }
        (weight * cost).store(memory + plan.weight + lane);  // the loss per point
        const P factor = P(2) * tau * by_square;
        for (int k = 0; k < D; ++k) {
          Real* const row = memory + plan.slopes + k * points + lane;
          (factor * P(tiles.scale(k)) * P::load(row)).store(row);
        }
        P(0).store(memory + plan.slopes + D * points + lane);  // the clock stands still
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

/// tau psi and tau grad psi.
template <class Curve, class Real, int Packs>
struct PsiFunctor {
  using Tiles = PsiTiles<Curve, Real, Packs>;
  using P = Pack<Real>;
  static constexpr int points = Tiles::points;

  Tiles tiles;
  PointScalars<Real> psi;
  Points<Real> gradient;

  KOKKOS_INLINE_FUNCTION void operator()(const TeamMember& member) const {
    Real* const memory = tiles.scratch_of(member);
    const auto& plan = tiles.plan;
    const std::int64_t stride = std::int64_t{member.league_size()} * points;
    for (std::int64_t first = std::int64_t{member.league_rank()} * points; first < tiles.n; first += stride) {
      tiles.psi_and_slopes(member, first, tiles.n, memory);
      Kokkos::parallel_for(Kokkos::TeamThreadRange(member, tiles.curve.dimension + 1), [&](const int k) {
        const Real* const row = memory + (k == 0 ? plan.value : plan.slopes + (k - 1) * points);
        const Real scale = k == 0 ? Real(1) : tiles.scale(k - 1);
        for (int p = own_lane(); p < points && first + p < tiles.n; p += threads_abreast) {
          const Real value = memory[plan.tau + p] * scale * row[p];
          if (k == 0)
            psi(first + p) = value;
          else
            gradient(first + p, k - 1) = value;
        }
      });
      member.team_barrier();
    }
  }
};

template <class Curve, class Real>
class MatchingKernelOf final : public CurveKernelOf<Curve, Real, MatchingKernel<Real>> {
 public:
  MatchingKernelOf(const Curve& curve, const CurveNetworks& networks, const MatchingShape& shape)
      : CurveKernelOf<Curve, Real, MatchingKernel<Real>>(curve, networks,
                                                         [](int) {
                                                           return Channels{0, true};
                                                         }),
        shape_(shape) {
    static_assert(Curve::of_psi == 0, "psi's gradient is the first");
    if (shape.kind != LossKind::pseudo_huber && shape.kind != LossKind::squared)
      throw Error(ExitCode::internal_error, "the loss of matching is pseudo-huber or squared");
  }

  void add_loss_and_gradient(const MatchingBatch<Real>& batch, std::int64_t n, double batch_points, const PartialSums& sums,
                             PointScalars<Real> misfit) const override {
    launch<true>(batch, n, batch_points, sums, misfit);
  }

  void misfit(const MatchingBatch<Real>& batch, std::int64_t n, PointScalars<Real> misfit) const override {
    launch<false>(batch, n, 1, {}, misfit);
  }

  void psi_and_gradient(std::int64_t n, PointScalars<const Real> t, Points<const Real> x, PointScalars<Real> psi,
                        Points<Real> gradient) const override {
    this->with_packs([&]<int Packs>(std::integral_constant<int, Packs>) {
      const PsiFunctor<Curve, Real, Packs> functor{tiles<Packs>(false, t, x, n), psi, gradient};
      launch_teams("boltzcurve::psi_and_gradient", chunks_of(n, functor.points), functor);
    });
  }

  std::int64_t scratch_bytes() const override {
    return this->with_packs([&]<int Packs>(std::integral_constant<int, Packs>) { return tiles<Packs>(true, {}, {}, 0).scratch_bytes(); });
  }

 private:
  template <int Packs>
  PsiTiles<Curve, Real, Packs> tiles(bool with_gradient, PointScalars<const Real> t, Points<const Real> x, std::int64_t n) const {
    std::int64_t gradient_size = 0;
    for (const auto& network : this->packed_)
      if (network.present) gradient_size += network.gradient_size();
    const auto& psi = this->packed_[Curve::of_psi];
    return {
        this->curve_, psi, MatchingPlan<Real, Packs>(psi, gradient_size, with_gradient), this->input_shift_, this->input_scale_, t, x, n};
  }

  template <bool with_gradient>
  void launch(const MatchingBatch<Real>& batch, std::int64_t n, double batch_points, const PartialSums& sums,
              PointScalars<Real> misfit) const {
    this->with_packs([&]<int Packs>(std::integral_constant<int, Packs>) {
      const MatchingFunctor<Curve, Real, Packs, with_gradient> functor{tiles<Packs>(with_gradient, batch.t, batch.x, n),
                                                                       batch.base,
                                                                       batch.goal,
                                                                       batch.spread,
                                                                       misfit,
                                                                       sums,
                                                                       static_cast<Real>(1 / batch_points),
                                                                       shape_};
      const auto chunks = static_cast<int>(partial_sums_of(n));
      if constexpr (with_gradient)
        launch_teams("boltzcurve::matching_gradient", sums.teams(chunks), functor);
      else
        launch_teams("boltzcurve::matching", chunks, functor);
    });
  }

  MatchingShape shape_;
};

}  // namespace boltzcurve::detail

namespace boltzcurve {

template <class Curve, class Real>
std::unique_ptr<MatchingKernel<Real>> make_matching_kernel(const Curve& curve, const CurveNetworks& networks, const MatchingShape& shape) {
  return std::make_unique<detail::MatchingKernelOf<Curve, Real>>(curve, networks, shape);
}

}  // namespace boltzcurve

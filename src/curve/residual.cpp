#include <boltzcurve/curve/residual.hpp>
#include <boltzcurve/network/tile.hpp>

#include <type_traits>
#include <utility>

namespace boltzcurve {
namespace {

constexpr std::int64_t alignment_bytes = 64;
constexpr int team_size = 1;

template <class Real>
constexpr std::int64_t aligned(std::int64_t count) {
  constexpr std::int64_t numbers = alignment_bytes / static_cast<std::int64_t>(sizeof(Real));
  return (count + numbers - 1) / numbers * numbers;
}

Channels training_channels(int dimension) { return {dimension, true}; }

/// Vectors of points in a tile. Two make every weight that is loaded serve twice as many points, which counts where a layer's weights
/// [W][W] are more than what a tile of one vector carries through it [W][channels][lanes]; else the smaller tile fits the caches better.
template <class Real>
int packs_for(const MlpShape& network, int channels) {
  return network.width >= channels * pack_lanes<Real> ? 2 : 1;
}

/// Where a team keeps one tile in its scratch memory: offsets in numbers.
template <class Real, int Packs>
struct TilePlan {
  static constexpr int points = TileLayout<Real, Packs>::points;

  Channels channels;
  TileLayout<Real, Packs> psi_place, normaliser_place;
  std::int64_t inputs, weight, share, share_rate, time_per_clock, clock_factor, laplacian_factor, base, latent, psi, seeds, c, c_seeds,
      psi_tile, normaliser_tile;
  std::int64_t gradient, total;
  std::int64_t normaliser_gradient, loss, sum_size;  // within the gradient

  TilePlan(int dimension, const PackedLayout& psi_layout, const PackedLayout* normaliser, bool with_gradient)
      : channels(training_channels(dimension)),
        psi_place{psi_layout.padded_width, channels.count(), psi_layout.shape.hidden_layers, with_gradient} {
    std::int64_t end = 0;
    const auto reserve = [&](std::int64_t count) { return std::exchange(end, end + aligned<Real>(count)); };
    inputs = reserve((dimension + 1) * points);
    weight = reserve(points);
    share = reserve(points);
    share_rate = reserve(points);
    time_per_clock = reserve(points);
    clock_factor = reserve(points);
    laplacian_factor = reserve(points);
    base = reserve((dimension + 2) * points);
    latent = reserve((dimension + 2) * points);
    psi = reserve(channels.count() * points);
    seeds = reserve(channels.count() * points);
    c = reserve(points);
    c_seeds = reserve(points);
    psi_tile = reserve(psi_place.size(team_size));
    normaliser_tile = end;
    if (normaliser) {
      normaliser_place = {normaliser->padded_width, 1, normaliser->shape.hidden_layers, with_gradient};
      normaliser_tile = reserve(normaliser_place.size(team_size));
    }
    normaliser_gradient = psi_layout.padded_gradient_size();
    loss = normaliser_gradient + (normaliser ? normaliser->padded_gradient_size() : 0);
    sum_size = loss + 1;
    gradient = reserve(with_gradient ? sum_size : 0);
    total = end;
  }
};

/// What the second-order channel is asked for: a and b of  a d/ds + b Laplacian.
enum class SecondOrder {
  in_the_residual,  ///< t d/dt - t Laplacian, as GradientFlow says
  laplacian         ///< the Laplacian alone
};

/// A team's part: its share of the chunks of points, tile by tile.
template <class Real, int Packs>
struct TileFunctor {
  using P = Pack<Real>;
  using Member = Kokkos::TeamPolicy<>::member_type;
  using Scratch = Kokkos::View<char*, Kokkos::DefaultExecutionSpace::scratch_memory_space, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

  GradientFlow curve;
  PackedLayout psi_layout, normaliser_layout;
  bool has_normaliser;
  TilePlan<Real, Packs> plan;
  Kokkos::View<const Real*> psi_weights, normaliser_weights, shift, scale;
  PointScalars<const Real> t;
  Points<const Real> x, base, latent;
  std::int64_t n;

  std::int64_t scratch_bytes() const { return plan.total * static_cast<std::int64_t>(sizeof(Real)) + alignment_bytes; }

  KOKKOS_INLINE_FUNCTION Real* scratch_of(const Member& member) const {
    const Scratch scratch(member.team_scratch(1), static_cast<std::size_t>(scratch_bytes()));
    const auto address = (reinterpret_cast<std::uintptr_t>(scratch.data()) + alignment_bytes - 1) / alignment_bytes * alignment_bytes;
    return reinterpret_cast<Real*>(address);
  }

  KOKKOS_INLINE_FUNCTION TileNetwork<Real, Packs> psi_network(Real* memory) const {
    return {psi_layout,
            plan.channels,
            plan.psi_place,
            psi_weights.data(),
            scale.data(),
            memory + plan.inputs,
            memory + plan.clock_factor,
            memory + plan.laplacian_factor,
            memory + plan.psi_tile};
  }

  KOKKOS_INLINE_FUNCTION TileNetwork<Real, Packs> normaliser_network(Real* memory) const {
    return {normaliser_layout,
            Channels{},
            plan.normaliser_place,
            normaliser_weights.data(),
            scale.data() + curve.dimension,
            memory + plan.inputs + curve.dimension * plan.points,
            nullptr,
            nullptr,
            memory + plan.normaliser_tile};
  }

  /// Copies what is known of the tile's points into rows of scratch; places beyond the last point repeat it.
  template <SecondOrder second_order>
  KOKKOS_INLINE_FUNCTION void gather(const Member& member, std::int64_t first, std::int64_t end, Real* memory) const {
    const int D = curve.dimension;
    constexpr int points = TilePlan<Real, Packs>::points;
    const auto index = [=](int p) { return first + p < end ? first + p : end - 1; };
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, points / P::lanes), [&](const int pack) {
      Real* const rows = memory + pack * P::lanes;
      P time = 0;
      for (int l = 0; l < P::lanes; ++l) time.set(l, t(index(pack * P::lanes + l)));
      const auto factors = curve.factors(time);
      const auto [clock, time_per_clock] = curve.clock_at(time);
      ((clock - P(shift(D))) * P(scale(D))).store(rows + plan.inputs + D * points);
      factors.share.store(rows + plan.share);
      factors.share_rate.store(rows + plan.share_rate);
      time_per_clock.store(rows + plan.time_per_clock);
      const bool whole = second_order == SecondOrder::in_the_residual;
      (whole ? curve.clock_factor(factors.share, time_per_clock) : P(0)).store(rows + plan.clock_factor);
      (whole ? curve.laplacian_factor(factors.share) : P(1)).store(rows + plan.laplacian_factor);
    });
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, D), [&](const int k) {
      for (int p = 0; p < points; ++p) memory[plan.inputs + k * points + p] = (x(index(p), k) - shift(k)) * scale(k);
    });
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, D + 2), [&](const int k) {
      for (int p = 0; p < points; ++p) {
        memory[plan.base + k * points + p] = base(index(p), k);
        memory[plan.latent + k * points + p] = latent(index(p), k);
      }
    });
    member.team_barrier();
  }
};

/// Residual, loss and gradient.
template <class Real, int Packs, bool with_gradient>
struct ResidualFunctor {
  using Tiles = TileFunctor<Real, Packs>;
  using P = Pack<Real>;
  using Member = typename Tiles::Member;
  static constexpr int points = TilePlan<Real, Packs>::points;

  Tiles tiles;
  PointScalars<Real> residual;
  PartialSums sums;
  Real point_weight;  // 1 / points in the batch
  LossShape loss;

  KOKKOS_INLINE_FUNCTION void operator()(const Member& member) const {
    Real* const memory = tiles.scratch_of(member);
    Real* const gradient = memory + tiles.plan.gradient;
    for (std::int64_t begin = std::int64_t{member.league_rank()} * chunk_points; begin < tiles.n;
         begin += std::int64_t{member.league_size()} * chunk_points) {
      const std::int64_t end = begin + chunk_points < tiles.n ? begin + chunk_points : tiles.n;
      if constexpr (with_gradient) {
        Kokkos::parallel_for(Kokkos::TeamThreadRange(member, tiles.plan.sum_size), [&](const std::int64_t i) { gradient[i] = 0; });
        member.team_barrier();
      }
      for (std::int64_t first = begin; first < end; first += points) one_tile(member, first, end, memory);
      if constexpr (with_gradient) sums.add(member, gradient);
    }
  }

  KOKKOS_INLINE_FUNCTION void one_tile(const Member& member, std::int64_t first, std::int64_t end, Real* memory) const {
    const auto& plan = tiles.plan;
    tiles.template gather<SecondOrder::in_the_residual>(member, first, end, memory);
    const auto psi = tiles.psi_network(memory);
    const auto normaliser = tiles.normaliser_network(memory);
    psi.forward(member, memory + plan.psi);
    if (tiles.has_normaliser) normaliser.forward(member, memory + plan.c);
    residual_and_seeds(member, first, end, memory);
    if constexpr (with_gradient) {
      psi.backward(member, memory + plan.seeds, memory + plan.gradient);
      if (tiles.has_normaliser) normaliser.backward(member, memory + plan.c_seeds, memory + plan.gradient + plan.normaliser_gradient);
    }
  }

  KOKKOS_INLINE_FUNCTION void residual_and_seeds(const Member& member, std::int64_t first, std::int64_t end, Real* memory) const {
    const auto& plan = tiles.plan;
    const auto& curve = tiles.curve;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, points / P::lanes), [&](const int pack) {
      const int lane = pack * P::lanes;
      const auto load = [=](const Real* rows, int row) { return P::load(rows + row * points + lane); };
      const Real *const base = memory + plan.base, *const latent = memory + plan.latent, *const psi = memory + plan.psi;
      const P share = load(memory + plan.share, 0), share_rate = load(memory + plan.share_rate, 0);
      const P c = tiles.has_normaliser ? load(memory + plan.c, 0) : P(0);
      const P r = curve.residual(share, share_rate, c, load, base, latent, psi);
      for (int l = 0; l < P::lanes && first + lane + l < end; ++l) residual(first + lane + l) = r[l];
      if constexpr (with_gradient) {
        P weight = P(point_weight);
        for (int l = 0; l < P::lanes; ++l)
          if (first + lane + l >= end) weight.set(l, 0);
        const P unit = loss.unit == ResidualUnit::clock ? load(memory + plan.time_per_clock, 0) : P(1), scaled = unit * r;
        P cost = scaled * scaled, slope = P(2) * weight * unit * scaled;
        if (loss.kind == LossKind::pseudo_huber) {
          // 2 w^2 (sqrt(1 + q) - 1) = 2 R^2 / (1 + sqrt(1 + q)), q = (R/w)^2: without the difference of nearly equal numbers.
          const P root = sqrt(P(1) + cost * P(1 / (loss.width * loss.width)));
          cost = P(2) * cost / (P(1) + root);
          slope /= root;
        }
        (weight * cost).store(memory + plan.weight + lane);  // the loss per point
        (-slope).store(memory + plan.c_seeds + lane);
        Real* const seeds = memory + plan.seeds;
        curve.residual_slopes(share, share_rate, slope, load, base, latent, psi,
                              [=](int channel, P value) { value.store(seeds + channel * points + lane); });
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
template <class Real, int Packs>
struct VelocityFunctor {
  using Tiles = TileFunctor<Real, Packs>;
  using P = Pack<Real>;
  using Member = typename Tiles::Member;
  static constexpr int points = TilePlan<Real, Packs>::points;

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
    const auto& plan = tiles.plan;
    const auto& curve = tiles.curve;
    tiles.template gather<SecondOrder::laplacian>(member, first, tiles.n, memory);
    tiles.psi_network(memory).forward(member, memory + plan.psi);
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, points / P::lanes), [&](const int pack) {
      const int lane = pack * P::lanes;
      const auto load = [=](const Real* rows, int row) { return P::load(rows + row * points + lane); };
      const Real *const base = memory + plan.base, *const latent = memory + plan.latent, *const psi = memory + plan.psi;
      const P share = load(memory + plan.share, 0);
      for (int k = 1; k <= curve.dimension + 1; ++k) {
        const P value = curve.velocity(k, share, load, base, latent, psi);
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

int chunks_of(std::int64_t n, std::int64_t chunk) { return static_cast<int>((n + chunk - 1) / chunk); }

template <class Functor>
void launch_teams(const char* label, int teams, const Functor& functor) {
  if (teams == 0) return;
  Kokkos::TeamPolicy<> policy(teams, team_size);
  policy.set_scratch_size(1, Kokkos::PerTeam(static_cast<int>(functor.tiles.scratch_bytes())));
  Kokkos::parallel_for(label, policy, functor);
}

}  // namespace

std::vector<ParameterTensor> CurveNetworks::tensors() const {
  auto all = parameter_tensors(psi);
  for (auto& tensor : all) tensor.name = "psi/" + tensor.name;
  if (normaliser) {
    const std::int64_t offset = boltzcurve::parameter_count(psi);
    for (auto tensor : parameter_tensors(*normaliser)) {
      tensor.name = "normalizer/" + tensor.name;
      tensor.offset += offset;
      all.push_back(tensor);
    }
  }
  return all;
}

std::int64_t CurveNetworks::parameter_count() const {
  return boltzcurve::parameter_count(psi) + (normaliser ? boltzcurve::parameter_count(*normaliser) : 0);
}

template <class Real>
CollocationBatch<Real>::CollocationBatch(std::int64_t points, int dimension)
    : t("boltzcurve::collocation_time", static_cast<std::size_t>(points)),
      x("boltzcurve::collocation_position", static_cast<std::size_t>(points), static_cast<std::size_t>(dimension)),
      base("boltzcurve::collocation_base", static_cast<std::size_t>(points), static_cast<std::size_t>(dimension + 2)),
      latent("boltzcurve::collocation_latent", static_cast<std::size_t>(points), static_cast<std::size_t>(dimension + 2)) {}

template <class Real>
ResidualKernel<Real>::ResidualKernel(const GradientFlow& curve, const CurveNetworks& networks, const LossShape& loss)
    : curve_(curve),
      networks_(networks),
      loss_(loss),
      packs_(packs_for<Real>(networks.psi, training_channels(curve.dimension).count())),
      psi_(networks.psi),
      normaliser_(networks.normaliser.value_or(MlpShape{1, 8, 1})),
      parameters_("boltzcurve::parameters", static_cast<std::size_t>(networks.parameter_count())),
      psi_weights_("boltzcurve::packed_psi", static_cast<std::size_t>(psi_.weights_size())),
      normaliser_weights_("boltzcurve::packed_normaliser", static_cast<std::size_t>(normaliser_.weights_size())),
      input_shift_("boltzcurve::input_shift", networks.input_shift.size()),
      input_scale_("boltzcurve::input_scale", networks.input_scale.size()) {
  const auto shift = Kokkos::create_mirror_view(input_shift_);
  const auto scale = Kokkos::create_mirror_view(input_scale_);
  for (std::size_t k = 0; k < networks.input_shift.size(); ++k) {
    shift(k) = static_cast<Real>(networks.input_shift[k]);
    scale(k) = static_cast<Real>(networks.input_scale[k]);
  }
  Kokkos::deep_copy(input_shift_, shift);
  Kokkos::deep_copy(input_scale_, scale);
}

template <class Real>
void ResidualKernel<Real>::set_parameters(std::span<const double> parameters) {
  Kokkos::deep_copy(parameters_, Kokkos::View<const double*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(
                                     parameters.data(), parameters.size()));
  const auto psi_count = static_cast<std::size_t>(boltzcurve::parameter_count(networks_.psi));
  pack_weights<Real>(psi_, Kokkos::subview(parameters_, std::make_pair(std::size_t{0}, psi_count)), psi_weights_);
  if (networks_.normaliser)
    pack_weights<Real>(normaliser_, Kokkos::subview(parameters_, std::make_pair(psi_count, parameters_.extent(0))), normaliser_weights_);
}

template <class Real>
std::vector<std::int64_t> ResidualKernel<Real>::sum_borders() const {
  std::vector<std::int64_t> borders;
  std::int64_t offset = 0;
  const auto append = [&](const PackedLayout& layout) {
    const int tensors = 2 * (layout.shape.hidden_layers + 1);
    for (int tensor = 0; tensor < tensors; ++tensor) borders.push_back(offset + layout.gradient_index(tensor, 0, 0));
    offset += layout.padded_gradient_size();
  };
  append(psi_);
  if (networks_.normaliser) append(normaliser_);
  borders.push_back(offset);
  borders.push_back(offset + 1);
  return borders;
}

template <class Real>
double ResidualKernel<Real>::unpack(const std::vector<double>& sums, std::vector<double>& gradient) const {
  gradient.resize(static_cast<std::size_t>(networks_.parameter_count()));
  auto out = gradient.begin();
  std::int64_t offset = 0;
  const auto append = [&](const PackedLayout& layout) {
    const auto tensors = parameter_tensors(layout.shape);
    for (std::size_t k = 0; k < tensors.size(); ++k)
      for (int row = 0; row < tensors[k].rows; ++row)
        for (int column = 0; column < tensors[k].columns; ++column)
          *out++ = sums[static_cast<std::size_t>(offset + layout.gradient_index(static_cast<int>(k), row, column))];
    offset += layout.padded_gradient_size();
  };
  append(psi_);
  if (networks_.normaliser) append(normaliser_);
  return sums[static_cast<std::size_t>(offset)];
}

template <class Real>
template <class Body>
auto ResidualKernel<Real>::with_packs(const Body& body) const {
  return packs_ == 2 ? body(std::integral_constant<int, 2>()) : body(std::integral_constant<int, 1>());
}

template <class Real>
std::int64_t ResidualKernel<Real>::scratch_bytes() const {
  return with_packs([&]<int Packs>(std::integral_constant<int, Packs>) {
    const TilePlan<Real, Packs> plan(curve_.dimension, psi_, networks_.normaliser ? &normaliser_ : nullptr, true);
    return plan.total * static_cast<std::int64_t>(sizeof(Real)) + alignment_bytes;
  });
}

template <class Real>
template <bool with_gradient>
void ResidualKernel<Real>::launch(const CollocationBatch<Real>& batch, std::int64_t n, double batch_points, const PartialSums& sums,
                                  PointScalars<Real> residual) const {
  with_packs([&]<int Packs>(std::integral_constant<int, Packs>) {
    const bool has_normaliser = networks_.normaliser.has_value();
    const TilePlan<Real, Packs> plan(curve_.dimension, psi_, has_normaliser ? &normaliser_ : nullptr, with_gradient);
    const TileFunctor<Real, Packs> tiles{
        curve_,       psi_,         normaliser_, has_normaliser, plan,       psi_weights_, normaliser_weights_,
        input_shift_, input_scale_, batch.t,     batch.x,        batch.base, batch.latent, n};
    const ResidualFunctor<Real, Packs, with_gradient> functor{tiles, residual, sums, static_cast<Real>(1 / batch_points), loss_};
    const int chunks = chunks_of(n, chunk_points);
    if constexpr (with_gradient)
      launch_teams("boltzcurve::residual_gradient", sums.teams(chunks), functor);
    else
      launch_teams("boltzcurve::residual", chunks, functor);
  });
}

template <class Real>
void ResidualKernel<Real>::add_loss_and_gradient(const CollocationBatch<Real>& batch, std::int64_t n, double batch_points,
                                                 const PartialSums& sums, PointScalars<Real> residual) const {
  launch<true>(batch, n, batch_points, sums, residual);
}

template <class Real>
void ResidualKernel<Real>::residual(const CollocationBatch<Real>& batch, std::int64_t n, PointScalars<Real> residual) const {
  launch<false>(batch, n, 1, {}, residual);
}

template <class Real>
void ResidualKernel<Real>::velocity(std::int64_t n, PointScalars<const Real> t, Points<const Real> x, Points<const Real> base,
                                    Points<const Real> latent, Points<Real> velocity, PointScalars<Real> divergence) const {
  with_packs([&]<int Packs>(std::integral_constant<int, Packs>) {
    const TilePlan<Real, Packs> plan(curve_.dimension, psi_, nullptr, false);
    const TileFunctor<Real, Packs> tiles{curve_,       psi_,         normaliser_, false, plan, psi_weights_, normaliser_weights_,
                                         input_shift_, input_scale_, t,           x,     base, latent,       n};
    const VelocityFunctor<Real, Packs> functor{tiles, velocity, divergence};
    launch_teams("boltzcurve::velocity", chunks_of(n, plan.points), functor);
  });
}

template struct CollocationBatch<float>;
template struct CollocationBatch<double>;
template class ResidualKernel<float>;
template class ResidualKernel<double>;

}  // namespace boltzcurve

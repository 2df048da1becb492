#include <boltzcurve/curve/residual.hpp>

#include <algorithm>

namespace boltzcurve {
namespace {

constexpr std::int64_t alignment_bytes = 64;

template <class Real>
constexpr std::int64_t aligned(std::int64_t count) {
  constexpr std::int64_t numbers = alignment_bytes / static_cast<std::int64_t>(sizeof(Real));
  return (count + numbers - 1) / numbers * numbers;
}

/// Groups of points that a tile holds: enough that the sums over points of the weight gradient run over some twenty registers before they
/// are folded, no more, so that small tiles stay in the cache.
template <class Real>
int groups_per_tile(int channels) {
  constexpr int all = chunk_points / group_points<Real>, wanted_registers = 20;
  int groups = 1;
  while (groups < all && groups * channels * packs_per_group < wanted_registers) groups *= 2;
  return groups;
}

Channels training_channels(int dimension) { return {dimension, true, true}; }
Channels sampling_channels(int dimension) { return {dimension, false, true}; }

/// Where a team keeps one tile in its scratch memory: offsets in numbers.
template <class Real>
struct TilePlan {
  Channels channels;
  PanelGrid<Real> grid, normaliser_grid;
  std::int64_t points, inputs, time, weight, target, latent, psi, seeds, c, c_seeds, tile, normaliser_tile, gradient, total;
  std::int64_t normaliser_gradient, loss, sum_size;  // within the gradient

  TilePlan(const Channels& carried, int dimension, const PackedLayout& psi_layout, const PackedLayout* normaliser, bool with_gradient)
      : channels(carried) {
    const int groups = with_gradient ? groups_per_tile<Real>(carried.count()) : 1;
    grid = {groups, carried.count(), psi_layout.padded_width};
    points = std::int64_t{groups} * group_points<Real>;
    std::int64_t end = 0;
    const auto reserve = [&](std::int64_t count) { return std::exchange(end, end + aligned<Real>(count)); };
    inputs = reserve((dimension + 1) * points);
    time = reserve(points);
    weight = reserve(points);
    target = reserve((dimension + 2) * points);
    latent = reserve((dimension + 2) * points);
    psi = reserve(carried.count() * points);
    seeds = reserve(carried.count() * points);
    c = reserve(points);
    c_seeds = reserve(points);
    tile = reserve(TileBuffers<Real>::size(grid, psi_layout.shape.hidden_layers));
    normaliser_tile = end;
    if (normaliser) {
      normaliser_grid = {groups, 1, normaliser->padded_width};
      normaliser_tile = reserve(TileBuffers<Real>::size(normaliser_grid, normaliser->shape.hidden_layers));
    }
    normaliser_gradient = psi_layout.padded_gradient_size();
    loss = normaliser_gradient + (normaliser ? normaliser->padded_gradient_size() : 0);
    sum_size = loss + 1;
    gradient = reserve(sum_size);
    total = end;
  }
};

/// One team, one chunk of points: residual, loss and gradient.
template <class Real, bool with_gradient>
struct ResidualFunctor {
  using P = Pack<Real>;
  using Member = Kokkos::TeamPolicy<>::member_type;
  using Scratch = Kokkos::View<char*, Kokkos::DefaultExecutionSpace::scratch_memory_space, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

  GradientFlow curve;
  PackedLayout psi_layout, normaliser_layout;
  bool has_normaliser;
  TilePlan<Real> plan;
  Kokkos::View<const Real*> psi_weights, normaliser_weights, shift, scale;
  PointScalars<const Real> t;
  Points<const Real> x, target, latent;
  PointScalars<Real> residual;
  PartialSums sums;
  std::int64_t n;
  Real point_weight;            // 1 / points in the batch
  Real inverse_residual_scale;  // 0: all points weigh the same

  KOKKOS_INLINE_FUNCTION void operator()(const Member& member) const {
    const Scratch scratch(member.team_scratch(1), static_cast<std::size_t>(scratch_bytes()));
    const auto address = (reinterpret_cast<std::uintptr_t>(scratch.data()) + alignment_bytes - 1) / alignment_bytes * alignment_bytes;
    Real* const memory = reinterpret_cast<Real*>(address);
    const std::int64_t begin = std::int64_t{member.league_rank()} * chunk_points, end = begin + chunk_points < n ? begin + chunk_points : n;

    Real* const gradient = memory + plan.gradient;
    if constexpr (with_gradient) {
      Kokkos::parallel_for(Kokkos::TeamThreadRange(member, plan.sum_size), [&](const std::int64_t i) { gradient[i] = 0; });
      member.team_barrier();
    }
    for (std::int64_t first = begin; first < end; first += plan.points) one_tile(member, first, end, memory);
    if constexpr (with_gradient) sums.add(member, gradient);
  }

  std::int64_t scratch_bytes() const { return plan.total * static_cast<std::int64_t>(sizeof(Real)) + alignment_bytes; }

  KOKKOS_INLINE_FUNCTION void one_tile(const Member& member, std::int64_t first, std::int64_t end, Real* memory) const {
    Real *const inputs = memory + plan.inputs, *const psi = memory + plan.psi, *const seeds = memory + plan.seeds;
    Real *const c = memory + plan.c, *const c_seeds = memory + plan.c_seeds;
    gather(member, first, end, memory);

    const TileBuffers<Real> tile(plan.grid, psi_layout.shape.hidden_layers, memory + plan.tile);
    network_forward<with_gradient>(member, psi_layout, plan.channels, plan.grid, psi_weights.data(), inputs, scale.data(), tile, psi);

    const TileBuffers<Real> c_tile(plan.normaliser_grid, normaliser_layout.shape.hidden_layers, memory + plan.normaliser_tile);
    const Real* const c_inputs = inputs + curve.dimension * plan.points;
    if (has_normaliser)
      network_forward<with_gradient>(member, normaliser_layout, Channels{}, plan.normaliser_grid, normaliser_weights.data(), c_inputs,
                                     scale.data() + curve.dimension, c_tile, c);

    residual_and_seeds(member, first, end, memory);

    if constexpr (with_gradient) {
      Real* const gradient = memory + plan.gradient;
      network_backward(member, psi_layout, plan.channels, plan.grid, psi_weights.data(), inputs, scale.data(), tile, seeds, gradient);
      if (has_normaliser)
        network_backward(member, normaliser_layout, Channels{}, plan.normaliser_grid, normaliser_weights.data(), c_inputs,
                         scale.data() + curve.dimension, c_tile, c_seeds, gradient + plan.normaliser_gradient);
    }
  }

  /// Copies what is known of the tile's points into rows of scratch; places beyond the last point repeat it with weight zero.
  KOKKOS_INLINE_FUNCTION void gather(const Member& member, std::int64_t first, std::int64_t end, Real* memory) const {
    const int D = curve.dimension;
    const std::int64_t points = plan.points;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, points), [&](const std::int64_t p) {
      const std::int64_t i = first + p < end ? first + p : end - 1;
      memory[plan.time + p] = t(i);
      memory[plan.weight + p] = first + p < end ? point_weight : Real(0);
      if (!has_normaliser) memory[plan.c + p] = 0;
    });
    member.team_barrier();
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, points / P::lanes), [&](const std::int64_t pack) {
      const P clock = curve.clock(P::load(memory + plan.time + pack * P::lanes));
      ((clock - P(shift(D))) * P(scale(D))).store(memory + plan.inputs + D * points + pack * P::lanes);
    });
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, D), [&](const int k) {
      for (std::int64_t p = 0; p < points; ++p) {
        const std::int64_t i = first + p < end ? first + p : end - 1;
        memory[plan.inputs + k * points + p] = (x(i, k) - shift(k)) * scale(k);
      }
    });
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, D + 2), [&](const int k) {
      for (std::int64_t p = 0; p < points; ++p) {
        const std::int64_t i = first + p < end ? first + p : end - 1;
        memory[plan.target + k * points + p] = target(i, k);
        memory[plan.latent + k * points + p] = latent(i, k);
      }
    });
    member.team_barrier();
  }

  KOKKOS_INLINE_FUNCTION void residual_and_seeds(const Member& member, std::int64_t first, std::int64_t end, Real* memory) const {
    const std::int64_t points = plan.points;
    const int packs = static_cast<int>(points) / P::lanes;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, packs), [&](const int pack) {
      const std::int64_t lane = std::int64_t{pack} * P::lanes;
      const auto load = [=](const Real* rows, int row) { return P::load(rows + row * points + lane); };
      const Real *const energy = memory + plan.target, *const other = memory + plan.latent, *const psi = memory + plan.psi;
      const P time = load(memory + plan.time, 0);
      const P r = curve.residual(time, load(memory + plan.c, 0), load, energy, other, psi);
      for (int l = 0; l < P::lanes && first + lane + l < end; ++l) residual(first + lane + l) = r[l];
      if constexpr (with_gradient) {
        const P base = P(inverse_residual_scale) * curve.base_residual(time, load, energy, other);
        const P weighted = load(memory + plan.weight, 0) / (P(1) + base * base) * r, slope = weighted + weighted;
        (weighted * r).store(memory + plan.c + lane);  // C itself is no longer needed: its place keeps the loss per point
        (-slope).store(memory + plan.c_seeds + lane);
        Real* const seeds = memory + plan.seeds;
        curve.residual_slopes(time, slope, load, energy, other, psi,
                              [=](int channel, P value) { value.store(seeds + channel * points + lane); });
      }
    });
    member.team_barrier();
    if constexpr (with_gradient)
      Kokkos::single(Kokkos::PerTeam(member), [&]() {
        Real sum = 0;
        for (std::int64_t p = 0; p < points; ++p) sum += memory[plan.c + p];
        memory[plan.gradient + plan.loss] += sum;
      });
  }
};

/// One team, one group of points: velocity and divergence.
template <class Real>
struct VelocityFunctor {
  using P = Pack<Real>;
  using Base = ResidualFunctor<Real, false>;
  using Member = typename Base::Member;
  Base base;
  Points<Real> out_velocity;
  PointScalars<Real> out_divergence;

  KOKKOS_INLINE_FUNCTION void operator()(const Member& member) const {
    const auto& plan = base.plan;
    const typename Base::Scratch scratch(member.team_scratch(1), static_cast<std::size_t>(base.scratch_bytes()));
    const auto address = (reinterpret_cast<std::uintptr_t>(scratch.data()) + alignment_bytes - 1) / alignment_bytes * alignment_bytes;
    Real* const memory = reinterpret_cast<Real*>(address);
    const std::int64_t first = member.league_rank() * plan.points, end = first + plan.points < base.n ? first + plan.points : base.n;
    base.gather(member, first, end, memory);
    const TileBuffers<Real> tile(plan.grid, base.psi_layout.shape.hidden_layers, memory + plan.tile);
    network_forward<false>(member, base.psi_layout, plan.channels, plan.grid, base.psi_weights.data(), memory + plan.inputs,
                           base.scale.data(), tile, memory + plan.psi);

    const int D = base.curve.dimension;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, static_cast<int>(plan.points) / P::lanes), [&](const int pack) {
      const std::int64_t points = plan.points, lane = std::int64_t{pack} * P::lanes;
      const auto load = [=](const Real* rows, int row) { return P::load(rows + row * points + lane); };
      const Real *const energy = memory + plan.target, *const other = memory + plan.latent, *const psi = memory + plan.psi;
      const P time = load(memory + plan.time, 0);
      for (int k = 1; k <= D + 1; ++k) {
        const P value = base.curve.velocity(k, time, load, energy, other, psi);
        for (int l = 0; l < P::lanes && first + lane + l < end; ++l) {
          if (k <= D)
            out_velocity(first + lane + l, k - 1) = value[l];
          else
            out_divergence(first + lane + l) = value[l];
        }
      }
    });
  }
};

int chunks_of(std::int64_t n, std::int64_t chunk) { return static_cast<int>((n + chunk - 1) / chunk); }

template <class Functor>
void launch_teams(const char* label, int teams, std::int64_t scratch_bytes, const Functor& functor) {
  if (teams == 0) return;
  Kokkos::TeamPolicy<> policy(teams, 1);
  policy.set_scratch_size(1, Kokkos::PerTeam(static_cast<int>(scratch_bytes)));
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
      target("boltzcurve::collocation_target", static_cast<std::size_t>(points), static_cast<std::size_t>(dimension + 2)),
      latent("boltzcurve::collocation_latent", static_cast<std::size_t>(points), static_cast<std::size_t>(dimension + 2)) {}

template <class Real>
ResidualKernel<Real>::ResidualKernel(const GradientFlow& curve, const CurveNetworks& networks, double residual_scale)
    : curve_(curve),
      networks_(networks),
      residual_scale_(residual_scale),
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
std::int64_t ResidualKernel<Real>::scratch_bytes() const {
  const TilePlan<Real> plan(training_channels(curve_.dimension), curve_.dimension, psi_, networks_.normaliser ? &normaliser_ : nullptr,
                            true);
  return plan.total * static_cast<std::int64_t>(sizeof(Real)) + alignment_bytes;
}

template <class Real>
template <bool with_gradient>
void ResidualKernel<Real>::launch(const CollocationBatch<Real>& batch, std::int64_t n, double batch_points, const PartialSums& sums,
                                  PointScalars<Real> residual) const {
  const TilePlan<Real> plan(training_channels(curve_.dimension), curve_.dimension, psi_, networks_.normaliser ? &normaliser_ : nullptr,
                            with_gradient);
  const ResidualFunctor<Real, with_gradient> functor{curve_,
                                                     psi_,
                                                     normaliser_,
                                                     networks_.normaliser.has_value(),
                                                     plan,
                                                     psi_weights_,
                                                     normaliser_weights_,
                                                     input_shift_,
                                                     input_scale_,
                                                     batch.t,
                                                     batch.x,
                                                     batch.target,
                                                     batch.latent,
                                                     residual,
                                                     sums,
                                                     n,
                                                     static_cast<Real>(1 / batch_points),
                                                     static_cast<Real>(residual_scale_ > 0 ? 1 / residual_scale_ : 0)};
  launch_teams(with_gradient ? "boltzcurve::residual_gradient" : "boltzcurve::residual", chunks_of(n, chunk_points),
               functor.scratch_bytes(), functor);
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
void ResidualKernel<Real>::velocity(std::int64_t n, PointScalars<const Real> t, Points<const Real> x, Points<const Real> target,
                                    Points<const Real> latent, Points<Real> velocity, PointScalars<Real> divergence) const {
  const TilePlan<Real> plan(sampling_channels(curve_.dimension), curve_.dimension, psi_, nullptr, false);
  const VelocityFunctor<Real> functor{{curve_,
                                       psi_,
                                       normaliser_,
                                       false,
                                       plan,
                                       psi_weights_,
                                       normaliser_weights_,
                                       input_shift_,
                                       input_scale_,
                                       t,
                                       x,
                                       target,
                                       latent,
                                       {},
                                       {},
                                       n,
                                       0,
                                       0},
                                      velocity,
                                      divergence};
  launch_teams("boltzcurve::velocity", chunks_of(n, plan.points), functor.base.scratch_bytes(), functor);
}

template struct CollocationBatch<float>;
template struct CollocationBatch<double>;
template class ResidualKernel<float>;
template class ResidualKernel<double>;

}  // namespace boltzcurve

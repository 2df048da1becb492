#include "training/matching_loss.hpp"

#include <boltzcurve/error.hpp>
#include "collocation/stratified_times.hpp"
#include "random/counter_rng_group.hpp"
#include "residual/matching.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace boltzcurve {
namespace {

constexpr int group_points = 32;            // that are drawn together, in vectors
constexpr double huber_width_per_root = 3;  // the misfit of normal noise is about D: far above it, sqrt(q) counts

template <class Real>
class MatchingLoss final : public BatchLoss {
 public:
  MatchingLoss(const Communicator& ranks, const BatchLossSettings& settings, const Energy& target, const Energy& latent)
      : ranks_(ranks),
        settings_(settings),
        target_(target),
        dimension_(settings.curve->dimension()),
        latent_moments_(latent.moments().value()),
        energies_(settings.curve->energies<Real>(target, latent)),
        anchor_(settings.curve->mixture_anchor<Real>()),
        kernel_(settings.curve->matching_kernel<Real>({LossKind::pseudo_huber, huber_width_per_root * std::sqrt(dimension_)})),
        sum_(kernel_->sum_borders(), partial_sums_of(settings.collocation.points), settings.reduction),
        shard_(shard_of(settings.collocation.points, chunk_points, ranks.rank(), ranks.size())),
        times_(settings.collocation.points),
        size_(static_cast<std::size_t>(std::min(shard_.count, block_points))),
        batch_(static_cast<std::int64_t>(size_), dimension_),
        known_("boltzcurve::matching_known", size_, static_cast<std::size_t>(energies_->rows())),
        noise_("boltzcurve::matching_noise", size_, static_cast<std::size_t>(dimension_)),
        slope_("boltzcurve::matching_slope", size_, static_cast<std::size_t>(dimension_)),
        drawn_t_(Kokkos::create_mirror_view(Kokkos::HostSpace(), batch_.t)),
        drawn_x_(Kokkos::create_mirror_view(Kokkos::HostSpace(), batch_.x)),
        drawn_noise_(Kokkos::create_mirror_view(Kokkos::HostSpace(), noise_)),
        drawn_slope_(Kokkos::create_mirror_view(Kokkos::HostSpace(), slope_)),
        misfit_("boltzcurve::misfit", size_) {}

  const Result& evaluate(const std::vector<double>& parameters, std::int64_t step) override {
    kernel_->set_parameters(parameters);
    if (step != prepared_step_) settings_.population->move(ranks_, target_, settings_.seed, step);
    prepared_step_ = step;
    result_.finite = sum_.sum(ranks_, sums_, [&](const PartialSums& partial) {
      for_each_block(step, [&](std::int64_t, std::int64_t n) {
        kernel_->add_loss_and_gradient(batch_, n, static_cast<double>(settings_.collocation.points), partial, misfit_);
      });
    });
    if (result_.finite) result_.loss = kernel_->unpack(sums_, result_.gradient);
    return result_;
  }

  LeftOut take_left_out() override { return {}; }

  WorstPoint worst_point(const std::vector<double>& parameters, std::int64_t step) override {
    kernel_->set_parameters(parameters);
    WorstPoint worst;
    for_each_block(step, [&](std::int64_t first, std::int64_t n) {
      kernel_->misfit(batch_, n, misfit_);
      const auto q = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), misfit_);
      for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
        worst.take({first + static_cast<std::int64_t>(i), static_cast<double>(drawn_t_(i)), static_cast<double>(q(i)), {}}, drawn_x_, i);
    });
    return worst_of_all_ranks(ranks_, worst, dimension_);
  }

  LossState state() const override {
    return {sum_.exponents(), {}, ranks_.is_root() ? settings_.population->state() : std::vector<NamedArray>()};
  }

  // Unlike chains, a population cannot begin anew: the coordinates and the curve's normal laws came from it.
  bool restore(const LossState& state, bool) override {
    named_part("reduction", [&] {
      if (!state.sum_exponents.empty()) sum_.set_exponents(state.sum_exponents);
    });
    named_part("collocation", [&] { settings_.population->restore(state.collocation); });
    return true;
  }

  const TimeBins& time_bins() const override { return bins_; }

  std::int64_t memory_bytes() const override {
    const std::int64_t per_point = (5 * dimension_ + energies_->rows() + 3) * static_cast<std::int64_t>(sizeof(Real));
    const std::int64_t of_population = 2 * settings_.population->count() * dimension_ * static_cast<std::int64_t>(sizeof(double));
    return static_cast<std::int64_t>(size_) * per_point + kernel_->scratch_bytes() + of_population;
  }

 private:
  template <class Body>
  void for_each_block(std::int64_t step, const Body& body) {
    for_each_block_of(shard_, [&](std::int64_t first, std::int64_t n) {
      fill(step, first, n);
      body(first, n);
    });
  }

  void fill(std::int64_t step, std::int64_t first, std::int64_t n) {
    draw(step, first, static_cast<std::size_t>(n));
    Kokkos::deep_copy(batch_.t, drawn_t_);
    Kokkos::deep_copy(batch_.x, drawn_x_);
    Kokkos::deep_copy(noise_, drawn_noise_);
    Kokkos::deep_copy(slope_, drawn_slope_);
    const auto rows = std::make_pair(std::size_t{0}, static_cast<std::size_t>(n));
    const auto part = [&](const auto& view) { return Kokkos::subview(view, rows, Kokkos::ALL); };
    const auto t = Kokkos::subview(batch_.t, rows);
    energies_->evaluate(t, part(batch_.x), part(known_));
    anchor_->combine(t, part(batch_.x), part(noise_), part(slope_), part(batch_.goal), Kokkos::subview(batch_.spread, rows));
    // Of the known rows of a gradient flow, the gradient of its base comes after its rate.
    Kokkos::deep_copy(batch_.base, Kokkos::subview(known_, Kokkos::ALL, std::make_pair(std::size_t{1}, 1 + batch_.x.extent(1))));
  }

  void draw(std::int64_t step, std::int64_t first, std::size_t n) {
    const std::size_t D = drawn_x_.extent(1);
    const auto& population = *settings_.population;
    const auto seed = settings_.seed;
    Kokkos::parallel_for(
        "boltzcurve::draw_matching", Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, (n + group_points - 1) / group_points),
        [&](const std::size_t group) {
          using Numbers = CounterRngGroup<group_points>;
          const std::size_t begin = group * group_points, size = std::min<std::size_t>(n - begin, group_points);
          const auto numbers = [&](RandomStream stream) {
            return Numbers(seed, stream, static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(first) + begin);
          };
          auto choices = numbers(RandomStream::matching_choice), normals = numbers(RandomStream::matching_noise);
          typename Numbers::Numbers time, choice, normal[2];
          choices.next_uniform(time, choice);
          std::array<double, group_points> clock;
          std::array<Interpolation, group_points> interpolations;
          std::array<std::size_t, group_points> chosen;
          for (std::size_t i = 0; i < size; ++i) {
            clock[i] = settings_.at_target ? 0 : times_.share(step, first + static_cast<std::int64_t>(begin + i), time[i]);
            chosen[i] = static_cast<std::size_t>(choice[i] * static_cast<double>(population.count())) * D;
          }
          settings_.curve->interpolations_at(std::span<const double>(clock.data(), size), time, interpolations);
          for (std::size_t i = 0; i < size; ++i) drawn_t_(begin + i) = static_cast<Real>(time[i]);
          for (std::size_t k = 0; k < D; ++k) {
            if (k % 2 == 0) normals.next_normal(normal[0], normal[1]);
            for (std::size_t i = 0; i < size; ++i) {
              const double noise = interpolations[i].spread * latent_moments_.deviation[k] * normal[k % 2][i];
              const double center = latent_moments_.mean[k];
              drawn_x_(begin + i, k) =
                  static_cast<Real>(center + interpolations[i].contraction * (population.position[chosen[i] + k] - center) + noise);
              drawn_noise_(begin + i, k) = static_cast<Real>(noise);
              drawn_slope_(begin + i, k) = static_cast<Real>(population.gradient[chosen[i] + k]);
            }
          }
        });
  }

  Communicator ranks_;
  BatchLossSettings settings_;
  const Energy& target_;
  std::int64_t prepared_step_ = -1;
  int dimension_;
  Moments latent_moments_;
  std::unique_ptr<CurveEnergies<Real>> energies_;
  std::unique_ptr<MixtureAnchor<Real>> anchor_;
  std::unique_ptr<MatchingKernel<Real>> kernel_;
  ReproducibleSum sum_;
  Shard shard_;
  StratifiedTimes times_;
  std::size_t size_;
  MatchingBatch<Real> batch_;
  Points<Real> known_, noise_, slope_;
  HostScalars<Real> drawn_t_;
  HostPoints<Real> drawn_x_, drawn_noise_, drawn_slope_;
  PointScalars<Real> misfit_;
  TimeBins bins_;
  std::vector<double> sums_;
  Result result_;
};

}  // namespace

std::unique_ptr<BatchLoss> make_matching_loss(Precision precision, const Communicator& ranks, const BatchLossSettings& settings,
                                              const Energy& target, const Energy& latent) {
  if (!settings.population || !settings.curve->matching_kernel<double>({}))
    throw ConfigError(
        "the loss matching needs the curve gradient-flow, with a schedule that is not learned, and a population of the target");
  if (precision == Precision::single_precision) return std::make_unique<MatchingLoss<float>>(ranks, settings, target, latent);
  return std::make_unique<MatchingLoss<double>>(ranks, settings, target, latent);
}

}  // namespace boltzcurve

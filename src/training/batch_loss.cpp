#include "training/batch_loss.hpp"

#include <boltzcurve/error.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace boltzcurve {
namespace {

constexpr auto trajectory_parameters_name = "trajectories/parameters", trajectory_step_name = "trajectories/step";
constexpr std::int64_t never = -1;

// Steps between looks at the residuals where nothing but the diagnosis asks for them: a look costs a reduction and two logarithms a point.
constexpr std::int64_t residual_look_every = 16;

constexpr std::int64_t chunk_per_left_out = 4;  // of a chunk, less than one in so many points may be left out

template <class Real>
std::int64_t count_nonfinite(std::int64_t n, const Points<Real>& rows) {
  std::int64_t count = 0;
  Kokkos::parallel_reduce(
      "boltzcurve::count_nonfinite", static_cast<std::size_t>(n),
      KOKKOS_LAMBDA(const std::size_t i, std::int64_t& found) {
        Real zero = 0;  // NaN, where a number times 0 is
        for (std::size_t k = 0; k < rows.extent(1); ++k) zero += rows(i, k) * Real(0);
        found += !(zero == Real(0));
      },
      count);
  return count;
}

template <class Real>
void subtract_from_first_row(std::int64_t n, const Points<Real>& rows, const PointScalars<Real>& values) {
  Kokkos::parallel_for(
      "boltzcurve::subtract_normalizer", static_cast<std::size_t>(n), KOKKOS_LAMBDA(const std::size_t i) { rows(i, 0) -= values(i); });
}

template <class Real>
class BatchLossOf final : public BatchLoss {
 public:
  BatchLossOf(const Communicator& ranks, const BatchLossSettings& settings, const Energy& target, const Energy& latent)
      : ranks_(ranks),
        settings_(settings),
        dimension_(settings.curve->dimension()),
        energies_(settings.curve->energies<Real>(target, latent)),
        kernel_(settings.curve->kernel<Real>(settings.loss)),
        sum_(kernel_->sum_borders(), partial_sums_of(settings.collocation.points), settings.reduction),
        shard_(shard_of(settings.collocation.points, chunk_points, ranks.rank(), ranks.size())),
        collocation_(settings.collocation, settings.region, *settings.curve, shard_, settings.seed, latent, settings.chains,
                     settings.population),
        batch_(std::min(shard_.count, block_points), dimension_, energies_->rows()),
        drawn_t_(Kokkos::create_mirror_view(Kokkos::HostSpace(), batch_.t)),
        drawn_x_(Kokkos::create_mirror_view(Kokkos::HostSpace(), batch_.x)),
        residual_("boltzcurve::residual", static_cast<std::size_t>(batch_.size())) {}

  const Result& evaluate(const std::vector<double>& parameters, std::int64_t step) override {
    kernel_->set_parameters(parameters);
    prepare(step, parameters);
    TimeBinSums by_time;
    result_.finite = sum_.sum(ranks_, sums_, [&](const PartialSums& partial) {
      left_out_of_step_ = 0;
      by_time = {};
      for_each_block(step, [&](std::int64_t, std::int64_t n) {
        kernel_->add_loss_and_gradient(batch_, n, static_cast<double>(settings_.collocation.points), partial, residual_);
        if (looks_at_residuals(step)) add_residuals(n, by_time);
      });
    });
    if (!result_.finite) return result_;
    result_.loss = kernel_->unpack(sums_, result_.gradient);
    left_out_.points += left_out_of_step_;
    if (looks_at_residuals(step)) {
      ranks_.sum(std::span<std::int64_t>(by_time.values()));
      next_bins_ = settings_.normalizer_by_batches ? by_time.after_with_level(bins_) : by_time.after(bins_);
    }
    return result_;
  }

  LeftOut take_left_out() override {
    auto taken = std::exchange(left_out_, {});
    taken.points = ranks_.sum(taken.points);
    if (taken.points == 0) return {};
    // Of the lowest rank that has one.
    auto packed = taken.x;
    if (!packed.empty()) packed.insert(packed.begin(), taken.t);
    const auto all = ranks_.all_gather(std::span<const double>(packed));
    taken.t = all.front();
    taken.x.assign(all.begin() + 1, all.begin() + 1 + dimension_);
    return taken;
  }

  WorstPoint worst_point(const std::vector<double>& parameters, std::int64_t step) override {
    kernel_->set_parameters(parameters);
    prepare(step, parameters);
    WorstPoint worst;
    for_each_block(step, [&](std::int64_t first, std::int64_t n) {
      kernel_->residual(batch_, n, residual_);
      const auto r = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), residual_);
      for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
        worst.take({first + static_cast<std::int64_t>(i), static_cast<double>(drawn_t_(i)), static_cast<double>(r(i)), {}}, drawn_x_, i);
    });
    return worst_of_all_ranks(ranks_, worst, dimension_);
  }

  const TimeBins& time_bins() const override { return next_bins_; }

  LossState state() const override {
    LossState state{sum_.exponents(), next_bins_, collocation_.state()};
    if (!ranks_.is_root() || !collocation_.has_trajectories()) return state;
    state.collocation.push_back({trajectory_step_name, 1, 1, {static_cast<double>(trajectory_step_)}});
    if (trajectory_step_ != never)
      state.collocation.push_back(
          {trajectory_parameters_name, 1, static_cast<std::int64_t>(trajectory_parameters_.size()), trajectory_parameters_});
    return state;
  }

  bool restore(const LossState& state, bool points_must_fit) override {
    named_part("reduction", [&] {
      if (!state.sum_exponents.empty()) sum_.set_exponents(state.sum_exponents);
    });
    bins_ = next_bins_ = state.time_bins;
    try {
      named_part("collocation", [&] { restore_points(state.collocation); });
    } catch (const InputError&) {
      if (points_must_fit) throw;
      return false;
    }
    return true;
  }

  std::int64_t memory_bytes() const override {
    const std::int64_t per_point = (dimension_ + energies_->rows() + 2) * static_cast<std::int64_t>(sizeof(Real));
    return batch_.size() * per_point + kernel_->scratch_bytes();
  }

 private:
  void restore_points(const std::vector<NamedArray>& state) {
    collocation_.restore(state);
    if (!collocation_.has_trajectories()) return;
    trajectory_step_ = static_cast<std::int64_t>(find_array(state, trajectory_step_name, 1, 1).values.front());
    if (trajectory_step_ == never) return;
    trajectory_parameters_ = find_array(state, trajectory_parameters_name, 1, settings_.curve->networks().parameter_count()).values;
    kernel_->set_parameters(trajectory_parameters_);
    collocation_.renew_trajectories(trajectory_step_, current_flow());
  }

  void prepare(std::int64_t step, const std::vector<double>& parameters) {
    if (step == prepared_step_) return;
    bins_ = next_bins_;
    if (collocation_.prepare(step, current_flow())) {
      trajectory_parameters_ = parameters;
      trajectory_step_ = step;
    }
    prepared_step_ = step;
  }

  /// Calls body(first, n) for every block of this rank's shard, with the block's points and energies in place.
  template <class Body>
  void for_each_block(std::int64_t step, const Body& body) {
    for_each_block_of(shard_, [&](std::int64_t first, std::int64_t n) {
      fill(step, first, n);
      body(first, n);
    });
  }

  void fill(std::int64_t step, std::int64_t first, std::int64_t n) {
    const auto rows = std::make_pair(std::size_t{0}, static_cast<std::size_t>(n));
    collocation_.draw(step, first, Kokkos::subview(drawn_t_, rows), Kokkos::subview(drawn_x_, rows, Kokkos::ALL), bins_);
    Kokkos::deep_copy(batch_.t, drawn_t_);
    Kokkos::deep_copy(batch_.x, drawn_x_);
    energies_->evaluate(Kokkos::subview(batch_.t, rows), Kokkos::subview(batch_.x, rows, Kokkos::ALL),
                        Kokkos::subview(batch_.known, rows, Kokkos::ALL));
    if (count_nonfinite<Real>(n, batch_.known) > 0) leave_out_nonfinite(n);
    if (settings_.normalizer_by_batches) subtract_normalizer(n);
  }

  /// Of points [0, n), chunk by chunk, so that what takes their place does not depend on ranks.
  void leave_out_nonfinite(std::int64_t n) {
    const auto known = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), batch_.known);
    const auto is_good = [&](std::int64_t i) {
      for (std::size_t k = 0; k < known.extent(1); ++k)
        if (!std::isfinite(known(static_cast<std::size_t>(i), k))) return false;
      return true;
    };
    for (std::int64_t begin = 0; begin < n; begin += chunk_points) {
      const std::int64_t size = std::min<std::int64_t>(chunk_points, n - begin);
      std::vector<std::int64_t> good, bad;
      for (std::int64_t i = begin; i < begin + size; ++i) (is_good(i) ? good : bad).push_back(i);
      if (bad.empty() || static_cast<std::int64_t>(bad.size()) * chunk_per_left_out >= size) continue;
      left_out_of_step_ += static_cast<std::int64_t>(bad.size());
      if (left_out_.x.empty()) note_left_out(static_cast<std::size_t>(bad.front()));
      for (std::size_t b = 0; b < bad.size(); ++b) {
        const auto to = static_cast<std::size_t>(bad[b]), from = static_cast<std::size_t>(good[b * good.size() / bad.size()]);
        drawn_t_(to) = drawn_t_(from);
        for (std::size_t k = 0; k < drawn_x_.extent(1); ++k) drawn_x_(to, k) = drawn_x_(from, k);
        for (std::size_t k = 0; k < known.extent(1); ++k) known(to, k) = known(from, k);
      }
    }
    Kokkos::deep_copy(batch_.t, drawn_t_);
    Kokkos::deep_copy(batch_.x, drawn_x_);
    Kokkos::deep_copy(batch_.known, known);
  }

  void note_left_out(std::size_t i) {
    left_out_.t = static_cast<double>(drawn_t_(i));
    for (std::size_t k = 0; k < drawn_x_.extent(1); ++k) left_out_.x.push_back(static_cast<double>(drawn_x_(i, k)));
    energies_->to_target(left_out_.t, left_out_.x);
  }

  /// C enters R as the rate of the energy does, which is the first of the known rows.
  void subtract_normalizer(std::int64_t n) {
    const auto count = static_cast<std::size_t>(n);
    if (normalizer_.extent(0) < count) normalizer_ = PointScalars<Real>("boltzcurve::normalizer", count);
    const auto host = Kokkos::create_mirror_view(normalizer_);
    for (std::size_t i = 0; i < count; ++i) {
      const auto [clock, time_per_clock] = settings_.curve->clock_at(static_cast<double>(drawn_t_(i)));
      host(i) = static_cast<Real>(bins_.level_at(clock) / std::max(std::fabs(time_per_clock), min_time_per_clock));
    }
    Kokkos::deep_copy(normalizer_, host);
    subtract_from_first_row<Real>(n, batch_.known, normalizer_);
  }

  bool looks_at_residuals(std::int64_t step) const {
    return settings_.collocation.times == TimeDensity::residual || settings_.normalizer_by_batches || step % residual_look_every == 0;
  }

  /// Those of the block in place, its times being on the host still.
  void add_residuals(std::int64_t n, TimeBinSums& by_time) const {
    const auto r = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), residual_);
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      const auto [clock, time_per_clock] = settings_.curve->clock_at(static_cast<double>(drawn_t_(i)));
      const double per_time = r(i), per_clock = per_time * std::fabs(time_per_clock);
      by_time.add(clock, per_clock, robust_weight(settings_.loss, settings_.loss.unit == ResidualUnit::clock ? per_clock : per_time));
    }
  }

  /// The velocity with the kernel's present parameters.
  CurrentFlow<Real> current_flow() {
    return [this](PointScalars<const Real> t, Points<const Real> x, Points<Real> velocity) {
      const auto n = t.extent(0);
      if (flow_divergence_.extent(0) != n) {
        flow_known_ = Points<Real>("boltzcurve::flow_known", n, static_cast<std::size_t>(energies_->rows()));
        flow_divergence_ = PointScalars<Real>("boltzcurve::flow_divergence", n);
      }
      if (kernel_->velocity_needs_energies()) energies_->evaluate(t, x, flow_known_);
      kernel_->velocity(static_cast<std::int64_t>(n), t, x, flow_known_, velocity, flow_divergence_);
    };
  }

  Communicator ranks_;
  BatchLossSettings settings_;
  int dimension_;
  std::unique_ptr<CurveEnergies<Real>> energies_;
  std::unique_ptr<ResidualKernel<Real>> kernel_;
  ReproducibleSum sum_;
  Shard shard_;
  Collocation<Real> collocation_;
  std::int64_t prepared_step_ = -1;
  TimeBins bins_, next_bins_;                  // before and after the last step evaluated
  std::vector<double> trajectory_parameters_;  // of the last renewal, in step trajectory_step_: they are less than the trajectories
  std::int64_t trajectory_step_ = never;
  CollocationBatch<Real> batch_;
  HostScalars<Real> drawn_t_;  // its points on the host, which draws them
  HostPoints<Real> drawn_x_;
  PointScalars<Real> residual_, normalizer_;
  Points<Real> flow_known_;  // of the current flow
  PointScalars<Real> flow_divergence_;
  LeftOut left_out_;  // of this rank, since it was taken
  std::int64_t left_out_of_step_ = 0;
  std::vector<double> sums_;  // kept, as is result_, because fresh memory of this size costs as much as an optimizer's step
  Result result_;
};

}  // namespace

WorstPoint worst_of_all_ranks(const Communicator& ranks, const WorstPoint& mine, int dimension) {
  std::vector<double> packed{mine.index < 0 ? -1.0 : mine.badness(), static_cast<double>(mine.index), mine.t, mine.residual};
  packed.insert(packed.end(), mine.x.begin(), mine.x.end());
  packed.resize(4 + static_cast<std::size_t>(dimension), 0.0);
  const auto all = ranks.all_gather(std::span<const double>(packed));
  std::size_t best = 0;
  for (std::size_t r = packed.size(); r < all.size(); r += packed.size())
    if (all[r] > all[best]) best = r;
  const auto at = all.begin() + static_cast<std::ptrdiff_t>(best);
  return {static_cast<std::int64_t>(at[1]), at[2], at[3], std::vector<double>(at + 4, at + static_cast<std::ptrdiff_t>(packed.size()))};
}

std::unique_ptr<BatchLoss> make_batch_loss(Precision precision, const Communicator& ranks, const BatchLossSettings& settings,
                                           const Energy& target, const Energy& latent) {
  if (precision == Precision::single_precision) return std::make_unique<BatchLossOf<float>>(ranks, settings, target, latent);
  return std::make_unique<BatchLossOf<double>>(ranks, settings, target, latent);
}

}  // namespace boltzcurve

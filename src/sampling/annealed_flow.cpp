#include "sampling/annealed_flow.hpp"
#include <boltzcurve/counter_rng.hpp>
#include "core/heartbeat.hpp"
#include "ode/dormand_prince.hpp"
#include "pilot/resampling.hpp"
#include "pilot/tempered_moves.hpp"
#include "pilot/whitening.hpp"
#include "sampling/integration.hpp"
#include "sampling/path_energy.hpp"
#include "sampling/points.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace boltzcurve {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

constexpr std::int64_t dry_particles = 512, first_dry_particle = std::int64_t{1} << 40;  // global indices that no draw reaches
constexpr double good_enough = 0.5;                                                      // ESS at which a flow is left alone
constexpr int default_legs = 8, leg_leaps = 3;
constexpr double ladder_ess = 0.9;       // conditional, of a step from the path's end to the target
constexpr std::size_t most_rungs = 200;  // of which a target that takes more shows in the weights
constexpr double ladder_turn = 1.5;      // time of a trajectory there, in units of the metric: a quarter turn of a normal law
constexpr int fewest_leaps = 3, most_leaps = 12;
constexpr double acceptance = 0.75, first_step = 0.5, longest_step = 1.5;  // that step lengths aim at; in units of the metric
constexpr int tuning_moves = 4, first_tuning_moves = 12;
constexpr double wall = 1e29;  // an energy that weighs nothing

// Numbers of the moves of a stage: beyond those of the pilot and of training.
constexpr std::uint64_t sampling_numbers = std::uint64_t{1} << 45, numbers_of_stage = std::uint64_t{1} << 16;

/// Rows of all columns and frames become those of their parents in the same batch; ids stay.
void take_parents(std::span<const std::int64_t> parents, std::size_t first, Particles& batch) {
  const auto D = static_cast<std::size_t>(batch.dimension);
  const auto gather = [&](auto& values, std::size_t width) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(first * width);
    const std::vector before(begin, begin + static_cast<std::ptrdiff_t>(parents.size() * width));
    for (std::size_t i = 0; i < parents.size(); ++i)
      std::copy_n(before.begin() + parents[i] * static_cast<std::ptrdiff_t>(width), width, begin + static_cast<std::ptrdiff_t>(i * width));
  };
  const auto ids = batch.id;
  for_each_column(
      [&](const ParticleColumn& column, auto& values) { gather(values, static_cast<std::size_t>(column.numbers(batch.dimension))); },
      batch);
  for (auto& frame : batch.frames) gather(frame, D);
  batch.id = ids;
}

}  // namespace

void AnnealedFlow::start(Particles& batch) const {
  const auto n = batch.size(), D = static_cast<std::size_t>(batch.dimension);
  HostPoints<double> x("boltzcurve::latent_particles", n, D);
  flow_.latent.draw(seed_, batch.shard.first, x);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < D; ++k) batch.position[i * D + k] = x(i, k);
  const double log_z = flow_.latent.log_z().value();
  const auto energies = energies_of(flow_.latent, batch.position);
  for (std::size_t i = 0; i < n; ++i) {
    batch.log_density[i] = -energies[i] - log_z;
    batch.time[i] = flow_.latent_time;
    batch.island[i] = batch.id[i] / settings_.island;
  }
}

/// Particles that have failed stay where they are.
void AnnealedFlow::carry(double from, double to, Particles& batch) const {
  const auto D = static_cast<std::size_t>(batch.dimension), n = batch.size();
  const double direction = to > from ? 1 : -1;
  std::vector<double> times;
  std::vector<std::size_t> frames;
  for (std::size_t f = 0; f < batch.frame_times.size(); ++f) {
    const double t = batch.frame_times[f];
    const bool after = (t - from) * direction > 0 || (t == from && from == flow_.latent_time);
    if (!after || (t - to) * direction > 0) continue;
    times.push_back(t);
    frames.push_back(f);
  }
  const PointScalars<double> log_density("boltzcurve::log_density", n);
  Kokkos::deep_copy(log_density,
                    Kokkos::View<const double*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(batch.log_density.data(), n));
  const auto end = integrate(*flow_.velocity, from, to, to_points(batch.position, 0, n, D), log_density,
                             integration_options(settings_, flow_.domain), times);
  auto carried = room_for_particles(batch.shard, batch.dimension);
  for_each_column(TakeRows{0}, end, carried);
  for (std::size_t f = 0; f < frames.size(); ++f)
    TakeRows{0}(Kokkos::subview(end.frames, f, Kokkos::ALL, Kokkos::ALL), batch.frames[frames[f]]);
  for (std::size_t i = 0; i < n; ++i) {
    if (!batch.finished(i)) continue;
    std::copy_n(&carried.position[i * D], D, &batch.position[i * D]);
    batch.log_density[i] = carried.log_density[i];
    batch.action[i] += carried.action[i];
    batch.time[i] = carried.time[i];
    batch.status[i] = carried.status[i];
    batch.evaluations[i] += carried.evaluations[i];
  }
}

void AnnealedFlow::weigh(const SamplingStage& stage, Particles& batch) const {
  batch.energy = energies_of(PathEnergy(flow_.density.get(), flow_.target, stage.time, stage.blend), batch.position);
}

/// Returns how many were accepted.
std::int64_t AnnealedFlow::move(const SamplingStage& stage, std::uint64_t numbers, int moves, Particles& batch) const {
  const auto D = static_cast<std::size_t>(batch.dimension);
  const PathEnergy density(flow_.density.get(), flow_.target, stage.time, stage.blend);
  TemperedMoves walk(density, {std::vector<double>(D, 0.0), stage.metric}, batch.shard, seed_);
  walk.place(batch.position);
  std::int64_t accepted = 0;
  for (int move = 0; move < moves; ++move) {
    accepted += walk.move(1, stage.step, stage.leaps, numbers + static_cast<std::uint64_t>(move));
    heartbeat();
  }
  const auto position = walk.position(), energy = walk.energy();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!batch.finished(i) || !(batch.energy[i] < wall)) continue;
    std::copy_n(&position[i * D], D, &batch.position[i * D]);
    batch.log_density[i] += batch.energy[i] - energy[i];
    batch.energy[i] = energy[i];
  }
  return accepted;
}

void AnnealedFlow::resample_islands(std::uint64_t stage, Particles& batch) const {
  const auto log_weight = log_weights(batch);
  for (std::size_t first = 0; first < batch.size();) {
    const auto island =
        static_cast<std::uint64_t>(batch.shard.first + static_cast<std::int64_t>(first)) / static_cast<std::uint64_t>(settings_.island);
    const std::size_t count = std::min(batch.size() - first, static_cast<std::size_t>(settings_.island));
    const auto weights = std::span(log_weight).subspan(first, count);
    if (const double mean = log_mean_exp(weights); mean > -infinity && relative_ess(weights) < settings_.resample_below) {
      CounterRng rng(seed_, RandomStream::sampling_resampling, stage, island);
      take_parents(systematic(weights, rng.uniform()), first, batch);
      for (std::size_t i = first; i < first + count; ++i) batch.log_density[i] = -batch.energy[i] - mean;
    }
    first += count;
  }
}

void AnnealedFlow::draw(const SamplingPlan& plan, Particles& batch) const {
  const auto D = static_cast<std::size_t>(batch.dimension);
  start(batch);
  double time = flow_.latent_time;
  for (std::size_t k = 0; k < plan.stages.size(); ++k) {
    const auto& stage = plan.stages[k];
    if (stage.time != time) carry(time, stage.time, batch);
    time = stage.time;
    weigh(stage, batch);
    resample_islands(k, batch);
    move(stage, sampling_numbers + k * numbers_of_stage, settings_.moves, batch);
  }
  if (time != flow_.target_time) carry(time, flow_.target_time, batch);
  weigh({flow_.target_time, 1}, batch);
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (batch.finished(i) && std::isnan(batch.energy[i])) batch.status[i] = ParticleStatus::nonfinite;
  batch.log_weight = log_weights(batch);
  for (std::size_t f = 0; f < batch.frames.size(); ++f)
    if (batch.frame_times[f] == flow_.target_time) std::copy_n(batch.position.begin(), batch.size() * D, batch.frames[f].begin());
}

SamplingWork work_of(const SamplingPlan& plan, const SamplingSettings& settings, std::int64_t particles) {
  SamplingWork work{particles, 0};
  for (const auto& stage : plan.stages) {
    if (stage.blend == 0) continue;
    work.target_values += particles;
    work.target_gradients += particles * (1 + std::int64_t{settings.moves} * stage.leaps);
  }
  return work;
}

/// Few particles that go ahead and leave a plan behind.
class AnnealedFlow::DryRun {
 public:
  DryRun(const AnnealedFlow& flow, const Communicator& ranks)
      : flow_(flow), ranks_(ranks), D_(static_cast<std::size_t>(flow.flow_.target.dimension())) {
    auto shard = shard_of(dry_particles, particle_granule, ranks.rank(), ranks.size());
    shard.first += first_dry_particle;
    batch_ = room_for_particles(shard, static_cast<int>(D_));
    flow_.start(batch_);
  }

  /// Of the flow alone, at the target; the particles stay where they are.
  double flow_ess() const {
    auto probe = batch_;
    flow_.carry(flow_.flow_.latent_time, flow_.flow_.target_time, probe);
    flow_.weigh({flow_.flow_.target_time, 1}, probe);
    return relative_ess(ranks_.all_gather(std::span<const double>(log_weights(probe))));
  }

  void leg(double from, double to) {
    flow_.carry(from, to, batch_);
    add_stage({to, 0, 0, leg_leaps});
  }

  /// From the path's end to the target. A path that ends there, or nearly so, needs no rung.
  void ladder() {
    const double end = flow_.flow_.target_time;
    double b = 0;
    for (std::size_t rung = 0; rung < most_rungs; ++rung) {
      const double next = next_temper(ranks_.all_gather(std::span<const double>(log_ratio())), b, ladder_ess);
      if (next == 1 && b == 0) return;
      add_stage({end, next, 0, std::clamp(static_cast<int>(std::ceil(ladder_turn / step_)), fewest_leaps, most_leaps)});
      b = next;
      if (b == 1) return;
    }
  }

  std::vector<SamplingStage> stages() && { return std::move(stages_); }

 private:
  /// f_0 - f_D of those that are there.
  std::vector<double> log_ratio() const {
    const auto at_end = energies_of(PathEnergy(flow_.flow_.density.get(), flow_.flow_.target, flow_.flow_.target_time, 0), batch_.position);
    auto ratio = energies_of(flow_.flow_.target, batch_.position);
    for (std::size_t i = 0; i < ratio.size(); ++i) {
      const double value = at_end[i] - ratio[i];
      ratio[i] = batch_.finished(i) && value > -infinity ? value : -infinity;  // not of NaN
    }
    return ratio;
  }

  void add_stage(SamplingStage stage) {
    flow_.weigh(stage, batch_);
    resample();
    std::vector<double> points;
    for (std::size_t i = 0; i < batch_.size(); ++i)
      if (batch_.finished(i)) points.insert(points.end(), &batch_.position[i * D_], &batch_.position[i * D_] + D_);
    points = ranks_.all_gather(std::span<const double>(points));
    stage.metric = points.size() > D_ ? whitening_of(points, D_).factor : std::vector<double>(D_ * D_, 0.0);
    const auto k = stages_.size();
    const int rounds = k == 0 ? first_tuning_moves : tuning_moves;
    for (int round = 0; round < rounds; ++round) {
      stage.step = step_;
      const auto numbers = sampling_numbers + k * numbers_of_stage + static_cast<std::uint64_t>(round);
      const auto accepted = ranks_.sum(flow_.move(stage, numbers, 1, batch_));
      step_ = std::min(longest_step, step_ * std::exp(static_cast<double>(accepted) / dry_particles - acceptance));
    }
    stage.step = step_;
    stages_.push_back(std::move(stage));
  }

  /// All of them, over all ranks, by the weights at the energies that they have.
  void resample() {
    const auto log_weight = ranks_.all_gather(std::span<const double>(log_weights(batch_)));
    CounterRng rng(flow_.seed_, RandomStream::sampling_resampling, stages_.size(), first_dry_particle);
    const auto parents = systematic(log_weight, rng.uniform());
    const auto position = ranks_.all_gather(std::span<const double>(batch_.position)),
               energy = ranks_.all_gather(std::span<const double>(batch_.energy));
    if (!(log_mean_exp(log_weight) > -infinity)) return;
    const auto first = static_cast<std::size_t>(batch_.shard.first - first_dry_particle);
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      const auto parent = static_cast<std::size_t>(parents[first + i]);
      std::copy_n(&position[parent * D_], D_, &batch_.position[i * D_]);
      batch_.energy[i] = energy[parent];
      batch_.log_density[i] = -energy[parent];
      batch_.status[i] = ParticleStatus::finished;
    }
  }

  const AnnealedFlow& flow_;
  const Communicator& ranks_;
  std::size_t D_;
  Particles batch_;
  double step_ = first_step;
  std::vector<SamplingStage> stages_;
};

SamplingPlan AnnealedFlow::plan(const Communicator& ranks) const {
  SamplingPlan plan;
  DryRun dry(*this, ranks);
  if (!flow_.velocity) {
    plan.legs = 0;
  } else {
    if (settings_.legs == 0) {
      plan.flow_ess = dry.flow_ess();
      if (*plan.flow_ess >= good_enough) return plan;
    }
    plan.legs = settings_.legs > 0 ? settings_.legs : default_legs;
    double time = flow_.latent_time;
    for (int k = 1; k <= plan.legs; ++k) {
      const double next = k == plan.legs ? flow_.target_time : flow_.density->time_at(1 - static_cast<double>(k) / plan.legs);
      dry.leg(time, next);
      time = next;
    }
  }
  dry.ladder();
  plan.stages = std::move(dry).stages();
  return plan;
}

}  // namespace boltzcurve

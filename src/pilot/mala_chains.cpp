#include "pilot/mala_chains.hpp"
#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/error.hpp>
#include "parallel/ordered_sum.hpp"
#include "residual/residual.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr double wanted_acceptance = 0.574;
constexpr double adaptation = 0.1;  // of a step's logarithm per move
constexpr int descent_rounds = 300;
constexpr std::int64_t steps_per_move = 4;  // an energy for every fourth point of a step: what moving them costs stays small
constexpr std::uint64_t settling_stages = std::uint64_t{1} << 40;  // moves of training count from 0, those before it from here

constexpr auto position_name = "walkers/position", step_name = "walkers/step";

using Rows = std::pair<std::size_t, std::size_t>;

}  // namespace

MalaChains::MalaChains(const Communicator& ranks, const Settings& settings, const Energy& target)
    : ranks_(ranks),
      settings_(settings),
      target_(&target),
      shard_(shard_of(settings.points, chunk_points, ranks.rank(), ranks.size())),
      layers_(static_cast<int>(std::clamp<std::int64_t>(enough / settings.points, 1, 4))) {
  const auto n = static_cast<std::size_t>(layers_ * shard_.count), D = static_cast<std::size_t>(target.dimension());
  position_ = Points<double>("boltzcurve::walkers", n, D);
  host_position_ = Kokkos::create_mirror_view(position_);
  energy_ = Points<double>("boltzcurve::walker_energy", n, D + 2);
  trial_ = Points<double>("boltzcurve::walker_trial", n, D);
  trial_energy_ = Points<double>("boltzcurve::walker_trial_energy", n, D + 2);
  step_ = PointScalars<double>("boltzcurve::walker_step", n);
  temperature_ = PointScalars<double>("boltzcurve::walker_temperature", n);
  accepted_ = Kokkos::View<int*>("boltzcurve::walker_accepted", n);
  start();
}

void MalaChains::start() {
  const auto position = Kokkos::create_mirror_view(position_);
  const auto temperature = Kokkos::create_mirror_view(temperature_);
  const auto D = position.extent(1);
  for (int layer = 0; layer < layers_; ++layer) {
    for (std::int64_t i = 0; i < shard_.count; ++i) {
      const std::int64_t global = layer * settings_.points + shard_.first + i;
      CounterRng rng(settings_.seed, RandomStream::walker_starts, 0, static_cast<std::uint64_t>(global));
      for (std::size_t k = 0; k < D; ++k)
        position(row(layer, i), k) = settings_.box.lower[k] + (settings_.box.upper[k] - settings_.box.lower[k]) * rng.uniform();
      temperature(row(layer, i)) = this->temperature(layer, i);
    }
  }
  Kokkos::deep_copy(position_, position);
  Kokkos::deep_copy(temperature_, temperature);
  show_host();
}

double chain_temperature(double hottest, int layers, int layer, std::int64_t i) {
  const double place = (layer + static_cast<double>(i % chunk_points) / chunk_points) / layers;
  return std::pow(hottest, place * place);
}

double MalaChains::temperature(int layer, std::int64_t i) const { return chain_temperature(settings_.hottest, layers_, layer, i); }

// Each chain goes along its own gradient with its own step, longer after every success and half as long after a failure. It stops where
// |grad f|^2 <= Lap f: in equilibrium at temperature 1 both have the same mean, and further down lie places that are deep and yet hold
// no mass (the neck of a funnel).
void MalaChains::descend() {
  const auto n = position_.extent(0), D = position_.extent(1);
  const double side = settings_.box.longest_side();
  Kokkos::deep_copy(step_, 0.02 * side);
  target_->evaluate(position_, energy_);
  const auto position = position_, energy = energy_, trial = trial_, trial_energy = trial_energy_;
  const auto step = step_;
  for (int round = 0; round < descent_rounds; ++round) {
    Kokkos::parallel_for(
        "boltzcurve::walkers_descend", n, KOKKOS_LAMBDA(const std::size_t i) {
          double slope = 0;
          for (std::size_t k = 1; k <= D; ++k) slope += energy(i, k) * energy(i, k);
          const bool down = slope > 0 && !(slope <= energy(i, D + 1));
          const double length = down && slope < 1e300 ? step(i) / std::sqrt(slope) : 0;
          for (std::size_t k = 0; k < D; ++k) trial(i, k) = position(i, k) - length * energy(i, k + 1);
        });
    target_->evaluate(trial_, trial_energy_);
    Kokkos::parallel_for(
        "boltzcurve::walkers_descended", n, KOKKOS_LAMBDA(const std::size_t i) {
          if (!(trial_energy(i, 0) < energy(i, 0))) {
            step(i) *= 0.5;
            return;
          }
          step(i) *= 1.5;
          for (std::size_t k = 0; k < D; ++k) position(i, k) = trial(i, k);
          for (std::size_t k = 0; k < D + 2; ++k) energy(i, k) = trial_energy(i, k);
        });
  }
}

void MalaChains::thermalize(int rounds) {
  descend();
  const auto n = position_.extent(0);
  const auto energy = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), energy_);
  std::int64_t finite = 0;
  for (std::size_t i = 0; i < n; ++i) finite += std::isfinite(energy(i, 0));
  if (ranks_.sum(finite) == 0)
    throw InputError(
        fmt::format("the target's energy is finite at none of {} points of the box [{:.6g}, {:.6g}] x ...: choose a box "
                    "that holds the target's mass",
                    layers_ * settings_.points, settings_.box.lower[0], settings_.box.upper[0]));
  choose_steps();
  move_all(rounds);
}

/// What is right for a normal law of the curvature that a chain sees.
void MalaChains::choose_steps() {
  const std::size_t D = position_.extent(1);
  const double dimension = static_cast<double>(D), side = settings_.box.longest_side();
  const auto step = step_;
  const auto energy = energy_;
  Kokkos::parallel_for(
      "boltzcurve::walkers_first_step", position_.extent(0), KOKKOS_LAMBDA(const std::size_t i) {
        const double curvature = energy(i, D + 1) / dimension;
        step(i) = 0.3 / std::fmax(curvature, 100 / (side * side));
      });
}

void MalaChains::move_all(int rounds) {
  for (int round = 0; round < rounds; ++round) move_rows(0, position_.extent(0), settling_stages + settling_rounds_++);
  show_host();
}

void MalaChains::change_coordinates(const ScaleMap& from, const ScaleMap& to, const Energy& target, int rounds) {
  target_ = &target;
  if (rounds == 0) return;
  const auto position = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), position_);
  std::vector<double> point(position.extent(1));
  for (std::size_t i = 0; i < position.extent(0); ++i) {
    for (std::size_t k = 0; k < point.size(); ++k) point[k] = position(i, k);
    from.to_x(point.data());
    to.to_z(point.data());
    for (std::size_t k = 0; k < point.size(); ++k) position(i, k) = point[k];
  }
  Kokkos::deep_copy(position_, position);
  target_->evaluate(position_, energy_);
  choose_steps();
  move_all(rounds);
}

ThermalPoints MalaChains::thermal_points(const Energy& target, const ScaleMap& map) const {
  const std::size_t n = position_.extent(0), D = position_.extent(1);
  const auto position = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), position_);
  const auto temperature = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), temperature_);
  ThermalPoints points{HostPoints<double>("boltzcurve::thermal_position", n, D), HostPoints<double>("boltzcurve::thermal_gradient", n, D),
                       HostScalars<double>("boltzcurve::thermal_temperature", n), std::int64_t{layers_} * chunk_points};
  std::vector<double> point(D);
  for (std::int64_t i = 0; i < shard_.count; ++i)
    for (int layer = 0; layer < layers_; ++layer) {
      // Point by point, not layer by layer: so the parts of the ranks follow each other.
      const auto to = static_cast<std::size_t>(i * layers_ + layer), at = row(layer, i);
      for (std::size_t k = 0; k < D; ++k) point[k] = position(at, k);
      map.to_x(point.data());
      for (std::size_t k = 0; k < D; ++k) points.position(to, k) = point[k];
      points.temperature(to) = temperature(at);
    }
  const auto x = Kokkos::create_mirror_view_and_copy(Kokkos::DefaultExecutionSpace::memory_space(), points.position);
  const Points<double> energy("boltzcurve::thermal_energy", n, D + 1);
  target.evaluate(x, energy, Wanted::gradient);
  const auto host_energy = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), energy);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < D; ++k) points.gradient(i, k) = host_energy(i, k + 1);
  return points;
}

void MalaChains::move(std::int64_t step) {
  if (step % steps_per_move != 0) return;
  const auto count = static_cast<std::size_t>(shard_.count);
  move_rows(static_cast<std::size_t>(step / steps_per_move % layers_) * count, count, static_cast<std::uint64_t>(step));
  show_host();
}

void MalaChains::move_rows(std::size_t first, std::size_t count, std::uint64_t stage) {
  if (count == 0) return;
  const auto D = position_.extent(1);
  const Rows rows(first, first + count);
  const Points<double> position = Kokkos::subview(position_, rows, Kokkos::ALL), energy = Kokkos::subview(energy_, rows, Kokkos::ALL),
                       trial = Kokkos::subview(trial_, rows, Kokkos::ALL), trial_energy = Kokkos::subview(trial_energy_, rows, Kokkos::ALL);
  const PointScalars<double> step = Kokkos::subview(step_, rows), temperature = Kokkos::subview(temperature_, rows);
  const Kokkos::View<int*> accepted = Kokkos::subview(accepted_, rows);
  const auto seed = settings_.seed;
  const std::int64_t points = settings_.points, mine = shard_.count, shard_first = shard_.first;
  const auto global = KOKKOS_LAMBDA(std::size_t i) {
    const auto at = static_cast<std::int64_t>(first + i);
    return static_cast<std::uint64_t>(at / mine * points + shard_first + at % mine);
  };
  Kokkos::parallel_for(
      "boltzcurve::walkers_propose", count, KOKKOS_LAMBDA(const std::size_t i) {
        CounterRng rng(seed, RandomStream::walker_moves, stage, global(i));
        const double e = step(i), drift = e / temperature(i), noise = std::sqrt(2 * e);
        for (std::size_t k = 0; k < D; ++k) trial(i, k) = position(i, k) - drift * energy(i, k + 1) + noise * rng.normal();
      });
  target_->evaluate(trial, trial_energy, Wanted::gradient);
  Kokkos::parallel_for(
      "boltzcurve::walkers_accept", count, KOKKOS_LAMBDA(const std::size_t i) {
        const double e = step(i), T = temperature(i), drift = e / T;
        double there = 0, back = 0;  // 4 e times minus the logarithms of q(y'|y) and q(y|y')
        for (std::size_t k = 0; k < D; ++k) {
          const double forward = trial(i, k) - position(i, k) + drift * energy(i, k + 1);
          const double backward = position(i, k) - trial(i, k) + drift * trial_energy(i, k + 1);
          there += forward * forward;
          back += backward * backward;
        }
        const double log_ratio = (energy(i, 0) - trial_energy(i, 0)) / T + (there - back) / (4 * e);
        CounterRng rng(seed, RandomStream::walker_decisions, stage, global(i));
        // A chain that started where f is not finite takes the first place where it is.
        const bool lost = !(std::fabs(energy(i, 0)) < 1e300), found = std::fabs(trial_energy(i, 0)) < 1e300;
        const bool accept = found && (lost || std::log(rng.uniform()) < log_ratio);
        const double rate = !found || std::isnan(log_ratio) ? 0.0 : std::fmin(1.0, std::exp(std::fmin(0.0, log_ratio)));
        accepted(i) = accept;
        step(i) = e * std::exp(adaptation * (rate - wanted_acceptance));
        if (!accept) return;
        for (std::size_t k = 0; k < D; ++k) position(i, k) = trial(i, k);
        for (std::size_t k = 0; k < D + 1; ++k) energy(i, k) = trial_energy(i, k);
      });
}

std::vector<NamedArray> MalaChains::state() const {
  const auto position = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), position_);
  const auto step = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), step_);
  const auto D = static_cast<std::int64_t>(position.extent(1)), chains = layers_ * settings_.points;
  std::vector<NamedArray> state = {{position_name, chains, D, {}}, {step_name, chains, 1, {}}};
  // Layer by layer: within one, the ranks' parts lie in the order of global indices.
  for (int layer = 0; layer < layers_; ++layer) {
    std::vector<double> positions, steps;
    for (std::int64_t i = 0; i < shard_.count; ++i) {
      for (std::int64_t k = 0; k < D; ++k) positions.push_back(position(row(layer, i), static_cast<std::size_t>(k)));
      steps.push_back(step(row(layer, i)));
    }
    const auto append = [&](const std::vector<double>& mine, NamedArray& array) {
      const auto all = ranks_.gather(mine, 0);
      array.values.insert(array.values.end(), all.begin(), all.end());
    };
    append(positions, state[0]);
    append(steps, state[1]);
  }
  if (!ranks_.is_root()) state.clear();
  return state;
}

void MalaChains::restore(std::span<const NamedArray> state) {
  const auto position = Kokkos::create_mirror_view(position_);
  const auto step = Kokkos::create_mirror_view(step_);
  const auto D = static_cast<std::int64_t>(position.extent(1)), chains = layers_ * settings_.points;
  const auto& positions = find_array(state, position_name, chains, D).values;
  const auto& steps = find_array(state, step_name, chains, 1).values;
  for (int layer = 0; layer < layers_; ++layer)
    for (std::int64_t i = 0; i < shard_.count; ++i) {
      const auto global = static_cast<std::size_t>(layer * settings_.points + shard_.first + i);
      for (std::size_t k = 0; k < position.extent(1); ++k) position(row(layer, i), k) = positions[global * position.extent(1) + k];
      step(row(layer, i)) = steps[global];
    }
  Kokkos::deep_copy(position_, position);
  Kokkos::deep_copy(step_, step);
  show_host();
  target_->evaluate(position_, energy_, Wanted::gradient);
}

double MalaChains::acceptance() const {
  const auto accepted = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), accepted_);
  std::int64_t yes = 0;
  for (std::size_t i = 0; i < accepted.extent(0); ++i) yes += accepted(i);
  return static_cast<double>(ranks_.sum(yes)) / static_cast<double>(layers_ * settings_.points);
}

PilotSummary MalaChains::pilot_summary() const {
  const auto position = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), position_);
  const auto D = position.extent(1);
  const Points<double> with_laplacian("boltzcurve::walker_summary", position.extent(0), D + 2);  // moves do not keep it
  target_->evaluate(position_, with_laplacian);
  const auto energy = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), with_laplacian);
  PilotSummary pilot;

  // Medians: a few chains far out must not decide.
  const auto median_of = [&](const auto& value_of, double otherwise) {
    std::vector<double> values;
    for (std::size_t i = 0; i < energy.extent(0); ++i)
      if (const double value = value_of(i); std::isfinite(value)) values.push_back(value);
    values = ranks_.all_gather(std::span<const double>(values));
    if (values.empty()) return otherwise;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
  };
  pilot.width = median_of([&](std::size_t i) { return energy(i, D + 1) > 0 ? static_cast<double>(D) / energy(i, D + 1) : std::nan(""); },
                          pilot.width);
  pilot.energy = median_of([&](std::size_t i) { return energy(i, 0); }, pilot.energy);

  // Per point of the shard, not per chain: shards begin at whole chunks.
  const auto sums_of = [&](const auto& term) {
    return ordered_sums(ranks_, shard_.count, chunk_points, D, [&](std::size_t i, std::span<double> sums) {
      for (int layer = 0; layer < layers_; ++layer)
        for (std::size_t k = 0; k < D; ++k) sums[k] += term(position(row(layer, static_cast<std::int64_t>(i)), k), k);
    });
  };
  const double count = static_cast<double>(layers_ * settings_.points);
  pilot.mean = sums_of([](double x, std::size_t) { return x; });
  for (auto& mean : pilot.mean) mean /= count;
  pilot.deviation = sums_of([&](double x, std::size_t k) { return (x - pilot.mean[k]) * (x - pilot.mean[k]); });
  for (auto& deviation : pilot.deviation) deviation = std::sqrt(deviation / count);
  return pilot;
}

}  // namespace boltzcurve

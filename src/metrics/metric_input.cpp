#include "metrics/metric_input.hpp"
#include "parallel/ordered_sum.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace boltzcurve {

std::int64_t total_count(const Communicator& ranks, std::size_t local) { return ranks.sum(static_cast<std::int64_t>(local)); }

HostPoints<double> gather_points(const Communicator& ranks, HostPoints<const double> local, std::int64_t at_most) {
  const auto mine = static_cast<std::int64_t>(local.extent(0));
  std::int64_t before = 0, total = 0;
  const auto counts = ranks.all_gather(std::vector<std::int64_t>{mine});
  for (std::size_t r = 0; r < counts.size(); ++r) {
    if (static_cast<int>(r) < ranks.rank()) before += counts[r];
    total += counts[r];
  }
  const auto dimension = local.extent(1);
  HostPoints<double> all("boltzcurve::metrics::gathered", static_cast<std::size_t>(std::min(total, at_most)), dimension);
  std::vector<double> column(static_cast<std::size_t>(std::clamp<std::int64_t>(at_most - before, 0, mine)));
  for (std::size_t d = 0; d < dimension; ++d) {
    for (std::size_t i = 0; i < column.size(); ++i) column[i] = local(i, d);
    const auto gathered = ranks.all_gather(column);
    for (std::size_t i = 0; i < gathered.size(); ++i) all(i, d) = gathered[i];
  }
  return all;
}

HostPoints<double> finished_positions(const MetricInput& input) {
  const auto& particles = input.particles;
  const auto finished = static_cast<std::size_t>(std::count(particles.status.begin(), particles.status.end(), ParticleStatus::finished));
  const auto dimension = static_cast<std::size_t>(particles.dimension);
  HostPoints<double> points("boltzcurve::metrics::finished", finished, dimension);
  std::size_t row = 0;
  for (std::size_t i = 0; i < particles.size(); ++i) {
    if (!particles.finished(i)) continue;
    for (std::size_t d = 0; d < dimension; ++d) points(row, d) = particles.x(i)[d];
    ++row;
  }
  return points;
}

std::optional<Mean> mean_where(const Communicator& ranks, std::span<const double> values, const std::function<bool(std::size_t)>& counts) {
  const auto total = [&](const auto& term) {
    return ordered_sums(ranks, static_cast<std::int64_t>(values.size()), particle_granule, 2, [&](std::size_t i, std::span<double> sums) {
      if (!counts(i)) return;
      sums[0] += term(values[i]);
      sums[1] += 1;
    });
  };
  const auto sums = total([](double value) { return value; });
  const double n = sums[1];
  if (n == 0) return std::nullopt;
  const double mean = sums[0] / n;
  const double squares = total([mean](double value) { return (value - mean) * (value - mean); })[0];
  return Mean{mean, std::sqrt(squares / (n - 1) / n), static_cast<std::int64_t>(n)};
}

std::vector<Measured> measure_run(const MetricInput& input) {
  std::array<std::int64_t, particle_status_count> count{};
  for (const auto status : input.particles.status) ++count[static_cast<std::size_t>(status)];
  input.ranks.sum(std::span<std::int64_t>(count));
  const auto particles = total_count(input.ranks, input.particles.size());

  const auto finished = [&](std::size_t i) { return input.particles.finished(i); };
  const std::vector<double> evaluations(input.particles.evaluations.begin(), input.particles.evaluations.end());
  const auto measured_mean = [](const std::string& key, const std::optional<Mean>& mean) {
    return mean ? Measured{key, mean->value, mean->samples, mean->standard_error} : Measured{key, std::nullopt, 0};
  };

  std::vector<Measured> measured = {
      {"particles", static_cast<double>(particles), particles},
      {"log_z_exact", input.log_z, 0},
      {"log_z_thermodynamic", input.log_z_thermodynamic, 0},
      {"nll_floor", input.entropy, 0},
      measured_mean("action", mean_where(input.ranks, input.particles.action, finished)),
      measured_mean("evaluations_per_particle", mean_where(input.ranks, evaluations, [](std::size_t) { return true; })),
      {"target_values", input.target_values, 0},
      {"target_gradients", input.target_gradients, 0},
      {"seconds_train", input.seconds_train, 0},
      {"seconds_sample", input.seconds_sample, 0},
      {"ranks", static_cast<double>(input.ranks.size()), 0}};
  for (const auto status : {ParticleStatus::escaped, ParticleStatus::nonfinite, ParticleStatus::step_underflow, ParticleStatus::max_steps})
    measured.push_back({name_of(status), static_cast<double>(count[static_cast<std::size_t>(status)]), particles});
  return measured;
}

}  // namespace boltzcurve

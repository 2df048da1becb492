#include "metrics/importance.hpp"
#include "parallel/ordered_sum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace boltzcurve {
namespace {
constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
}

std::vector<double> log_weights(const Particles& particles) {
  std::vector<double> log_weight(particles.size());
  for (std::size_t i = 0; i < particles.size(); ++i) {
    const double value = -particles.energy[i] - particles.log_density[i];
    log_weight[i] = particles.finished(i) && !std::isnan(value) ? value : -infinity;
  }
  return log_weight;
}

double largest_of(const Communicator& ranks, std::span<const double> values) {
  return ranks.max(values.empty() ? -infinity : *std::max_element(values.begin(), values.end()));
}

ImportanceEstimate importance_estimate(const Communicator& ranks, std::span<const double> log_weight) {
  const auto local = static_cast<std::int64_t>(log_weight.size());
  const auto particles = static_cast<double>(ranks.sum(local));
  const double largest = largest_of(ranks, log_weight);
  if (largest == -infinity) return {0, infinity, -infinity, infinity, -infinity, infinity};
  // A weight without bound (log q = -infinity at a finite energy) leaves nothing to estimate; it must not pass for a perfect ESS.
  if (!std::isfinite(largest)) return {0, infinity, nan, infinity, nan, infinity};

  const auto sums = ordered_sums(ranks, local, particle_granule, 4, [&](std::size_t i, std::span<double> sum) {
    const double weight = std::exp(log_weight[i] - largest);
    sum[0] += weight;
    sum[1] += weight * weight;
    if (log_weight[i] == -infinity) return;
    sum[2] += log_weight[i];
    sum[3] += 1;
  });
  const double mean = sums[0] / particles, mean_square = sums[1] / particles, with_weight = sums[3];
  const double ess = std::min(1.0, mean * mean / mean_square), mean_log = sums[2] / with_weight;
  const auto spread = ordered_sums(ranks, local, particle_granule, 2, [&](std::size_t i, std::span<double> sum) {
    const double weight = std::exp(log_weight[i] - largest);
    const double influence = 2 * weight / mean - weight * weight / mean_square - 1;  // of the particle on log ESS
    sum[0] += influence * influence;
    if (log_weight[i] > -infinity) sum[1] += (log_weight[i] - mean_log) * (log_weight[i] - mean_log);
  });
  ImportanceEstimate estimate;
  estimate.ess = ess;
  estimate.ess_stderr = ess * std::sqrt(spread[0] / (particles - 1) / particles);
  estimate.log_z = largest + std::log(mean);
  estimate.log_z_stderr = std::sqrt((1 / ess - 1) / (particles - 1));
  estimate.elbo = std::log(with_weight / particles) + mean_log;
  estimate.elbo_stderr = std::sqrt(spread[1] / (with_weight - 1) / with_weight);
  return estimate;
}

std::vector<Measured> measure_importance(const MetricInput& input) {
  const auto estimate = importance_estimate(input.ranks, log_weights(input.particles));
  const auto particles = total_count(input.ranks, input.particles.size());
  const auto log_z_stderr = has_enough_effective(estimate, particles) ? std::optional(estimate.log_z_stderr) : std::nullopt;
  return {{"ess", estimate.ess, particles, estimate.ess_stderr},
          {"log_z", estimate.log_z, particles, log_z_stderr},
          {"log_z_stderr", log_z_stderr, particles},
          {"elbo", estimate.elbo, particles, estimate.elbo_stderr}};
}

}  // namespace boltzcurve

#include <boltzcurve/metrics/importance.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace boltzcurve {
namespace {
constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
}

std::vector<double> log_weights(std::span<const double> energy, std::span<const double> log_density,
                                std::span<const ParticleStatus> status) {
  std::vector<double> log_weight(status.size());
  for (std::size_t i = 0; i < status.size(); ++i) {
    const double value = -energy[i] - log_density[i];
    log_weight[i] = status[i] == ParticleStatus::finished && !std::isnan(value) ? value : -infinity;
  }
  return log_weight;
}

ImportanceEstimate importance_estimate(std::span<const double> log_weight) {
  const auto particles = static_cast<double>(log_weight.size());
  const double largest = log_weight.empty() ? -infinity : *std::max_element(log_weight.begin(), log_weight.end());
  if (largest == -infinity) return {0, -infinity, infinity, -infinity};
  // A weight without bound (log q = -infinity at a finite energy) leaves nothing to estimate; it must not pass for a perfect ESS.
  if (!std::isfinite(largest)) return {0, nan, infinity, nan};
  double sum = 0, squares = 0, sum_of_logs = 0, with_weight = 0;
  for (const double value : log_weight) {
    const double weight = std::exp(value - largest);
    sum += weight;
    squares += weight * weight;
    if (value == -infinity) continue;
    sum_of_logs += value;
    with_weight += 1;
  }
  const double ess = std::min(1.0, sum * sum / (particles * squares));
  return {ess, largest + std::log(sum / particles), std::sqrt((1 / ess - 1) / (particles - 1)),
          std::log(with_weight / particles) + sum_of_logs / with_weight};
}

std::vector<Measured> measure_importance(const MetricInput& input) {
  const auto estimate = importance_estimate(log_weights(input.energy, input.log_density, input.status));
  const auto particles = static_cast<std::int64_t>(input.status.size());
  return {{"ess", estimate.ess, particles},
          {"log_z", estimate.log_z, particles},
          {"log_z_stderr", estimate.log_z_stderr, particles},
          {"elbo", estimate.elbo, particles}};
}

}  // namespace boltzcurve

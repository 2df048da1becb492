#include "metrics/forward_importance.hpp"
#include "metrics/importance.hpp"
#include "parallel/ordered_sum.hpp"

#include <algorithm>
#include <cmath>

namespace boltzcurve {

std::optional<ForwardEstimate> forward_estimate(const Communicator& ranks, std::span<const double> exact_log_weight) {
  const auto local = static_cast<std::int64_t>(exact_log_weight.size());
  const auto samples = static_cast<double>(ranks.sum(local));
  const bool unusable = std::any_of(exact_log_weight.begin(), exact_log_weight.end(), [](double value) { return !std::isfinite(value); });
  if (ranks.any(unusable) || samples == 0) return std::nullopt;
  std::vector<double> negative(exact_log_weight.begin(), exact_log_weight.end());
  for (auto& value : negative) value = -value;
  const double largest = largest_of(ranks, exact_log_weight), smallest = -largest_of(ranks, negative);

  const auto sums = ordered_sums(ranks, local, particle_granule, 3, [&](std::size_t i, std::span<double> sum) {
    sum[0] += std::exp(exact_log_weight[i] - largest);
    sum[1] += std::exp(smallest - exact_log_weight[i]);
    sum[2] += exact_log_weight[i];
  });
  const double mean = sums[0] / samples, mean_inverse = sums[1] / samples, mean_log = sums[2] / samples;
  const auto spread = ordered_sums(ranks, local, particle_granule, 2, [&](std::size_t i, std::span<double> sum) {
    const double value = exact_log_weight[i];
    const double influence = std::exp(value - largest) / mean + std::exp(smallest - value) / mean_inverse - 2;  // on -log ESS
    sum[0] += influence * influence;
    sum[1] += (value - mean_log) * (value - mean_log);
  });
  const double ess = std::min(1.0, std::exp((smallest - largest) - std::log(mean) - std::log(mean_inverse)));
  const auto standard_error = [&](double squares) { return std::sqrt(squares / (samples - 1) / samples); };
  return ForwardEstimate{ess, ess * standard_error(spread[0]), mean_log, standard_error(spread[1])};
}

std::vector<Measured> measure_forward_importance(const MetricInput& input) {
  const auto estimate = forward_estimate(input.ranks, input.exact_log_weight);
  const auto samples = total_count(input.ranks, input.exact_log_weight.size());
  if (!estimate) return {{"ess_forward", std::nullopt, samples}, {"eubo", std::nullopt, samples}};
  return {{"ess_forward", estimate->ess, samples, estimate->ess_stderr}, {"eubo", estimate->eubo, samples, estimate->eubo_stderr}};
}

}  // namespace boltzcurve

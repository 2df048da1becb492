#include <boltzcurve/metrics/forward_importance.hpp>

#include <algorithm>
#include <cmath>

namespace boltzcurve {

std::optional<ForwardEstimate> forward_estimate(std::span<const double> exact_log_weight) {
  if (exact_log_weight.empty()) return std::nullopt;
  if (std::any_of(exact_log_weight.begin(), exact_log_weight.end(), [](double value) { return !std::isfinite(value); }))
    return std::nullopt;
  const auto samples = static_cast<double>(exact_log_weight.size());
  const auto [smallest, largest] = std::minmax_element(exact_log_weight.begin(), exact_log_weight.end());
  double sum = 0, inverses = 0, logs = 0;
  for (const double value : exact_log_weight) {
    sum += std::exp(value - *largest);
    inverses += std::exp(*smallest - value);
    logs += value;
  }
  const double log_ess = (*smallest - *largest) - std::log(sum / samples) - std::log(inverses / samples);
  return ForwardEstimate{std::min(1.0, std::exp(log_ess)), logs / samples};
}

std::vector<Measured> measure_forward_importance(const MetricInput& input) {
  const auto estimate = forward_estimate(input.exact_log_weight);
  const auto samples = static_cast<std::int64_t>(input.exact_log_weight.size());
  return {{"ess_forward", estimate ? std::optional(estimate->ess) : std::nullopt, samples},
          {"eubo", estimate ? std::optional(estimate->eubo) : std::nullopt, samples}};
}

}  // namespace boltzcurve

#include "metrics/summary.hpp"
#include "metrics/importance.hpp"
#include "metrics/weighted_means.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace boltzcurve {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Quantiles of values with weights, in any order.
std::array<double, summary_quantiles.size()> quantiles_of(std::vector<std::pair<double, double>> value_and_weight) {
  std::sort(value_and_weight.begin(), value_and_weight.end());
  double total = 0;
  for (const auto& [value, weight] : value_and_weight) total += weight;
  std::array<double, summary_quantiles.size()> quantiles;
  quantiles.fill(nan);
  double below = 0;
  std::size_t next = 0;
  for (const auto& [value, weight] : value_and_weight) {
    below += weight;
    for (; next < quantiles.size() && below >= summary_quantiles[next] * total; ++next) quantiles[next] = value;
  }
  return quantiles;
}

}  // namespace

std::vector<ParameterSummary> summarize(const Communicator& ranks, std::span<const double> log_weight, std::span<const double> values,
                                        std::size_t parameters, std::span<const std::int64_t> ancestor) {
  std::vector<ParameterSummary> summaries(parameters, ParameterSummary{nan, nan, nan, {nan, nan, nan}, nan});
  const auto estimate = importance_estimate(ranks, log_weight, ancestor);
  if (!(estimate.ess > 0)) return summaries;

  const double largest = largest_of(ranks, log_weight);
  std::vector<double> weight(log_weight.size());
  std::transform(log_weight.begin(), log_weight.end(), weight.begin(), [&](double log_w) { return std::exp(log_w - largest); });
  const auto of_particle = [&](std::size_t i) { return values.subspan(i * parameters, parameters); };
  auto means = weighted_means(ranks, weight, parameters, [&](std::size_t i, std::span<double> to) {
    const auto x = of_particle(i);
    std::copy(x.begin(), x.end(), to.begin());
  });
  widen_by_lineages(estimate, means);
  const auto variances = weighted_means(ranks, weight, parameters, [&](std::size_t i, std::span<double> to) {
    const auto x = of_particle(i);
    for (std::size_t k = 0; k < parameters; ++k) to[k] = (x[k] - means.value[k]) * (x[k] - means.value[k]);
  });

  const bool has_error = has_enough_effective(estimate, total_count(ranks, weight.size()));
  const auto all_weights = ranks.gather(weight, 0);
  std::vector<double> column(weight.size());
  for (std::size_t k = 0; k < parameters; ++k) {
    auto& summary = summaries[k];
    summary.mean = means.value[k];
    summary.deviation = std::sqrt(variances.value[k]);
    if (has_error) {
      summary.standard_error = std::sqrt(means.variance[k]);
      summary.effective_size = variances.value[k] / means.variance[k];
    }
    for (std::size_t i = 0; i < column.size(); ++i) column[i] = of_particle(i)[k];
    const auto all = ranks.gather(column, 0);
    if (ranks.is_root()) {
      std::vector<std::pair<double, double>> value_and_weight;
      for (std::size_t i = 0; i < all.size(); ++i)
        if (all_weights[i] > 0) value_and_weight.emplace_back(all[i], all_weights[i]);
      summary.quantiles = quantiles_of(std::move(value_and_weight));
    }
    ranks.broadcast(std::span<double>(summary.quantiles));
  }
  return summaries;
}

}  // namespace boltzcurve

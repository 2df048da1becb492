#include "pilot/resampling.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace boltzcurve {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// (sum w)^2 / (n sum w^2) of w = exp(rise * ratio), over the n ratios that are finite.
double conditional_ess(std::span<const double> ratios, double rise) {
  double largest = -infinity, sum = 0, squares = 0;
  for (const double ratio : ratios) largest = std::max(largest, ratio);
  std::size_t n = 0;
  for (const double ratio : ratios) {
    if (!(ratio > -infinity)) continue;
    const double w = std::exp(rise * (ratio - largest));
    sum += w;
    squares += w * w;
    ++n;
  }
  return n == 0 ? 0 : sum * sum / (static_cast<double>(n) * squares);
}

}  // namespace

double log_mean_exp(std::span<const double> values) {
  const double largest = *std::max_element(values.begin(), values.end());
  if (!(largest > -infinity)) return -infinity;
  double sum = 0;
  for (const double value : values) sum += std::exp(value - largest);
  return largest + std::log(sum / static_cast<double>(values.size()));
}

double relative_ess(std::span<const double> log_weights) {
  const double largest = *std::max_element(log_weights.begin(), log_weights.end());
  if (!(largest > -infinity)) return 0;
  double sum = 0, squares = 0;
  for (const double log_weight : log_weights) {
    const double weight = std::exp(log_weight - largest);
    sum += weight;
    squares += weight * weight;
  }
  return sum * sum / (squares * static_cast<double>(log_weights.size()));
}

std::vector<std::int64_t> systematic(std::span<const double> log_weights, double u) {
  const std::size_t n = log_weights.size();
  std::vector<std::int64_t> parents(n);
  std::iota(parents.begin(), parents.end(), std::int64_t{0});
  const double largest = *std::max_element(log_weights.begin(), log_weights.end());
  if (!(largest > -infinity)) return parents;
  double total = 0;
  for (const double log_weight : log_weights) total += std::exp(log_weight - largest);
  double reached = 0;
  std::size_t child = 0, last = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (!(log_weights[i] > -infinity)) continue;
    last = i;
    reached += std::exp(log_weights[i] - largest) / total * static_cast<double>(n);
    while (child < n && static_cast<double>(child) + u < reached) parents[child++] = static_cast<std::int64_t>(i);
  }
  while (child < n) parents[child++] = static_cast<std::int64_t>(last);
  return parents;
}

double next_temper(std::span<const double> ratios, double b, double ess) {
  if (conditional_ess(ratios, 1 - b) >= ess) return 1;
  double low = 0, high = 1 - b;
  while (high - low > 1e-3 * high && b + high / 2 > b) {
    const double middle = low > 0 ? (low + high) / 2 : high / 8;
    (conditional_ess(ratios, middle) >= ess ? low : high) = middle;
  }
  return b + (low > 0 ? low : high);
}

}  // namespace boltzcurve

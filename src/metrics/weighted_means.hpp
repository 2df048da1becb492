#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/particles.hpp>
#include "parallel/ordered_sum.hpp"

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace boltzcurve {

/// Means of several numbers, and the variances of these means.
struct Means {
  std::vector<double> value, variance;
};

/// Self-normalized importance sampling: of weights w [n] and features phi of this rank's items, sum w phi / sum w, and by the delta method
/// sum w^2 (phi - mean)^2 / (sum w)^2. `features_of(i, to)` writes those of item i; it is not asked for items of weight 0. The same bits on
/// any number of ranks (see ordered_sums()). NaN where all weights are 0. Collective.
template <class FeaturesOf>
Means weighted_means(const Communicator& ranks, std::span<const double> weight, std::size_t features, const FeaturesOf& features_of) {
  const auto n = static_cast<std::int64_t>(weight.size());
  std::vector<double> feature(features);
  const auto sums = ordered_sums(ranks, n, particle_granule, features + 1, [&](std::size_t i, std::span<double> sum) {
    if (weight[i] == 0) return;
    features_of(i, feature);
    for (std::size_t f = 0; f < features; ++f) sum[f] += weight[i] * feature[f];
    sum[features] += weight[i];
  });
  const double total = sums[features];
  Means means;
  for (std::size_t f = 0; f < features; ++f) means.value.push_back(sums[f] / total);
  means.variance = ordered_sums(ranks, n, particle_granule, features, [&](std::size_t i, std::span<double> sum) {
    if (weight[i] == 0) return;
    features_of(i, feature);
    for (std::size_t f = 0; f < features; ++f) sum[f] += std::pow(weight[i] / total * (feature[f] - means.value[f]), 2);
  });
  return means;
}

}  // namespace boltzcurve

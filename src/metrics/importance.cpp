#include "metrics/importance.hpp"
#include "parallel/ordered_sum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace boltzcurve {
namespace {
constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
}

namespace {

double lineage(const Communicator& ranks, std::span<const double> log_weight, std::span<const std::int64_t> ancestor, double largest,
               double mean, double ess) {
  if (!ranks.any(!ancestor.empty())) return ess;
  std::vector<double> of_ancestor(log_weight.size(), 0.0);
  for (std::size_t i = 0; i < log_weight.size(); ++i)
    of_ancestor[static_cast<std::size_t>(ancestor[i])] += std::exp(log_weight[i] - largest);
  const auto count = static_cast<std::int64_t>(of_ancestor.size());
  const auto squares = ordered_sums(ranks, count, particle_granule, 1,
                                    [&](std::size_t i, std::span<double> sum) { sum[0] += of_ancestor[i] * of_ancestor[i]; });
  return std::min(ess, mean * mean / (squares[0] / static_cast<double>(ranks.sum(count))));
}

/// Standard error of log Z from the spread of the islands' mean weights; NaN with few islands.
double stderr_of_islands(const Communicator& ranks, const Particles& particles, std::span<const double> log_weight, double log_z) {
  constexpr std::size_t fewest_islands = 8;
  // Blocks of particles that no rank shares and no island, in order.
  std::vector<double> blocks;
  for (std::size_t first = 0; first < log_weight.size(); first += particle_granule) {
    const std::size_t count = std::min<std::size_t>(particle_granule, log_weight.size() - first);
    double sum = 0;
    for (std::size_t i = first; i < first + count; ++i) sum += std::exp(log_weight[i] - log_z);
    blocks.insert(blocks.end(), {static_cast<double>(particles.island[first]), static_cast<double>(count), sum});
  }
  blocks = ranks.all_gather(std::span<const double>(blocks));
  double all = 0, squares = 0;
  std::size_t islands = 0;
  for (std::size_t b = 0; b < blocks.size();) {
    const double island = blocks[b];
    double count = 0, sum = 0;
    for (; b < blocks.size() && blocks[b] == island; b += 3) {
      count += blocks[b + 1];
      sum += blocks[b + 2];
    }
    all += count;
    squares += (sum - count) * (sum - count);
    ++islands;
  }
  if (islands < fewest_islands) return nan;
  const auto M = static_cast<double>(islands);
  return std::sqrt(squares * M / (M - 1)) / all;
}

}  // namespace

double largest_of(const Communicator& ranks, std::span<const double> values) {
  return ranks.max(values.empty() ? -infinity : *std::max_element(values.begin(), values.end()));
}

ImportanceEstimate importance_estimate(const Communicator& ranks, std::span<const double> log_weight,
                                       std::span<const std::int64_t> ancestor) {
  const auto local = static_cast<std::int64_t>(log_weight.size());
  const auto particles = static_cast<double>(ranks.sum(local));
  const double largest = largest_of(ranks, log_weight);
  if (largest == -infinity) return {0, infinity, -infinity, 0, infinity, -infinity, infinity};
  // A weight without bound (log q = -infinity at a finite energy) leaves nothing to estimate; it must not pass for a perfect ESS.
  if (!std::isfinite(largest)) return {0, infinity, nan, 0, infinity, nan, infinity};

  const auto sums = ordered_sums(ranks, local, particle_granule, 4, [&](std::size_t i, std::span<double> sum) {
    const double weight = std::exp(log_weight[i] - largest);
    sum[0] += weight;
    sum[1] += weight * weight;
    if (log_weight[i] == -infinity) return;
    sum[2] += log_weight[i];
    sum[3] += 1;
  });
  const double mean = sums[0] / particles, mean_square = sums[1] / particles, with_weight = sums[3];
  const double ess = std::min(1.0, mean * mean / mean_square), lineage_ess = lineage(ranks, log_weight, ancestor, largest, mean, ess),
               mean_log = sums[2] / with_weight;
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
  estimate.lineage_ess = lineage_ess;
  estimate.log_z_stderr = std::sqrt((1 / lineage_ess - 1) / (particles - 1));
  estimate.elbo = std::log(with_weight / particles) + mean_log;
  estimate.elbo_stderr = std::sqrt(spread[1] / (with_weight - 1) / with_weight);
  return estimate;
}

std::vector<std::int64_t> places_of_ancestors(const Particles& particles) {
  std::vector<std::int64_t> places(particles.ancestor);
  for (auto& place : places) place -= particles.shard.first;
  return places;
}

ImportanceEstimate importance_of(const Communicator& ranks, const Particles& particles) {
  return importance_estimate(ranks, log_weights(particles), places_of_ancestors(particles));
}

void widen_by_lineages(const ImportanceEstimate& estimate, Means& means) {
  for (auto& variance : means.variance) variance *= estimate.ess / estimate.lineage_ess;
}

std::vector<Measured> measure_importance(const MetricInput& input) {
  const auto estimate = importance_of(input.ranks, input.particles);
  const auto particles = total_count(input.ranks, input.particles.size());
  const auto log_z_stderr = has_enough_effective(estimate, particles) ? std::optional(estimate.log_z_stderr) : std::nullopt;
  const double of_islands = stderr_of_islands(input.ranks, input.particles, log_weights(input.particles), estimate.log_z);
  return {{"ess", estimate.ess, particles, estimate.ess_stderr},
          {"lineage_ess", estimate.lineage_ess, particles},
          {"log_z", estimate.log_z, particles, log_z_stderr},
          {"log_z_stderr", log_z_stderr, particles},
          {"log_z_stderr_islands", log_z_stderr ? std::optional(of_islands) : std::nullopt, particles},
          {"elbo", estimate.elbo, particles, estimate.elbo_stderr}};
}

}  // namespace boltzcurve

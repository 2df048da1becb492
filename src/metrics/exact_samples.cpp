#include "metrics/exact_samples.hpp"
#include "metrics/carried_back.hpp"

#include <algorithm>
#include <vector>

namespace boltzcurve {
namespace {

/// This rank's part of exact samples [first, first + count) of the target; no rows where it has no exact sampler.
HostPoints<double> exact_samples(const MetricInput& input, const Energy& target, std::int64_t first, std::int64_t count) {
  const auto shard = shard_of(count, particle_granule, input.ranks.rank(), input.ranks.size());
  const auto D = static_cast<std::size_t>(target.dimension());
  HostPoints<double> samples("boltzcurve::exact_samples", static_cast<std::size_t>(shard.count), D);
  if (target.draw(input.seed, first + shard.first, samples)) return samples;
  return HostPoints<double>("boltzcurve::exact_samples", 0, D);
}

}  // namespace

Stop add_exact_samples(MetricInput& input, const Energy& target, const Sampler& sampler, std::int64_t count,
                       const std::function<Stop()>& stop) {
  const auto exact = exact_samples(input, target, 0, count);
  input.exact = exact;
  const auto as_many_again = std::min(total_count(input.ranks, input.particles.size()), input.distance_points);
  input.exact_again = exact_samples(input, target, count, as_many_again);

  const std::size_t D = exact.extent(1);
  std::vector<double> mine;
  for (std::size_t i = 0; i < exact.extent(0); ++i)
    for (std::size_t k = 0; k < D; ++k) mine.push_back(exact(i, k));
  return carry_back(input.ranks, target, sampler, mine, input.exact_log_weight, stop);
}

}  // namespace boltzcurve

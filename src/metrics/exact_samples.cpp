#include "metrics/exact_samples.hpp"
#include "parallel/pieces.hpp"

#include <algorithm>
#include <utility>

namespace boltzcurve {
namespace {

constexpr std::size_t samples_at_once = 512;  // between looks whether to stop

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
  const auto energy = energies_of(target, mine);
  std::vector<double> log_weight;
  const auto why = do_in_pieces(input.ranks, stop, [&] {
    const auto first = log_weight.size(), taken = std::min(samples_at_once, energy.size() - first);
    const auto begin = mine.begin() + static_cast<std::ptrdiff_t>(first * D);
    const auto log_density = sampler.log_density({begin, begin + static_cast<std::ptrdiff_t>(taken * D)});
    for (std::size_t i = 0; i < taken; ++i) log_weight.push_back(-energy[first + i] - log_density[i]);
    return log_weight.size() < energy.size();
  });
  input.exact_log_weight = std::move(log_weight);
  return why;
}

}  // namespace boltzcurve

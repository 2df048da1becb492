#include "metrics/pilot_population.hpp"
#include "metrics/carried_back.hpp"
#include "metrics/forward_importance.hpp"

#include <algorithm>

namespace boltzcurve {

std::vector<double> population_point(const MetricInput& input, std::int64_t index, std::int64_t taken) {
  const auto D = input.population->dimension;
  const auto begin = input.population->position.begin() + index * input.population->count() / taken * D;  // neighbors share ancestors
  std::vector<double> x(begin, begin + D);
  input.pilot->coordinates.to_x(x.data());
  return x;
}

Stop add_population(MetricInput& input, const Energy& target, const Sampler& sampler, std::int64_t count,
                    const std::function<Stop()>& stop) {
  if (!input.pilot || !input.population || input.population->count() == 0) return Stop::no;
  const std::int64_t taken = std::min(count, input.population->count());
  const auto shard = shard_of(taken, particle_granule, input.ranks.rank(), input.ranks.size());
  std::vector<double> points;
  for (auto i = shard.first; i < shard.first + shard.count; ++i) {
    const auto x = population_point(input, i, taken);
    points.insert(points.end(), x.begin(), x.end());
  }
  return carry_back(input.ranks, target, sampler, points, input.population_log_weight, stop);
}

std::vector<Measured> measure_pilot_population(const MetricInput& input) {
  std::vector<Measured> measured = {
      {"log_z_pilot", std::nullopt, 0}, {"log_z_pilot_stderr", std::nullopt, 0}, {"ess_forward_pilot", std::nullopt, 0}};
  if (!input.pilot || !input.pilot->has_population()) return measured;
  const auto particles = input.population ? input.population->count() : 0;
  measured[0] = {"log_z_pilot", input.pilot->log_z, particles, input.pilot->log_z_stderr};
  measured[1] = {"log_z_pilot_stderr", input.pilot->log_z_stderr, particles};
  measured[2].samples = total_count(input.ranks, input.population_log_weight.size());
  if (const auto estimate = forward_estimate(input.ranks, input.population_log_weight)) {
    measured[2].value = estimate->ess;
    measured[2].standard_error = estimate->ess_stderr;
  }
  return measured;
}

}  // namespace boltzcurve

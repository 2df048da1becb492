#include "metrics/likelihood.hpp"

#include <algorithm>
#include <cmath>

namespace boltzcurve {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

std::vector<Measured> measure_likelihood(const MetricInput& input) {
  std::vector<double> energies;
  for (std::size_t i = 0; i < input.particles.size(); ++i)
    if (input.particles.finished(i)) energies.push_back(input.particles.energy[i]);
  const auto finished = total_count(input.ranks, energies.size());
  // a NaN has no place in an order
  const bool comparable = std::none_of(energies.begin(), energies.end(), [](double energy) { return std::isnan(energy); });
  if (!input.log_z || input.ranks.any(!comparable) || finished == 0)
    return {{"nll", std::nullopt, finished}, {"nll_median", std::nullopt, finished}};

  const auto mean = mean_where(input.ranks, input.particles.energy, [&](std::size_t i) { return input.particles.finished(i); }).value();
  double middle[1] = {0};
  auto all = input.ranks.gather(energies, 0);
  if (input.ranks.is_root()) middle[0] = median(std::move(all));
  input.ranks.broadcast(middle);
  return {{"nll", mean.value + *input.log_z, finished, mean.standard_error}, {"nll_median", middle[0] + *input.log_z, finished}};
}

}  // namespace boltzcurve

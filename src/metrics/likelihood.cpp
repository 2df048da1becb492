#include <boltzcurve/metrics/likelihood.hpp>

#include <algorithm>
#include <numeric>

namespace boltzcurve {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

std::vector<Measured> measure_likelihood(const MetricInput& input) {
  std::vector<double> energies;
  bool comparable = true;  // a NaN has no place in an order
  for (std::size_t i = 0; i < input.status.size(); ++i) {
    if (input.status[i] != ParticleStatus::finished) continue;
    energies.push_back(input.energy[i]);
    comparable = comparable && input.energy[i] == input.energy[i];
  }
  const auto finished = static_cast<std::int64_t>(energies.size());
  if (!input.log_z || !comparable || finished == 0) return {{"nll", std::nullopt, finished}, {"nll_median", std::nullopt, finished}};
  const double mean = std::accumulate(energies.begin(), energies.end(), 0.0) / static_cast<double>(finished);
  return {{"nll", mean + *input.log_z, finished}, {"nll_median", median(std::move(energies)) + *input.log_z, finished}};
}

}  // namespace boltzcurve

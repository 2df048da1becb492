#include "metrics/mode_weights.hpp"
#include "metrics/importance.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace boltzcurve {

std::size_t nearest_mode(std::span<const double> x, const std::vector<Mode>& modes) {
  double smallest = std::numeric_limits<double>::infinity();
  std::size_t best = 0;
  for (std::size_t k = 0; k < modes.size(); ++k) {
    double square = 0;
    for (std::size_t d = 0; d < modes[k].center.size(); ++d) square += (x[d] - modes[k].center[d]) * (x[d] - modes[k].center[d]);
    if (square < smallest) {
      smallest = square;
      best = k;
    }
  }
  return best;
}

namespace {

/// x_of(i): the position of item i of this rank.
template <class PositionOf>
std::vector<double> shares_of(const Communicator& ranks, const PositionOf& x_of, std::span<const double> weight,
                              const std::vector<Mode>& modes) {
  // Weights as whole numbers of a quantum, as fine as the sum of all of them leaves room for: their sums have no order.
  const auto items = static_cast<std::uint64_t>(total_count(ranks, weight.size()));
  const double quanta = std::ldexp(1.0, 62 - static_cast<int>(std::bit_width(items)));
  std::vector<std::int64_t> sums(modes.size() + 1, 0);
  for (std::size_t i = 0; i < weight.size(); ++i) {
    if (weight[i] == 0) continue;
    const auto whole = std::llround(weight[i] * quanta);
    sums[nearest_mode(x_of(i), modes)] += whole;
    sums.back() += whole;
  }
  ranks.sum(sums);
  std::vector<double> shares(modes.size());
  for (std::size_t k = 0; k < shares.size(); ++k) shares[k] = static_cast<double>(sums[k]) / static_cast<double>(sums.back());
  return shares;
}

}  // namespace

std::vector<double> mode_shares(const Communicator& ranks, const Particles& particles, std::span<const double> weight,
                                const std::vector<Mode>& modes) {
  return shares_of(
      ranks, [&](std::size_t i) { return particles.x(i); }, weight, modes);
}

std::vector<double> expected_shares(const MetricInput& input) {
  const auto& exact = input.exact_again;
  const std::size_t rows = exact.extent(0), D = exact.extent(1);
  if (total_count(input.ranks, rows) == 0) {
    std::vector<double> weights;
    for (const auto& mode : input.modes) weights.push_back(mode.weight);
    return weights;
  }
  std::vector<double> x(D);
  const auto x_of = [&](std::size_t i) {
    for (std::size_t k = 0; k < D; ++k) x[k] = exact(i, k);
    return std::span<const double>(x);
  };
  return shares_of(input.ranks, x_of, std::vector<double>(rows, 1.0), input.modes);
}

std::vector<Measured> measure_mode_weights(const MetricInput& input) {
  const auto& particles = input.particles;
  const auto count = total_count(input.ranks, particles.size());
  std::vector<Measured> measured = {{"mode_weight_error", std::nullopt, count},
                                    {"mode_weight_error_relative", std::nullopt, count},
                                    {"mode_weight_error_reweighted", std::nullopt, count}};
  const auto finished = input.ranks.sum(std::count(particles.status.begin(), particles.status.end(), ParticleStatus::finished));
  if (input.modes.empty() || finished == 0) return measured;

  std::vector<double> weight(particles.size());
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = particles.finished(i) ? 1 : 0;
  const auto shares = mode_shares(input.ranks, particles, weight, input.modes);

  const auto log_weight = log_weights(particles);
  const double largest = largest_of(input.ranks, log_weight);
  const bool weighted = std::isfinite(largest);
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = weighted ? std::exp(log_weight[i] - largest) : 0;
  const auto reweighted = mode_shares(input.ranks, particles, weight, input.modes);

  const double share_finished = static_cast<double>(finished) / static_cast<double>(count);
  double absolute = 0, relative = 0, absolute_reweighted = 0;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    const double exact = input.modes[k].weight, error = std::fabs(share_finished * shares[k] - exact);
    absolute = std::fmax(absolute, error);
    relative = std::fmax(relative, error / exact);
    absolute_reweighted = std::max(absolute_reweighted, std::fabs(reweighted[k] - exact));
  }
  measured[0].value = absolute;
  measured[1].value = relative;
  if (weighted) measured[2].value = absolute_reweighted;
  return measured;
}

}  // namespace boltzcurve

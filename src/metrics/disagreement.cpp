#include "metrics/disagreement.hpp"
#include "metrics/importance.hpp"
#include "metrics/mode_weights.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Responsibility of each law for a point y: its part of the mixture's density there.
void responsibilities(const NormalMixture& mixture, std::span<const double> y, std::span<double> share) {
  const std::size_t D = y.size();
  double largest = -infinity, sum = 0;
  for (std::size_t k = 0; k < share.size(); ++k) {
    double log_density = std::log(mixture.weight[k]);
    for (std::size_t j = 0; j < D; ++j) {
      const double* const axis = &mixture.axes[(k * D + j) * D];
      double along = 0;
      for (std::size_t d = 0; d < D; ++d) along += axis[d] * (y[d] - mixture.mean[k * D + d]);
      const double variance = mixture.variance[k * D + j];
      log_density -= (along * along / variance + std::log(variance)) / 2;
    }
    share[k] = log_density;
    largest = std::max(largest, log_density);
  }
  for (auto& value : share) sum += value = std::exp(value - largest);
  for (auto& value : share) value /= sum;
}

/// Of feature f of a point in D dimensions: coordinates, their squares, and shares of modes.
std::string feature_name(std::size_t f, std::size_t D) {
  if (f < D) return fmt::format("the mean of coordinate {}", f + 1);
  if (f < 2 * D) return fmt::format("the mean square of coordinate {}", f + 1 - D);
  return fmt::format("the share of mode {}", f + 1 - 2 * D);
}

/// What is compared of a point in the coordinates of the curve: coordinates, their squares, and responsibilities where there are several.
class Features {
 public:
  Features(std::size_t dimension, const NormalMixture& mixture)
      : D_(dimension), laws_(mixture.components() > 1 ? mixture.components() : 0), mixture_(mixture) {}

  std::size_t count() const { return 2 * D_ + laws_; }
  void operator()(std::span<const double> y, std::span<double> feature) const {
    for (std::size_t k = 0; k < D_; ++k) feature[k] = y[k], feature[D_ + k] = y[k] * y[k];
    if (laws_ > 0) responsibilities(mixture_, y, feature.subspan(2 * D_));
  }

 private:
  std::size_t D_, laws_;
  const NormalMixture& mixture_;
};

/// Of the population's points, by its islands: with a_i points of sum s_i in island i of M, mean = sum s_i / N and variance
/// M/(M - 1) sum (s_i - a_i mean)^2 / N^2.
template <class FeaturesOf>
Means population_means(const CurvePopulation& population, std::size_t features, const FeaturesOf& features_of) {
  const auto N = static_cast<std::size_t>(population.count()), D = static_cast<std::size_t>(population.dimension);
  const auto of_point = [&](std::size_t i, std::span<double> to) { features_of(std::span(&population.position[i * D], D), to); };
  const auto islands =
      population.island.empty() ? 0 : static_cast<std::size_t>(*std::max_element(population.island.begin(), population.island.end())) + 1;
  if (islands < 2) return weighted_means(Communicator(MPI_COMM_SELF), std::vector<double>(N, 1.0), features, of_point);
  std::vector<double> sums(islands * features), points(islands), feature(features);
  Means means{std::vector<double>(features), std::vector<double>(features)};
  for (std::size_t i = 0; i < N; ++i) {
    const auto island = static_cast<std::size_t>(population.island[i]);
    of_point(i, feature);
    points[island] += 1;
    for (std::size_t f = 0; f < features; ++f) {
      sums[island * features + f] += feature[f];
      means.value[f] += feature[f] / static_cast<double>(N);
    }
  }
  const double M = static_cast<double>(islands);
  for (std::size_t island = 0; island < islands; ++island)
    for (std::size_t f = 0; f < features; ++f)
      means.variance[f] +=
          M / (M - 1) * std::pow((sums[island * features + f] - points[island] * means.value[f]) / static_cast<double>(N), 2);
  return means;
}

/// Importance weights over the largest; empty with too few effective particles. Collective.
std::vector<double> relative_weights(const MetricInput& input, const ImportanceEstimate& estimate) {
  if (!has_enough_effective(estimate, total_count(input.ranks, input.particles.size()))) return {};
  auto weight = log_weights(input.particles);
  const double largest = largest_of(input.ranks, weight);
  for (auto& value : weight) value = std::exp(value - largest);
  return weight;
}

void compare_log_z(Disagreement& result, const ImportanceEstimate& estimate, double other, double error) {
  result.compare(estimate.log_z, other, std::pow(estimate.log_z_stderr, 2) + std::pow(error, 2) + log_z_floor * log_z_floor, "log Z");
}

}  // namespace

void Disagreement::compare(double a, double b, double variance, const std::string& what) {
  ++comparisons;
  const double apart = std::fabs(a - b);
  if (!(apart > 1e-12 * (std::fabs(a) + std::fabs(b)))) return;
  const double z = apart / std::sqrt(variance);
  if (z <= largest) return;
  largest = z;
  of = what;
}

std::optional<Disagreement> disagreement_from_population(const MetricInput& input) {
  if (!input.pilot || !input.population || input.population->count() == 0) return std::nullopt;
  const auto estimate = importance_of(input.ranks, input.particles);
  const auto weight = relative_weights(input, estimate);
  if (input.ranks.any(weight.size() != input.particles.size())) return std::nullopt;
  const auto D = static_cast<std::size_t>(input.particles.dimension);
  const Features features(D, input.pilot->mixture);
  std::vector<double> y(D);
  auto of_particles = weighted_means(input.ranks, weight, features.count(), [&](std::size_t i, std::span<double> to) {
    const auto x = input.particles.x(i);
    std::copy(x.begin(), x.end(), y.begin());
    input.pilot->coordinates.to_z(y.data());
    features(y, to);
  });
  widen_by_lineages(estimate, of_particles);
  const auto of_population = population_means(*input.population, features.count(), features);
  Disagreement result;
  for (std::size_t f = 0; f < features.count(); ++f)
    result.compare(of_particles.value[f], of_population.value[f], of_particles.variance[f] + of_population.variance[f], feature_name(f, D));
  const double error = input.pilot->log_z_stderr;
  if (std::isfinite(error)) compare_log_z(result, estimate, input.pilot->log_z, error);
  return result;
}

std::optional<Disagreement> disagreement_from_known(const MetricInput& input) {
  const auto samples = total_count(input.ranks, input.exact_again.extent(0));
  if (!input.log_z && !input.moments && samples < 2) return std::nullopt;
  const auto estimate = importance_of(input.ranks, input.particles);
  const auto weight = relative_weights(input, estimate);
  if (input.ranks.any(weight.size() != input.particles.size())) return std::nullopt;
  Disagreement result;
  if (input.log_z) compare_log_z(result, estimate, *input.log_z, 0);
  const auto D = static_cast<std::size_t>(input.particles.dimension), modes = input.modes.size() > 1 ? input.modes.size() : 0;
  if (!input.moments && samples < 2) return result;

  // About a center and in a unit of the size of the law, so that squares keep their digits.
  std::vector<double> center(D, 0.0), unit(D, 1.0);
  const auto features_of = [&](std::span<const double> x, std::span<double> feature) {
    for (std::size_t k = 0; k < D; ++k) {
      feature[k] = (x[k] - center[k]) / unit[k];
      feature[D + k] = feature[k] * feature[k];
    }
    if (modes == 0) return;
    std::fill(feature.begin() + static_cast<std::ptrdiff_t>(2 * D), feature.end(), 0.0);
    feature[2 * D + nearest_mode(x, input.modes)] = 1;
  };
  std::vector<double> x(D);
  const auto of_sample = [&](std::size_t i, std::span<double> to) {
    for (std::size_t k = 0; k < D; ++k) x[k] = input.exact_again(i, k);
    features_of(x, to);
  };
  const std::vector<double> equal(input.exact_again.extent(0), 1.0);
  if (input.moments) {
    center = input.moments->mean;
    unit = input.moments->deviation;
  } else {
    const auto coarse = weighted_means(input.ranks, equal, 2 * D + modes, of_sample);
    center.assign(coarse.value.begin(), coarse.value.begin() + static_cast<std::ptrdiff_t>(D));
  }
  const std::size_t features = 2 * D + modes;
  auto of_particles =
      weighted_means(input.ranks, weight, features, [&](std::size_t i, std::span<double> to) { features_of(input.particles.x(i), to); });
  widen_by_lineages(estimate, of_particles);
  Means known{std::vector<double>(features, 0.0), std::vector<double>(features, 0.0)};
  if (samples > 1) known = weighted_means(input.ranks, equal, features, of_sample);
  for (std::size_t f = 0; f < features; ++f) {
    const bool is_known = input.moments && f < 2 * D;
    if (!is_known && samples < 2) break;
    const double value = is_known ? (f < D ? 0 : 1) : known.value[f], variance = is_known ? 0 : known.variance[f];
    if (!std::isfinite(value)) continue;
    result.compare(of_particles.value[f], value, of_particles.variance[f] + variance, feature_name(f, D));
  }
  return result;
}

Shares shares_of(const CurvePopulation& population, const NormalMixture& mixture) {
  const std::size_t K = mixture.components();
  const auto means = population_means(population, K + 1, [&](std::span<const double> y, std::span<double> to) {
    responsibilities(mixture, y, to.first(K));
    to[K] = *std::max_element(to.begin(), to.begin() + static_cast<std::ptrdiff_t>(K));
  });
  const auto without_last = [](const std::vector<double>& values) { return std::vector<double>(values.begin(), values.end() - 1); };
  return {{without_last(means.value), without_last(means.variance)}, means.value.back()};
}

std::vector<Measured> measure_disagreement(const MetricInput& input) {
  const auto measured = [](const char* key, const std::optional<Disagreement>& found) {
    return found ? Measured{key, found->largest, found->comparisons} : Measured{key, std::nullopt, 0};
  };
  return {measured("disagreement", disagreement_from_population(input)), measured("disagreement_known", disagreement_from_known(input))};
}

}  // namespace boltzcurve

#include "pilot/mixture_fit.hpp"

#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/registry.hpp>
#include "pilot/whitening.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

namespace boltzcurve {
namespace {

std::vector<double> samples_of(const Energy& target, std::size_t n) {
  const auto D = static_cast<std::size_t>(target.dimension());
  const HostPoints<double> drawn("test::drawn", n, D);
  EXPECT_TRUE(target.draw(3, 0, drawn));
  std::vector<double> points;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < D; ++k) points.push_back(drawn(i, k));
  return points;
}

std::unique_ptr<Energy> modes(const std::vector<std::string>& lines) { return make_target("gaussian-mixture", {{"mode", lines}}); }

// Four modes as unequal as .1 and 2 in width and .1 and .5 in weight. Weights of 8192 points, half of them fitted: four of their standard
// deviations.
TEST(MixtureFit, FindsModesOfUnequalWidth) {
  const auto points = samples_of(*modes({"0.5 | 0 0 | 2", "0.25 | 6 6 | 0.1", "0.15 | -6 6 | 0.5", "0.1 | 6 -6 | 0.3"}), 8192);
  const auto fit = fit_normal_mixture(points, 2, 1).mixture;
  ASSERT_GE(fit.components(), 4U);
  for (const auto& [x, y, weight, deviation] :
       std::vector<std::array<double, 4>>{{6, 6, 0.25, 0.1}, {-6, 6, 0.15, 0.5}, {6, -6, 0.1, 0.3}}) {
    double found = 0, variance = 0;
    for (std::size_t k = 0; k < fit.components(); ++k)
      if (std::hypot(fit.mean[2 * k] - x, fit.mean[2 * k + 1] - y) < 3 * deviation) {
        found += fit.weight[k];
        variance += fit.weight[k] * (fit.variance[2 * k] + fit.variance[2 * k + 1]) / 2;
      }
    EXPECT_NEAR(found, weight, 4 * std::sqrt(weight * (1 - weight) / 4096));
    EXPECT_NEAR(std::sqrt(variance / found) / deviation, 1, 0.15);
  }
}

TEST(MixtureFit, OneComponentIsEnoughForANormalLaw) {
  const auto points = samples_of(*modes({"1 | 0 0 0 0 0 | 1"}), 8192);
  const auto fit = fit_normal_mixture(points, 5, 1).mixture;
  ASSERT_EQ(fit.components(), 1U);
  for (const double variance : fit.variance) EXPECT_NEAR(variance, 1, 0.15);
}

TEST(MixtureFit, AxesAreUnitVectorsAtRightAngles) {
  const auto fit = fit_normal_mixture(samples_of(*modes({"0.6 | 0 0 0 | 1", "0.4 | 5 0 1 | 0.5"}), 4000), 3, 1).mixture;
  EXPECT_NEAR(std::accumulate(fit.weight.begin(), fit.weight.end(), 0.0), 1, 1e-12);
  for (std::size_t k = 0; k < fit.components(); ++k)
    for (std::size_t a = 0; a < 3; ++a)
      for (std::size_t b = 0; b < 3; ++b) {
        double product = 0;
        for (std::size_t i = 0; i < 3; ++i) product += fit.axes[(k * 3 + a) * 3 + i] * fit.axes[(k * 3 + b) * 3 + i];
        EXPECT_NEAR(product, a == b ? 1 : 0, 1e-12);
      }
}

TEST(Whitening, GivesMeanZeroAndCovarianceOneWhateverTheUnits) {
  const std::size_t n = 5000, D = 3;
  std::vector<double> x;
  for (std::size_t i = 0; i < n; ++i) {
    CounterRng rng(9, RandomStream::test, 0, i);
    const double a = rng.normal(), b = rng.normal(), c = rng.normal();
    x.insert(x.end(), {1e3 + 1e-3 * a, 1e3 * (0.9 * a + b), -5 + 1e-3 * b + 1e-2 * c});
  }
  const auto map = whitening_of(x, D);
  map.to_z(std::span(x));
  for (std::size_t j = 0; j < D; ++j)
    for (std::size_t k = 0; k <= j; ++k) {
      double mean = 0, product = 0;
      for (std::size_t i = 0; i < n; ++i) {
        mean += x[i * D + j] / static_cast<double>(n);
        product += x[i * D + j] * x[i * D + k] / static_cast<double>(n);
      }
      EXPECT_NEAR(mean, 0, 1e-6);
      EXPECT_NEAR(product, j == k ? 1 : 0, 3e-3) << j << k;  // the shrinkage is D/n
    }
}

}  // namespace
}  // namespace boltzcurve

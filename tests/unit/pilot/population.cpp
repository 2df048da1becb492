#include "pilot/population.hpp"
#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "energy/gaussian_mixture.hpp"
#include "unit/pilot/pilot_targets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace boltzcurve {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

const Communicator& self() {
  static const Communicator communicator(MPI_COMM_SELF);
  return communicator;
}

PopulationSettings small(std::int64_t particles = 2048, std::int64_t island = 128) {
  PopulationSettings settings;
  settings.particles = particles;
  settings.island = island;
  return settings;
}

/// Mean and variance of a coordinate over the population.
struct Spread {
  double mean = 0, variance = 0;
};
Spread spread(const Population& population, std::size_t D, std::size_t k) {
  Spread of;
  const double n = static_cast<double>(population.energy.size());
  for (std::size_t i = 0; i < population.energy.size(); ++i) of.mean += population.position[i * D + k] / n;
  for (std::size_t i = 0; i < population.energy.size(); ++i) of.variance += std::pow(population.position[i * D + k] - of.mean, 2) / n;
  return of;
}

/// log Z within five of its own errors (16 islands: Student's t with 15 degrees of freedom, one in six thousand), and that error no larger
/// than `error`.
void expect_log_z(const Population& population, double log_z, double error) {
  EXPECT_NEAR(population.log_z, log_z, 5 * population.log_z_stderr);
  EXPECT_LT(population.log_z_stderr, error);
  EXPECT_EQ(population.temper.back(), 1);
  EXPECT_LT(population.disagreement, 6);
}

// Moments: draws of one population are not independent. With the moves that forget, 2048 draws are worth at least 200: five errors of
// those.
void expect_normal_moments(const Population& population, const std::vector<double>& mean, const std::vector<double>& deviation) {
  for (std::size_t k = 0; k < mean.size(); ++k) {
    const auto of = spread(population, mean.size(), k);
    EXPECT_NEAR(of.mean, mean[k], 5 * deviation[k] / std::sqrt(200)) << k;
    EXPECT_NEAR(of.variance / (deviation[k] * deviation[k]), 1, 5 * std::sqrt(2.0 / 200)) << k;
  }
}

TEST(Population, DrawsANormalLawAndItsPartitionFunction) {
  const auto target = make_gaussian_mixture({{1, std::vector<double>(10, 3.0), {1.0}}});
  const auto population = run_population(self(), *target, small());
  expect_log_z(population, 0, 0.06);
  expect_normal_moments(population, std::vector<double>(10, 3.0), std::vector<double>(10, 1.0));
}

TEST(Population, ReachesTheTailsOfStudentT) {
  const auto target = make_energy(StudentT{10}, {cube(10, infinite)});
  const auto population = run_population(self(), *target, small());
  expect_log_z(population, StudentT{10}.log_z(), 0.06);
  // E x^2 = nu / (nu - 2), whose square has no finite mean: a wide bound.
  for (std::size_t k = 0; k < 10; ++k) EXPECT_NEAR(spread(population, 10, k).variance, 5.0 / 3, 0.6);
}

TEST(Population, SharesTwoModesOfUnequalWidth) {
  const auto target = make_gaussian_mixture({{0.7, {-3.0, -3.0}, {1.0}}, {0.3, {3.0, 3.0}, {0.09}}});
  const auto population = run_population(self(), *target, small(4096, 256));
  expect_log_z(population, 0, 0.1);
  std::vector<double> share(16, 0.0), count(16, 0.0);
  for (std::size_t i = 0; i < population.energy.size(); ++i) {
    const auto island = static_cast<std::size_t>(population.island[i]);
    count[island] += 1;
    share[island] += population.position[2 * i] + population.position[2 * i + 1] > 2;  // both modes are there three deviations away
  }
  double mean = 0, squares = 0;
  for (std::size_t i = 0; i < 16; ++i) mean += share[i] / 4096;
  for (std::size_t i = 0; i < 16; ++i) squares += std::pow((share[i] - mean * count[i]) / 4096, 2) * 16 / 15;
  EXPECT_NEAR(mean, 0.3, 5 * std::sqrt(squares));
  EXPECT_LT(std::sqrt(squares), 0.03);
}

}  // namespace
}  // namespace boltzcurve

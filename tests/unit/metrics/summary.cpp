#include "metrics/summary.hpp"
#include <boltzcurve/counter_rng.hpp>
#include "metrics/importance.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace boltzcurve {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

ParameterSummary summary_of(const std::vector<double>& log_weight, const std::vector<double>& values) {
  return summarize(Communicator(MPI_COMM_SELF), log_weight, values, 1).front();
}

// Twenty draws 1, ..., 20 of equal weight: mean 21/2, variance (20^2 - 1)/12, error sqrt(variance/20); quantiles are draws.
TEST(Summary, EqualWeightsGiveMeanDeviationAndQuantilesOfTheDraws) {
  std::vector<double> values;
  for (int k = 20; k > 0; --k) values.push_back(k);
  const auto summary = summary_of(std::vector<double>(20, -3.0), values);
  const double rounding = 1e-14;
  EXPECT_NEAR(summary.mean, 10.5, rounding);
  EXPECT_NEAR(summary.deviation, std::sqrt(399. / 12), rounding);
  EXPECT_NEAR(summary.standard_error, std::sqrt(399. / 240), rounding);
  EXPECT_NEAR(summary.effective_size, 20, 1e-12);
  EXPECT_EQ(summary.quantiles, (std::array{1.0, 10.0, 19.0}));
}

// An integer weight is as many draws of the same value, of which the errors alone know that they are one.
TEST(Summary, WeightsCountAsRepeatedDraws) {
  std::vector<double> log_weight, values, repeated;
  for (int k = 1; k <= 40; ++k) {
    const double value = (k * 17) % 41;
    const int times = 1 + k % 3;
    values.push_back(value);
    log_weight.push_back(std::log(times));
    repeated.insert(repeated.end(), static_cast<std::size_t>(times), value);
  }
  const auto weighted = summary_of(log_weight, values), plain = summary_of(std::vector<double>(repeated.size(), 0.0), repeated);
  EXPECT_NEAR(weighted.mean, plain.mean, 1e-13);
  EXPECT_NEAR(weighted.deviation, plain.deviation, 1e-13);
  EXPECT_EQ(weighted.quantiles, plain.quantiles);
  EXPECT_GT(weighted.standard_error, plain.standard_error);
  EXPECT_LT(weighted.effective_size, 40);
}

TEST(Summary, ParticlesWithoutWeightDoNotCountWhateverTheirPlaces) {
  std::vector<double> log_weight(30, 1.0), values(60);
  for (std::size_t i = 0; i < 30; ++i) values[2 * i] = 5, values[2 * i + 1] = static_cast<double>(i);
  const auto without = summarize(Communicator(MPI_COMM_SELF), log_weight, values, 2);
  log_weight.push_back(-infinity);
  values.push_back(std::nan(""));
  values.push_back(infinity);
  const auto with = summarize(Communicator(MPI_COMM_SELF), log_weight, values, 2);
  EXPECT_EQ(with[0].mean, 5);
  EXPECT_EQ(with[0].deviation, 0);
  EXPECT_EQ(with[1].mean, without[1].mean);
  EXPECT_EQ(with[1].standard_error, without[1].standard_error);
  EXPECT_EQ(with[1].quantiles, without[1].quantiles);
}

TEST(Summary, TooFewEffectiveParticlesHaveNoErrorAndNoneHasNothing) {
  const auto few = summary_of({0, 0, -1, -30, -30}, {1, 2, 3, 4, 5});
  EXPECT_LT(few.mean, 2);
  EXPECT_TRUE(std::isnan(few.standard_error) && std::isnan(few.effective_size));
  EXPECT_EQ(few.quantiles, (std::array{1.0, 2.0, 3.0}));
  const auto none = summary_of({-infinity, -infinity}, {1, 2});
  EXPECT_TRUE(std::isnan(none.mean) && std::isnan(none.deviation) && std::isnan(none.quantiles[1]));
}

// Draws of N(0, 1.5^2) weighted to N(0, 1): the mean squared error of the mean over many sets is what the delta method says. The mean over
// sets of the estimated variance and that of the squares agree within five standard errors of the latter, sqrt(2/sets).
TEST(Summary, MonteCarloErrorIsTheSpreadOfTheMeanOverManySets) {
  const int sets = 400, count = 200;
  const double s = 1.5;
  double squares = 0, said = 0;
  for (int set = 0; set < sets; ++set) {
    std::vector<double> log_weight, values;
    for (int i = 0; i < count; ++i) {
      CounterRng random(9, RandomStream::test, static_cast<std::uint64_t>(set), static_cast<std::uint64_t>(i));
      const double x = s * random.normal();
      values.push_back(x);
      log_weight.push_back(x * x / (2 * s * s) - x * x / 2);
    }
    const auto summary = summary_of(log_weight, values);
    squares += summary.mean * summary.mean / sets;
    said += summary.standard_error * summary.standard_error / sets;
  }
  EXPECT_NEAR(squares / said, 1, 5 * std::sqrt(2.0 / sets));
}

}  // namespace
}  // namespace boltzcurve

#include <boltzcurve/counter_rng.hpp>
#include "metrics/energy_distance.hpp"
#include "metrics/mode_weights.hpp"
#include "metrics/sliced_wasserstein.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace boltzcurve {
namespace {

const Communicator& self() {
  static const Communicator communicator(MPI_COMM_SELF);
  return communicator;
}

HostPoints<double> normal_points(int count, int dimension, std::uint64_t step, double shift = 0) {
  HostPoints<double> points("test::points", static_cast<std::size_t>(count), static_cast<std::size_t>(dimension));
  for (int i = 0; i < count; ++i) {
    CounterRng random(4, RandomStream::test, step, static_cast<std::uint64_t>(i));
    for (int d = 0; d < dimension; ++d) points(i, d) = shift + random.normal();
  }
  return points;
}

HostPoints<double> line(const std::vector<double>& values) {
  HostPoints<double> points("test::line", values.size(), 1);
  for (std::size_t i = 0; i < values.size(); ++i) points(i, 0) = values[i];
  return points;
}

double brute_force(const HostPoints<double>& x, const HostPoints<double>& y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.extent(0); ++i) {
    for (std::size_t j = 0; j < y.extent(0); ++j) {
      double square = 0;
      for (std::size_t d = 0; d < x.extent(1); ++d) square += std::pow(x(i, d) - y(j, d), 2);
      sum += std::sqrt(square);
    }
  }
  return sum;
}

// Sizes around packs and blocks of rows, odd and even; a sum of n positive numbers has a relative rounding error below n eps.
TEST(EnergyDistance, AgreesWithADoubleLoop) {
  for (const int dimension : {1, 2, 5, 8}) {
    for (const auto& [n, m] : {std::pair{1, 1}, {2, 3}, {7, 8}, {9, 64}, {65, 130}, {200, 129}, {513, 1100}}) {
      SCOPED_TRACE(testing::Message() << "D = " << dimension << ", N = " << n << ", M = " << m);
      const auto x = normal_points(n, dimension, 10), y = normal_points(m, dimension, 11, 0.5);
      const double between = brute_force(x, y), within_x = brute_force(x, x), within_y = brute_force(y, y);
      EXPECT_NEAR(sum_of_distances(self(), x, y), between, 1e-12 * between);
      EXPECT_NEAR(sum_of_distances(self(), x), within_x / 2, 1e-12 * within_x);
      const auto distance = energy_distance(self(), x, y);
      EXPECT_NEAR(distance.v_statistic, between / (n * m) - within_x / (2. * n * n) - within_y / (2. * m * m), 1e-12);
      EXPECT_GE(distance.v_statistic, -1e-15);
      if (n > 1) {
        const double unbiased = between / (n * m) - within_x / (2. * n * (n - 1)) - within_y / (2. * m * (m - 1));
        EXPECT_NEAR(distance.u_statistic, unbiased, 1e-12);
      } else {
        EXPECT_TRUE(std::isnan(distance.u_statistic));
      }
    }
  }
}

double normal_quantile(double u) {
  double low = -10, high = 10;
  for (int step = 0; step < 80; ++step) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < u ? low : high) = middle;
  }
  return low;
}

// E|N(m, s^2)| = s sqrt(2/pi) exp(-m^2/(2 s^2)) + m erf(m/(s sqrt 2)). The laws are put in as their N middle quantiles, which are within
// W1 = (largest - smallest)/(4 N) < 7 s/(4 N) of them; each mean distance changes by at most the W1 of its arguments, so the whole by twice
// the sum over both laws.
TEST(EnergyDistance, ReproducesTheClosedFormOfTwoGaussians) {
  const int count = 2000;
  const auto mean_size = [](double m, double s) {
    return s * std::sqrt(2 / M_PI) * std::exp(-m * m / (2 * s * s)) + m * std::erf(m / (s * std::sqrt(2.0)));
  };
  for (const double mean : {0.0, 0.7, 3.0}) {
    const double sd = 2;
    std::vector<double> x, y;
    for (int i = 0; i < count; ++i) {
      const double z = normal_quantile((i + 0.5) / count);
      x.push_back(z);
      y.push_back(mean + sd * z);
    }
    const double exact = mean_size(mean, std::sqrt(1 + sd * sd)) - mean_size(0, std::sqrt(2.0)) / 2 - mean_size(0, sd * std::sqrt(2.0)) / 2;
    EXPECT_NEAR(energy_distance(self(), line(x), line(y)).v_statistic, exact, 2 * (1 + sd) * 7 / (4. * count));
  }
}

// Under equal laws the u statistic has mean 0. 200 repetitions, 4.5 standard errors of their mean: a false alarm below 1e-5. The v
// statistic's mean is (E|X-X'|/2)(1/N + 1/M), with E|X-X'| = 2/sqrt(pi) for standard normals.
TEST(EnergyDistance, UnbiasedStatisticIsUnbiasedAndTheOtherIsNot) {
  double sum = 0, squares = 0, sum_v = 0;
  for (std::uint64_t k = 0; k < 200; ++k) {
    const auto distance = energy_distance(self(), normal_points(20, 1, 100 + k), normal_points(30, 1, 1000 + k));
    sum += distance.u_statistic;
    sum_v += distance.v_statistic;
    squares += distance.u_statistic * distance.u_statistic;
  }
  const double error = std::sqrt(squares) / 200;
  EXPECT_NEAR(sum / 200, 0, 4.5 * error);
  EXPECT_NEAR(sum_v / 200, (1 / std::sqrt(M_PI)) * (1. / 20 + 1. / 30), 4.5 * error);
}

TEST(SlicedWasserstein, MatchesQuantilesOfUnequalSamples) {
  // Quantiles of {0, 1} and {0, 0.5, 2} differ by 0, -0.5, 0.5, -1 over lengths 1/3, 1/6, 1/6, 1/3.
  EXPECT_NEAR(squared_wasserstein({0, 1}, {0, 0.5, 2}), 0.25 / 3 + 1. / 3, 1e-15);
  EXPECT_NEAR(squared_wasserstein({0, 0.5, 2}, {0, 1}), 0.25 / 3 + 1. / 3, 1e-15);
  EXPECT_EQ(squared_wasserstein({1, 2, 3}, {1, 1, 2, 2, 3, 3}), 0);
  EXPECT_NEAR(squared_wasserstein({1, 2, 3}, {1, 2, 6}), 3, 1e-15);
}

TEST(SlicedWasserstein, ShiftOnTheLineIsItsLength) {
  const auto x = normal_points(101, 1, 20);
  auto y = normal_points(101, 1, 20, 2.5);
  EXPECT_NEAR(sliced_wasserstein(self(), x, y, 1), 2.5, 1e-13);
  EXPECT_EQ(sliced_wasserstein(self(), x, x, 1), 0);
}

// A shift c shows as <direction, c>: its mean square is |c|^2/D, with a relative variance of 2 (D-1)/(D+2) a direction. Five standard
// errors.
TEST(SlicedWasserstein, ShiftShowsAsItsLengthOverTheRootOfTheDimension) {
  const int projections = 20000;
  for (const int dimension : {2, 8}) {
    const auto x = normal_points(3, dimension, 20), y = normal_points(3, dimension, 20, 1.0);  // |c|^2 = D
    const double square = std::pow(sliced_wasserstein(self(), x, y, 1, projections), 2);
    EXPECT_NEAR(square, 1, 5 * std::sqrt(2. * (dimension - 1) / (dimension + 2) / projections));
    EXPECT_NE(sliced_wasserstein(self(), x, y, 1), sliced_wasserstein(self(), x, y, 2));  // the seed counts
  }
}

TEST(ModeWeights, CountTheNearestModeByWeight) {
  const std::vector<Mode> modes = {{0.5, {-1}}, {0.3, {0}}, {0.2, {4}}};
  auto particles = room_for_particles({0, 7}, 1);
  particles.position = {-3, -0.6, -0.4, 0.1, 1.9, 2.1, 90};
  const auto shares = mode_shares(self(), particles, std::vector<double>{1, 1, 2, 1, 1, 3, 0}, modes);
  EXPECT_NEAR(shares[0], 2. / 9, 1e-15);
  EXPECT_NEAR(shares[1], 4. / 9, 1e-15);
  EXPECT_NEAR(shares[2], 3. / 9, 1e-15);
}

}  // namespace
}  // namespace boltzcurve

// What must hold for every density, registered target or latent. A new target is tested here without a line of its own.
#include "densities.hpp"

#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace boltzcurve::test {
namespace {

class EveryDensity : public testing::TestWithParam<Density> {
 protected:
  void SetUp() override {
    energy = GetParam().make();
    dimension = static_cast<std::size_t>(energy->dimension());
  }

  /// Typical points moved by normal noise of half a unit: around the mass, on slopes and between modes.
  HostPoints<double> scattered(std::size_t count) const {
    const auto points = typical_points(*energy, 11, count);
    for (std::size_t i = 0; i < count; ++i) {
      CounterRng rng(12, RandomStream::test, 0, i);
      for (std::size_t d = 0; d < dimension; ++d) points(i, d) += 0.5 * rng.normal();
    }
    return points;
  }

  std::unique_ptr<Energy> energy;
  std::size_t dimension = 0;
};

INSTANTIATE_TEST_SUITE_P(Densities, EveryDensity, testing::ValuesIn(densities()), [](const auto& test) {
  std::string name = test.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// Fourth-order differences (-g(2h) + 8 g(h) - 8 g(-h) + g(-2h)) / 12h of f give the gradient, of the gradient the Laplacian. With h = 1e-4
// and derivatives that change by a factor e over 0.02 (between two rings) or more, they are right to h^4 / (30 * 0.02^4), 2e-11 of the
// derivative's size, and rounding adds 1e-16 |g| / h: bounds of 1e-8 leave room for constants.
TEST_P(EveryDensity, GradientAndLaplacianAreTheDerivativesOfTheValue) {
  const std::size_t count = 20;
  const double h = 1e-4;
  const auto points = scattered(count);
  const auto exact = evaluate(*energy, points);
  // row ((i * D + d) * 4 + s): point i moved along d by the s-th of these
  const double moves[4] = {-2 * h, -h, h, 2 * h}, weights[4] = {1 / (12 * h), -8 / (12 * h), 8 / (12 * h), -1 / (12 * h)};
  const HostPoints<double> moved("test::moved", count * dimension * 4, dimension);
  for (std::size_t row = 0; row < moved.extent(0); ++row) {
    const std::size_t i = row / 4 / dimension, d = row / 4 % dimension;
    for (std::size_t e = 0; e < dimension; ++e) moved(row, e) = points(i, e) + (e == d ? moves[row % 4] : 0);
  }
  const auto values = evaluate(*energy, moved);
  for (std::size_t i = 0; i < count; ++i) {
    double laplacian = 0, steepest = 0, curvature = 0;
    for (std::size_t d = 0; d < dimension; ++d) {
      double slope = 0, second = 0;
      for (std::size_t s = 0; s < 4; ++s) {
        slope += weights[s] * values((i * dimension + d) * 4 + s, 0);
        second += weights[s] * values((i * dimension + d) * 4 + s, 1 + d);
      }
      EXPECT_NEAR(exact(i, 1 + d), slope, 1e-8 * (1 + std::fabs(slope) + std::fabs(exact(i, 0)))) << "point " << i << ", coordinate " << d;
      laplacian += second;
      curvature += std::fabs(second);
      steepest = std::max(steepest, std::fabs(slope));
    }
    EXPECT_NEAR(exact(i, 1 + dimension), laplacian, 1e-8 * (1 + curvature + steepest)) << "point " << i;
  }
}

/// Nodes and weights of a sum over an interval.
struct Nodes {
  std::vector<double> at, weight;
};

Nodes trapezoid_nodes(double lower, double upper, double spacing) {
  Nodes nodes;
  for (std::size_t i = 0; i < static_cast<std::size_t>((upper - lower) / spacing); ++i) {
    nodes.at.push_back(lower + spacing * static_cast<double>(i));
    nodes.weight.push_back(spacing);
  }
  return nodes;
}

/// Gauss's rule of five points on panels that halve towards every kink, down to 2^-16 of the side, and are cut into eight: with panels
/// a fixed share of their distance from a singularity the error does not depend on its kind.
Nodes nodes_around(double lower, double upper, const std::vector<double>& kinks) {
  std::vector<double> borders = {lower, upper};
  const double side = upper - lower;
  for (const double kink : kinks) {
    borders.push_back(kink);
    for (int halvings = 1; halvings < 16; ++halvings)
      for (int part = 8; part < 16; ++part)
        for (const double sign : {-1.0, 1.0}) {
          const double border = kink + sign * side * std::ldexp(part / 8.0, -halvings);
          if (border > lower && border < upper) borders.push_back(border);
        }
  }
  std::sort(borders.begin(), borders.end());
  constexpr double place[] = {-0.9061798459386640, -0.5384693101056831, 0, 0.5384693101056831, 0.9061798459386640};
  constexpr double weight[] = {0.2369268850561891, 0.4786286704993665, 0.5688888888888889, 0.4786286704993665, 0.2369268850561891};
  Nodes nodes;
  for (std::size_t i = 0; i + 1 < borders.size(); ++i) {
    const double middle = (borders[i] + borders[i + 1]) / 2, half = (borders[i + 1] - borders[i]) / 2;
    for (int k = 0; k < 5; ++k) {
      nodes.at.push_back(middle + half * place[k]);
      nodes.weight.push_back(half * weight[k]);
    }
  }
  return nodes;
}

// Sums over the domain, exact to rounding (see Density::spacing) or around kinks. Under rho = exp(-f)/Z, integration by parts gives
// E[x . grad f] = D and E[Lap f] = E[|grad f|^2].
TEST_P(EveryDensity, QuadratureGivesLogZEntropyAndIntegrationByParts) {
  const auto& density = GetParam();
  if (dimension > 2 || density.thin) GTEST_SKIP() << "more than two dimensions, or too thin";
  ASSERT_TRUE(density.spacing > 0 || !density.kinks.empty()) << "a density in one or two dimensions needs a spacing, or kinks";
  const Domain domain = energy->domain();
  Nodes axis[2] = {{}, {{0}, {1}}};
  for (std::size_t d = 0; d < dimension; ++d)
    axis[d] = density.kinks.empty() ? trapezoid_nodes(domain.lower[d], domain.upper[d], density.spacing)
                                    : nodes_around(domain.lower[d], domain.upper[d], density.kinks);
  const std::size_t side = axis[0].at.size();
  const HostPoints<double> points("test::grid", side * axis[1].at.size(), dimension);
  for (std::size_t i = 0; i < points.extent(0); ++i) {
    points(i, 0) = axis[0].at[i % side];
    if (dimension == 2) points(i, 1) = axis[1].at[i / side];
  }
  const auto results = evaluate(*energy, points);
  double z = 0, mean_energy = 0, virial = 0, laplacian = 0, squares = 0;
  for (std::size_t i = 0; i < points.extent(0); ++i) {
    const double weight = std::exp(-results(i, 0)) * axis[0].weight[i % side] * axis[1].weight[i / side];
    z += weight;
    mean_energy += weight * results(i, 0);
    laplacian += weight * results(i, 1 + dimension);
    for (std::size_t d = 0; d < dimension; ++d) {
      virial += weight * points(i, d) * results(i, 1 + d);
      squares += weight * results(i, 1 + d) * results(i, 1 + d);
    }
  }
  ASSERT_TRUE(energy->log_z());
  EXPECT_NEAR(*energy->log_z(), std::log(z), 1e-9);
  if (energy->entropy()) {
    EXPECT_NEAR(*energy->entropy(), mean_energy / z + std::log(z), 1e-7);
  }
  EXPECT_NEAR(virial / z, static_cast<double>(dimension), 1e-9);
  // Of a curvature like |u|^(p-2) the panels next to the kink hold a share of their size to the power p - 1, 2^-8 for p = 1.5.
  const double tolerance = density.kinks.empty() ? 1e-9 : 0x1p-7;
  if (!density.weak_laplacian) {
    EXPECT_NEAR(laplacian / squares, 1, tolerance);
  }
}

// The same identities by exact samples, which checks the sampler with all else. A sampler of another density would be seen from a relative
// difference of a few per cent on.
TEST_P(EveryDensity, ExactSamplesGiveTheEntropyAndIntegrationByParts) {
  const std::size_t count = 1 << 15;
  const auto points = draw(*energy, 21, 0, count);
  if (points.extent(0) == 0) GTEST_SKIP() << "no exact samples";
  const auto results = evaluate(*energy, points);
  Average value, virial, stein;
  for (std::size_t i = 0; i < count; ++i) {
    double product = 0, square = 0;
    for (std::size_t d = 0; d < dimension; ++d) {
      product += points(i, d) * results(i, 1 + d);
      square += results(i, 1 + d) * results(i, 1 + d);
    }
    value.add(results(i, 0));
    virial.add(product);
    stein.add(results(i, 1 + dimension) - square);
  }
  ASSERT_TRUE(energy->log_z());
  if (energy->entropy()) {
    // entropies of mixtures in more than two dimensions have a standard error of 0.005 of their own
    EXPECT_NEAR(value.mean() + *energy->log_z(), *energy->entropy(),
                certain * std::hypot(value.standard_error(), dimension > 2 ? 0.005 : 0));
  }
  EXPECT_NEAR(virial.mean(), static_cast<double>(dimension), certain * virial.standard_error());
  if (GetParam().stein_by_samples && !GetParam().weak_laplacian) {
    EXPECT_NEAR(stein.mean(), 0, certain * stein.standard_error());
  }
}

TEST_P(EveryDensity, ASampleDependsOnSeedAndGlobalIndexOnly) {
  const auto all = draw(*energy, 31, 100, 40), part = draw(*energy, 31, 117, 5), other_seed = draw(*energy, 32, 117, 5);
  if (all.extent(0) == 0) GTEST_SKIP() << "no exact samples";
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t d = 0; d < dimension; ++d) {
      EXPECT_EQ(part(i, d), all(17 + i, d));
      EXPECT_NE(part(i, d), other_seed(i, d));
      EXPECT_NE(all(i, d), all(i + 1, d));
    }
  }
}

TEST_P(EveryDensity, TheDomainHoldsEverySampleAndAllModes) {
  const Domain domain = energy->domain();
  ASSERT_EQ(domain.lower.size(), dimension);
  ASSERT_EQ(domain.upper.size(), dimension);
  const auto points = draw(*energy, 41, 0, 1 << 14);
  for (std::size_t d = 0; d < dimension; ++d) {
    for (std::size_t i = 0; i < points.extent(0); ++i) {
      ASSERT_GT(points(i, d), domain.lower[d]);
      ASSERT_LT(points(i, d), domain.upper[d]);
    }
    for (const Mode& mode : energy->modes()) {
      EXPECT_GT(mode.center[d], domain.lower[d]);
      EXPECT_LT(mode.center[d], domain.upper[d]);
    }
  }
}

TEST_P(EveryDensity, ModeWeightsSumToOne) {
  const auto modes = energy->modes();
  double sum = 0;
  for (const Mode& mode : modes) {
    EXPECT_GT(mode.weight, 0);
    EXPECT_EQ(mode.center.size(), dimension);
    sum += mode.weight;
  }
  if (!modes.empty()) {
    EXPECT_NEAR(sum, 1, 1e-13);
  }
}

TEST_P(EveryDensity, FloatIsFiniteAllOverTheDomain) {
  const Domain domain = energy->domain();
  const HostPoints<float> points("test::box", 512, dimension);
  for (std::size_t i = 0; i < points.extent(0); ++i) {
    CounterRng rng(51, RandomStream::test, 0, i);
    for (std::size_t d = 0; d < dimension; ++d) {
      // the first half lies on corners of the box, the origin comes last
      double share = rng.uniform();
      if (i < 256) share = std::round(share);
      points(i, d) = static_cast<float>(i == 511 ? 0 : domain.lower[d] + share * (domain.upper[d] - domain.lower[d]));
    }
  }
  const auto results = evaluate(*energy, points);
  for (std::size_t i = 0; i < points.extent(0); ++i) {
    for (std::size_t c = 0; c < dimension + 2; ++c) ASSERT_TRUE(std::isfinite(results(i, c))) << "point " << i << ", component " << c;
  }
}

// Both at the same (float) points. Errors are some units of rounding, 6e-8, of the largest term and of the change that one unit of
// rounding in x makes: |x| times the next derivative.
TEST_P(EveryDensity, FloatAgreesWithDouble) {
  const auto points = rounded<float>(scattered(512));
  const HostPoints<double> same("test::same", points.extent(0), dimension);
  Kokkos::deep_copy(same, points);
  const auto single = evaluate(*energy, points);
  const auto exact = evaluate(*energy, same);
  const double unit = 6e-8 * GetParam().rounding;
  for (std::size_t i = 0; i < points.extent(0); ++i) {
    double length = 1, slope = 0;
    for (std::size_t d = 0; d < dimension; ++d) {
      length = std::hypot(length, same(i, d));
      slope = std::hypot(slope, exact(i, 1 + d));
    }
    const double terms = 1 + slope * slope + std::fabs(exact(i, 1 + dimension)), size = static_cast<double>(dimension);
    EXPECT_NEAR(single(i, 0), exact(i, 0), 10 * unit * (size + std::fabs(exact(i, 0)) + length * slope)) << "point " << i;
    for (std::size_t d = 0; d < dimension; ++d) {
      EXPECT_NEAR(single(i, 1 + d), exact(i, 1 + d), 20 * unit * (slope + length * terms)) << "point " << i << ", coordinate " << d;
    }
    EXPECT_NEAR(single(i, 1 + dimension), exact(i, 1 + dimension), 100 * unit * (size + length * terms)) << "point " << i;
  }
}

template <class Real>
void expect_same_alone_and_among_others(const Energy& energy, const HostPoints<double>& scattered) {
  const auto points = rounded<Real>(scattered);
  const std::size_t count = points.extent(0), dimension = points.extent(1);
  const auto together = evaluate(energy, points);
  for (const std::size_t begin : {0, 1, 2, 5}) {
    for (const std::size_t size : {1, 2, 3, 15, 17, 32}) {
      // a batch of its own, last point first
      const HostPoints<Real> batch("test::batch", size, dimension);
      for (std::size_t i = 0; i < size; ++i) {
        for (std::size_t d = 0; d < dimension; ++d) batch(i, d) = points(begin + size - 1 - i, d);
      }
      const auto results = evaluate(energy, batch);
      for (std::size_t i = 0; i < size; ++i) {
        for (std::size_t c = 0; c < dimension + 2; ++c) {
          const Real a = results(i, c), b = together(begin + size - 1 - i, c);
          ASSERT_EQ(std::memcmp(&a, &b, sizeof a), 0) << a << " is not " << b << " in component " << c << " of " << count;
        }
      }
    }
  }
}

TEST_P(EveryDensity, AResultDoesNotDependOnLanePlaceOrBatch) {
  expect_same_alone_and_among_others<float>(*energy, scattered(37));
  expect_same_alone_and_among_others<double>(*energy, scattered(37));
}

/// Value, gradient and Laplacian, each asked for as the most that is wanted: to the bit what they are among all, and nothing else touched.
template <class Real>
void expect_same_whatever_else_is_wanted(const Energy& energy, const HostPoints<double>& scattered) {
  const auto points = rounded<Real>(scattered);
  const std::size_t count = points.extent(0), columns = points.extent(1) + 2;
  const auto all = evaluate(energy, points);
  const Points<Real> x("test::x", count, points.extent(1));
  Kokkos::deep_copy(x, points);
  for (const Wanted wanted : {Wanted::value, Wanted::gradient, Wanted::laplacian}) {
    const auto tight = evaluate(energy, points, wanted);
    const Points<Real> out("test::out", count, columns);
    Kokkos::deep_copy(out, Real(-1234.5));
    energy.evaluate(x, out, wanted);
    const auto wide = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t c = 0; c < columns; ++c) {
        const bool is_wanted = c < tight.extent(1);
        const Real expected = is_wanted ? all(i, c) : Real(-1234.5), found = wide(i, c), alone = is_wanted ? tight(i, c) : expected;
        ASSERT_EQ(std::memcmp(&found, &expected, sizeof found), 0)
            << found << " is not " << expected << " in component " << c << " with " << tight.extent(1) << " columns wanted";
        ASSERT_EQ(std::memcmp(&alone, &expected, sizeof alone), 0)
            << alone << " is not " << expected << " in component " << c << " of " << tight.extent(1) << " columns";
      }
  }
}

TEST_P(EveryDensity, AResultDoesNotDependOnWhatElseIsWanted) {
  expect_same_whatever_else_is_wanted<float>(*energy, scattered(137));
  expect_same_whatever_else_is_wanted<double>(*energy, scattered(137));
}

TEST_P(EveryDensity, InOtherCoordinatesGivesTheSameWhateverElseIsWanted) {
  if (dimension < 2) GTEST_SKIP() << "one dimension only";
  ScaleMap map{std::vector<double>(dimension, 0.25),
               std::vector<double>(dimension, 0.0),
               std::vector<double>(dimension * dimension, 0.0),
               {},
               {},
               {},
               {},
               {}};
  map.offset[1] = 0.125, map.slope[dimension] = 0.375;  // x_0 drives x_1
  const auto other = energy->in_coordinates(map);
  if (!other) GTEST_SKIP() << "a closed form, which stays in its own coordinates";
  expect_same_whatever_else_is_wanted<float>(*other, scattered(137));
  expect_same_whatever_else_is_wanted<double>(*other, scattered(137));
}

TEST_P(EveryDensity, AnEmptyBatchIsFine) {
  const HostPoints<float> nothing("test::nothing", 0, dimension);
  EXPECT_EQ(evaluate(*energy, nothing).extent(0), 0u);
}

TEST_P(EveryDensity, RefusesViewsOfAnotherShape) {
  const Points<double> x("test::x", 7, dimension + 1), out("test::out", 7, dimension + 3);
  const std::string columns = std::to_string(dimension);
  EXPECT_THAT([&] { energy->evaluate(x, out); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("points [7][" + std::to_string(dimension + 1) + "] and results [7][" +
                                                               std::to_string(dimension + 3) + "] do not fit dimension " + columns)));
  const Points<double> good("test::x", 7, dimension), narrow("test::narrow", 7, dimension);
  EXPECT_THAT([&] { energy->evaluate(good, narrow, Wanted::gradient); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("and " + std::to_string(dimension + 1) + " wanted column(s)")));
  EXPECT_NO_THROW(energy->evaluate(good, narrow, Wanted::value));
}

}  // namespace
}  // namespace boltzcurve::test

#include "densities.hpp"

#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boltzcurve::test {
namespace {

/// In three dimensions: x_2 is driven by x_0 and x_1.
ScaleMap two_drivers() { return {{0.5, -1, 2}, {0, 0, 0.3}, {0, 0, 0, 0, 0, 0, 0.4, -0.2, 0}, {}, {}, {}, {}, {}}; }

/// What makes a funnel a standard normal, but for x_0's variance of 9: x_k = z_k exp(x_0 / 2).
ScaleMap funnel_map(int dimension) {
  const auto D = static_cast<std::size_t>(dimension);
  ScaleMap map{std::vector<double>(D, 0.0), std::vector<double>(D, 0.0), std::vector<double>(D * D, 0.0), {}, {}, {}, {}, {}};
  for (std::size_t k = 1; k < D; ++k) map.slope[k * D] = 0.5;
  return map;
}

TEST(ScaleMap, FollowsItsFormula) {
  const ScaleMap map = two_drivers();
  double z[3] = {1.5, 1, -0.7};
  const double s = 0.3 + 0.4 * 1 - 0.2 * 2;
  EXPECT_DOUBLE_EQ(map.log_volume(z), s);
  map.to_x(z);
  EXPECT_EQ(z[0], 1.5);
  EXPECT_EQ(z[1], 1);
  EXPECT_DOUBLE_EQ(z[2], 2 - 0.7 * std::exp(s));
  map.to_z(z);
  EXPECT_NEAR(z[2], -0.7, 1e-15);
  EXPECT_TRUE(ScaleMap().is_identity());
  EXPECT_FALSE(map.is_identity());
}

TEST(ScaleMap, OfManyPointsIsThatOfEach) {
  const ScaleMap map = two_drivers();
  const std::vector<double> z = {1.5, 1, -0.7, 0.2, -0.4, 1.3};
  std::vector<double> all = z;
  map.to_x(all);
  for (std::size_t point : {0, 1}) {
    double one[3] = {z[3 * point], z[3 * point + 1], z[3 * point + 2]};
    map.to_x(one);
    for (std::size_t k = 0; k < 3; ++k) EXPECT_EQ(all[3 * point + k], one[k]);
  }
  map.to_z(all);
  for (std::size_t i = 0; i < z.size(); ++i) EXPECT_NEAR(all[i], z[i], 1e-15);
  ScaleMap().to_x(all);
  ScaleMap().to_z(all);
  for (std::size_t i = 0; i < z.size(); ++i) EXPECT_NEAR(all[i], z[i], 1e-15);
}

// The determinant of the matrix of central differences dx/dz is the volume that log_volume() gives.
TEST(ScaleMap, VolumeIsTheDeterminantOfItsDerivative) {
  const ScaleMap map = two_drivers();
  const double z[3] = {0.2, -0.4, 1.3}, h = 1e-5;
  double slope[3][3];
  for (int j = 0; j < 3; ++j) {
    double up[3] = {z[0], z[1], z[2]}, down[3] = {z[0], z[1], z[2]};
    up[j] += h;
    down[j] -= h;
    map.to_x(up);
    map.to_x(down);
    for (int i = 0; i < 3; ++i) slope[i][j] = (up[i] - down[i]) / (2 * h);
  }
  const double determinant = slope[0][0] * (slope[1][1] * slope[2][2] - slope[1][2] * slope[2][1]) -
                             slope[0][1] * (slope[1][0] * slope[2][2] - slope[1][2] * slope[2][0]) +
                             slope[0][2] * (slope[1][0] * slope[2][1] - slope[1][1] * slope[2][0]);
  EXPECT_NEAR(std::log(determinant), map.log_volume(z), 1e-9);  // h^2 and rounding over h
}

TEST(ScaleMap, MakesAFunnelNormal) {
  const int D = 6;
  const auto funnel = make_target("funnel", {{"dimension", {"6"}}});
  const auto normal = funnel->in_coordinates(funnel_map(D));
  ASSERT_TRUE(normal);
  const HostPoints<double> z("test::z", 50, D);
  for (std::size_t i = 0; i < 50; ++i) {
    CounterRng rng(3, RandomStream::test, 0, i);
    for (std::size_t k = 0; k < D; ++k) z(i, k) = (k == 0 ? 4 : 2) * rng.normal();
  }
  const auto out = evaluate(*normal, z);
  for (std::size_t i = 0; i < 50; ++i) {
    double f = z(i, 0) * z(i, 0) / 18;
    EXPECT_NEAR(out(i, 1), z(i, 0) / 9, 1e-11);
    for (std::size_t k = 1; k < D; ++k) {
      f += z(i, k) * z(i, k) / 2;
      EXPECT_NEAR(out(i, 1 + k), z(i, k), 1e-12);
    }
    EXPECT_NEAR(out(i, 0), f, 1e-12);
    EXPECT_NEAR(out(i, 1 + D), 1.0 / 9 + (D - 1), 1e-10);
  }
  EXPECT_EQ(normal->log_z(), funnel->log_z());
  EXPECT_FALSE(normal->entropy());
}

// f(x(z)) - log |dx/dz| of points that are the same in both coordinates; derivatives against fourth-order differences as in every_law.cpp.
TEST(ScaleMap, EnergyIsThatOfTheSameDistribution) {
  const ScaleMap map = two_drivers();
  const auto funnel = make_target("funnel", {{"dimension", {"3"}}});
  const auto other = funnel->in_coordinates(map);
  ASSERT_TRUE(other);
  const double h = 1e-3, moves[5] = {0, -2 * h, -h, h, 2 * h}, weights[5] = {0, 1 / (12 * h), -8 / (12 * h), 8 / (12 * h), -1 / (12 * h)};
  HostPoints<double> z("test::z", 15, 3), x("test::x", 15, 3);
  for (std::size_t i = 0; i < 15; ++i) {
    double point[3] = {0.3, -0.6, 0.9};
    point[i / 5] += moves[i % 5];
    for (std::size_t k = 0; k < 3; ++k) z(i, k) = point[k];
    map.to_x(point);
    for (std::size_t k = 0; k < 3; ++k) x(i, k) = point[k];
  }
  const auto in_z = evaluate(*other, z), in_x = evaluate(*funnel, x);
  double laplacian = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    double slope = 0;
    for (std::size_t s = 0; s < 5; ++s) {
      const std::size_t i = 5 * k + s;
      const double point[3] = {z(i, 0), z(i, 1), z(i, 2)};
      EXPECT_NEAR(in_z(i, 0), in_x(i, 0) - map.log_volume(point), 1e-13);
      slope += weights[s] * in_z(i, 0);
      laplacian += weights[s] * in_z(i, 1 + k);
    }
    EXPECT_NEAR(in_z(0, 1 + k), slope, 1e-9) << k;
  }
  EXPECT_NEAR(in_z(0, 4), laplacian, 1e-9);
}

TEST(ScaleMap, SamplesAreThoseOfTheLawInTheOtherCoordinates) {
  const auto funnel = make_target("funnel", {{"dimension", {"3"}}});
  const ScaleMap map = two_drivers();
  const auto x = draw(*funnel, 5, 7, 20), z = draw(*funnel->in_coordinates(map), 5, 7, 20);
  for (std::size_t i = 0; i < 20; ++i) {
    double point[3] = {z(i, 0), z(i, 1), z(i, 2)};
    map.to_x(point);
    for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(point[k], x(i, k), 1e-13 * (1 + std::fabs(x(i, k))));
  }
}

TEST(ScaleMap, AnEnergyInClosedFormKeepsItsCoordinates) { EXPECT_FALSE(make_target("many-well")->in_coordinates(funnel_map(8))); }

}  // namespace
}  // namespace boltzcurve::test

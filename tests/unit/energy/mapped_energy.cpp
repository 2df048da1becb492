#include "energy/mapped_energy.hpp"

#include <boltzcurve/registry.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace boltzcurve {
namespace {

/// x_2 driven by x_0 and x_1, behind a whitening with every coordinate's place, width and correlations.
ScaleMap whole_map() {
  ScaleMap map;
  map.center = {0.5, -1, 2};
  map.offset = {0, 0, 0.3};
  map.slope = {0, 0, 0, 0, 0, 0, 0.4, -0.2, 0};
  map.shift = {0.2, -0.4, 0.7};
  map.factor = {1.5, 0, 0, -0.6, 0.8, 0, 0.3, 0.2, 2.5};
  return map;
}

std::shared_ptr<const Energy> funnel() { return make_target("funnel", {{"dimension", {"3"}}}); }

std::vector<double> at(const Energy& energy, const std::vector<double>& y, Wanted wanted = Wanted::laplacian) {
  const Points<double> point("test::y", 1, y.size()), out("test::out", 1, y.size() + 2);
  for (std::size_t k = 0; k < y.size(); ++k) point(0, k) = y[k];
  energy.evaluate(point, out, wanted);
  std::vector<double> row;
  for (std::size_t k = 0; k < out.extent(1); ++k) row.push_back(out(0, k));
  return row;
}

const std::vector<double> somewhere = {0.7, -1.1, 0.4};

TEST(MappedEnergy, IsThatOfTheSamePointButForTheVolume) {
  const auto map = whole_map();
  const auto energy = funnel(), other = in_coordinates(energy, map);
  auto x = somewhere;
  map.to_x(x.data());
  EXPECT_NEAR(at(*other, somewhere)[0], at(*energy, x)[0] - map.log_volume(somewhere.data()), 1e-12);
  map.to_z(x.data());
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(x[k], somewhere[k], 1e-13);
  EXPECT_EQ(in_coordinates(energy, {}), energy);
}

TEST(MappedEnergy, VolumeIsTheDeterminantOfTheMap) {
  auto map = whole_map();
  map.center.clear();
  EXPECT_NEAR(map.log_volume(somewhere.data()), std::log(1.5 * 0.8 * 2.5), 1e-14);
}

// Central differences: h^2 times third derivatives, and rounding over h.
TEST(MappedEnergy, GradientAndLaplacianAreThoseOfItsValue) {
  const auto energy = in_coordinates(funnel(), whole_map());
  const auto row = at(*energy, somewhere);
  double laplacian = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    constexpr double h = 1e-4;
    auto up = somewhere, down = somewhere;
    up[k] += h;
    down[k] -= h;
    const double high = at(*energy, up, Wanted::value)[0], low = at(*energy, down, Wanted::value)[0];
    EXPECT_NEAR(row[k + 1], (high - low) / (2 * h), 1e-6 * (1 + std::fabs(row[k + 1]))) << k;
    laplacian += (high - 2 * row[0] + low) / (h * h);
  }
  EXPECT_NEAR(row[4], laplacian, 1e-5 * (1 + std::fabs(laplacian)));
}

// In float, x = 1000 + 0.001 y has no digit left of y.
/// x_0 after x_2 after x_1, each of which moves and scales the next.
ScaleMap moving_map() {
  auto map = whole_map();
  map.order = {1, 2, 0};
  map.offset = {-0.4, 0, 0.3};
  map.slope = {0, 0.1, 0.3, 0, 0, 0, 0, -0.2, 0};
  map.linear = {0, 0.5, 0.7, 0, 0, 0, 0, -0.6, 0};
  map.square = {0, 0, 0.4, 0, 0, 0, 0, 0.25, 0};
  return map;
}

TEST(MappedEnergy, PlacesMayFollowOthersInAnyOrder) {
  const auto map = moving_map();
  const auto energy = in_coordinates(funnel(), map);
  auto x = somewhere;
  map.to_x(x.data());
  EXPECT_NEAR(at(*energy, somewhere)[0], at(*funnel(), x)[0] - map.log_volume(somewhere.data()), 1e-11);
  map.to_z(x.data());
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(x[k], somewhere[k], 1e-13);
  const auto row = at(*energy, somewhere, Wanted::gradient);
  constexpr double h = 1e-5;
  double volume[3][3];
  for (std::size_t k = 0; k < 3; ++k) {
    auto up = somewhere, down = somewhere;
    up[k] += h;
    down[k] -= h;
    const double difference = (at(*energy, up, Wanted::value)[0] - at(*energy, down, Wanted::value)[0]) / (2 * h);
    EXPECT_NEAR(row[k + 1], difference, 1e-6 * (1 + std::fabs(difference))) << k;
    map.to_x(up.data());
    map.to_x(down.data());
    for (std::size_t i = 0; i < 3; ++i) volume[i][k] = (up[i] - down[i]) / (2 * h);
  }
  const double determinant = volume[0][0] * (volume[1][1] * volume[2][2] - volume[1][2] * volume[2][1]) -
                             volume[0][1] * (volume[1][0] * volume[2][2] - volume[1][2] * volume[2][0]) +
                             volume[0][2] * (volume[1][0] * volume[2][1] - volume[1][1] * volume[2][0]);
  EXPECT_NEAR(std::log(std::fabs(determinant)), map.log_volume(somewhere.data()), 1e-8);
}

TEST(MappedEnergy, OfANarrowDensityFarAwayFloatIsEnough) {
  const std::shared_ptr<const Energy> narrow = make_target("gaussian-mixture", {{"mode", {"1 | 1000 | 0.001"}}});
  ScaleMap map;
  map.shift = {1000};
  map.factor = {0.001};
  const auto energy = in_coordinates(narrow, map);
  const Points<float> y("test::y", 1, 1), out("test::out", 1, 3);
  y(0, 0) = 1.25F;
  energy->evaluate(y, out);
  EXPECT_NEAR(out(0, 0), 0.5 * 1.25 * 1.25 + 0.5 * std::log(2 * M_PI), 1e-5);
  EXPECT_NEAR(out(0, 1), 1.25, 1e-5);
  EXPECT_NEAR(out(0, 2), 1, 1e-5);
}

}  // namespace
}  // namespace boltzcurve

#include "energy/host_energy.hpp"

#include <boltzcurve/registry.hpp>
#include "core/heartbeat.hpp"
#include "energy/mapped_energy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

namespace boltzcurve {
namespace {

using testing::Each;
using testing::ElementsAre;

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

/// A target of the library, asked for from the host, and what it was asked.
class Wrapped final : public HostEnergy {
 public:
  Wrapped(std::shared_ptr<const Energy> energy, Facts facts) : HostEnergy(std::move(facts)), energy_(std::move(energy)) {}

  mutable std::vector<std::size_t> calls;  ///< points of each
  mutable std::vector<double> last_x;

 private:
  void evaluate_rows(std::span<const double> x, std::span<double> value, std::span<double> gradient) const override {
    const std::size_t n = value.size(), D = x.size() / n;
    calls.push_back(n);
    last_x.assign(x.begin(), x.end());
    const Points<double> points("test::x", n, D), out("test::out", n, D + 1);
    for (std::size_t i = 0; i < x.size(); ++i) points(i / D, i % D) = x[i];
    energy_->evaluate(points, out, gradient.empty() ? Wanted::value : Wanted::gradient);
    for (std::size_t i = 0; i < n; ++i) value[i] = out(i, 0);
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] = out(i / D, i % D + 1);
  }

  std::shared_ptr<const Energy> energy_;
};

/// f = x, a number or none; df/dx = 1, but none at 5.
class Whatever final : public HostEnergy {
 public:
  Whatever() : HostEnergy({.dimension = 1}) {}
  mutable std::set<double> asked;

 private:
  void evaluate_rows(std::span<const double> x, std::span<double> value, std::span<double> gradient) const override {
    asked.insert(x.begin(), x.end());
    for (std::size_t i = 0; i < x.size(); ++i) {
      value[i] = x[i] == 2 ? nan : x[i] == 3 ? infinity : x[i] == 4 ? -infinity : x[i];
      if (!gradient.empty()) gradient[i] = x[i] == 5 ? infinity : 1;
    }
  }
};

template <class Real>
Points<Real> some_points(std::size_t n, std::size_t D) {
  const Points<Real> x("test::points", n, D);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < D; ++k) x(i, k) = static_cast<Real>(2 * std::sin(static_cast<double>(1 + i * D + k)));
  return x;
}

template <class Real>
Points<Real> evaluated(const Energy& energy, const Points<Real>& x, Wanted wanted) {
  const Points<Real> out("test::results", x.extent(0), x.extent(1) + 2);
  Kokkos::deep_copy(out, 77);  // what is not wanted stays
  energy.evaluate(x, out, wanted);
  return out;
}

std::shared_ptr<const Energy> many_well() { return make_target("many-well", {{"dimension", {"4"}}}); }
Wrapped wrapped(std::int64_t batch = 1024, bool exact = false) {
  return {many_well(), {.dimension = 4, .batch = batch, .exact_batches = exact, .domain = many_well()->domain()}};
}

TEST(HostEnergy, GivesTheBitsOfTheFunctionWhateverIsWanted) {
  const auto energy = wrapped();
  const auto x = some_points<double>(5000, 4);
  for (const Wanted wanted : {Wanted::value, Wanted::gradient}) {
    const auto expected = evaluated(*many_well(), x, wanted), found = evaluated(energy, x, wanted);
    for (std::size_t i = 0; i < x.extent(0); ++i)
      for (std::size_t k = 0; k < 6; ++k) ASSERT_EQ(found(i, k), expected(i, k)) << "point " << i << ", column " << k;
  }
}

TEST(HostEnergy, RoundsToFloatAtTheEndOnly) {
  const auto x = some_points<float>(3, 4);
  const Points<double> same("test::same", 3, 4);
  Kokkos::deep_copy(same, x);
  const auto found = evaluated(wrapped(), x, Wanted::gradient);
  const auto expected = evaluated(*many_well(), same, Wanted::gradient);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t k = 0; k < 5; ++k) EXPECT_EQ(found(i, k), static_cast<float>(expected(i, k)));
}

// How fast they grow follows from how long they take.
TEST(HostEnergy, CallsBeginSmallAndHaveABatchAtMost) {
  const auto energy = wrapped(100);
  evaluated(energy, some_points<double>(400, 4), Wanted::value);
  EXPECT_EQ(energy.calls[0], 16);
  EXPECT_THAT(energy.calls, Each(testing::Le(100)));
  EXPECT_EQ(std::accumulate(energy.calls.begin(), energy.calls.end(), std::size_t{0}), 400);
}

TEST(HostEnergy, FillsExactBatchesWithCopiesOfTheLastPoint) {
  const auto energy = wrapped(8, true);
  const auto x = some_points<double>(11, 4);
  const auto found = evaluated(energy, x, Wanted::gradient), expected = evaluated(*many_well(), x, Wanted::gradient);
  EXPECT_THAT(energy.calls, ElementsAre(8, 8));
  for (std::size_t i = 0; i < 8; ++i)
    for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(energy.last_x[i * 4 + k], x(std::min<std::size_t>(8 + i, 10), k));
  for (std::size_t i = 0; i < 11; ++i)
    for (std::size_t k = 0; k < 6; ++k) EXPECT_EQ(found(i, k), expected(i, k));
}

// f = u^4 - 6 u^2 - u / 2 + v^2 / 2 in every pair: the error is h^2 / 12 times the fourth derivative, 24, of two coordinates, and rounding.
TEST(HostEnergy, LaplacianComesFromDifferencesOfValues) {
  const auto energy = wrapped();
  const auto x = some_points<double>(50, 4);
  const auto found = evaluated(energy, x, Wanted::laplacian), expected = evaluated(*many_well(), x, Wanted::laplacian);
  const auto box = many_well()->domain();
  const double h = 0.005 * (box.upper[0] - box.lower[0]) / 16;
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_NEAR(found(i, 5), expected(i, 5) + 2 * h * h / 12 * 24, 1e-7);
    EXPECT_EQ(found(i, 4), expected(i, 4));
  }
}

TEST(HostEnergy, TakesUnknownDensitiesForZeroAndCountsThem) {
  const Whatever energy;
  const Points<double> x("test::x", 6, 1);
  for (std::size_t i = 0; i < 6; ++i) x(i, 0) = static_cast<double>(i);
  {
    const Phase phase("testing");
    const auto out = evaluated(energy, x, Wanted::gradient);
    EXPECT_THAT((std::vector<double>{out(0, 0), out(1, 0), out(2, 0), out(3, 0), out(4, 0), out(5, 0)}),
                ElementsAre(0, 1, infinity, infinity, infinity, infinity));
    EXPECT_EQ(out(1, 1), 1);
    for (std::size_t i = 2; i < 6; ++i) EXPECT_TRUE(std::isnan(out(i, 1))) << "no slope at " << i;
  }
  EXPECT_EQ(energy.unknown_values().count, 3);
  EXPECT_EQ(energy.unknown_values().first, "f = nan at x = (2) while testing");
  evaluated(energy, x, Wanted::value);
  EXPECT_EQ(energy.unknown_values().count, 5) << "the slope at 5 was not asked for";

  const Whatever fresh;
  evaluated(fresh, Points<double>(Kokkos::subview(x, std::make_pair(5, 6), Kokkos::ALL)), Wanted::gradient);
  EXPECT_EQ(fresh.unknown_values().first, "df/dx1 = inf at x = (5) while starting");
}

TEST(HostEnergy, AsksForNothingAtCoordinatesThatAreNotFinite) {
  const Whatever energy;
  const Points<double> x("test::x", 3, 1);
  x(0, 0) = nan, x(1, 0) = 1, x(2, 0) = infinity;
  const auto out = evaluated(energy, x, Wanted::gradient);
  EXPECT_THAT(energy.asked, ElementsAre(1));
  EXPECT_EQ(out(1, 0), 1);
  for (const std::size_t i : {0U, 2U})
    for (const std::size_t k : {0U, 1U}) EXPECT_TRUE(std::isnan(out(i, k)));
  EXPECT_EQ(energy.unknown_values().count, 0);
}

TEST(HostEnergy, UnknownValuesAreCountedInOtherCoordinatesToo) {
  const auto energy = std::make_shared<Whatever>();
  ScaleMap map;
  map.center = {0}, map.offset = {0}, map.slope = {0}, map.shift = {1}, map.factor = {1};
  const auto mapped = in_coordinates(energy, map);
  ASSERT_NE(mapped, energy);
  const Points<double> y("test::y", 1, 1);
  y(0, 0) = 1;
  evaluated(*mapped, y, Wanted::gradient);
  EXPECT_EQ(mapped->unknown_values().count, 1);
}

// An infinite side times a coefficient of zero would be NaN.
TEST(HostEnergy, HasNoBoundsUnlessToldInAnyCoordinates) {
  const Wrapped energy(many_well(), {.dimension = 4});
  EXPECT_THAT(energy.domain().lower, Each(-infinity));
  EXPECT_THAT(energy.domain().upper, Each(infinity));
  ScaleMap map;
  map.center.assign(4, 0.0), map.offset.assign(4, 0.0), map.slope.assign(16, 0.0), map.shift.assign(4, 1.0), map.factor.assign(16, 0.0);
  for (std::size_t k = 0; k < 4; ++k) map.factor[k * 5] = 2;
  map.factor[4] = -1;
  EXPECT_THAT(mapped(energy.domain(), map).lower, Each(-infinity));
  EXPECT_THAT(mapped(energy.domain(), map).upper, Each(infinity));
}

}  // namespace
}  // namespace boltzcurve

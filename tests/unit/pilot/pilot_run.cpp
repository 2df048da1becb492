#include "pilot/pilot_run.hpp"
#include <boltzcurve/energy_of.hpp>
#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "unit/pilot/pilot_targets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

namespace boltzcurve {
namespace {

const Communicator& self() {
  static const Communicator communicator(MPI_COMM_SELF);
  return communicator;
}

PilotInput by_smc(const Energy& target, std::int64_t particles = 2048) {
  PilotInput input{{PilotMethod::smc, particles}, target.domain()};
  input.points = 256;
  return input;
}

/// Of a population [N][D]: means, and covariances [D][D].
struct Spread {
  std::vector<double> mean, covariance;

  explicit Spread(const CurvePopulation& population) {
    const auto D = static_cast<std::size_t>(population.dimension), n = static_cast<std::size_t>(population.count());
    const auto at = [&](std::size_t i, std::size_t k) { return population.position[i * D + k]; };
    mean.assign(D, 0.0);
    covariance.assign(D * D, 0.0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < D; ++k) mean[k] += at(i, k) / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < D; ++k)
        for (std::size_t j = 0; j < D; ++j) covariance[k * D + j] += (at(i, k) - mean[k]) * (at(i, j) - mean[j]) / static_cast<double>(n);
  }
};

/// The population's own, but for rounding.
void expect_white(const Pilot& pilot) {
  const Spread of(*pilot.population);
  const std::size_t D = of.mean.size();
  for (std::size_t k = 0; k < D; ++k) {
    EXPECT_NEAR(of.mean[k], 0, 1e-9) << k;
    EXPECT_NEAR(pilot.summary.mean[k], of.mean[k], 1e-9) << k;
    EXPECT_NEAR(pilot.summary.deviation[k], std::sqrt(of.covariance[k * D + k]), 1e-9) << k;
    for (std::size_t j = 0; j < D; ++j) EXPECT_NEAR(of.covariance[k * D + j], k == j, 1e-5) << k << ", " << j;
  }
}

/// Gradients that are kept are those of the target's energy in the curve's coordinates: central differences of its value, in double.
void expect_gradients_of_the_curve_target(const Pilot& pilot, double tolerance) {
  const auto& population = *pilot.population;
  const auto D = static_cast<std::size_t>(population.dimension);
  const auto value_at = [&](const std::vector<double>& y) {
    const Points<double> point("test::y", 1, D), out("test::f", 1, 1);
    for (std::size_t k = 0; k < D; ++k) point(0, k) = y[k];
    pilot.curve_target->evaluate(point, out, Wanted::value);
    return out(0, 0);
  };
  constexpr double h = 1e-5;
  for (const std::size_t i : {std::size_t{0}, std::size_t{7}, static_cast<std::size_t>(population.count()) - 1})
    for (std::size_t k = 0; k < D; ++k) {
      std::vector<double> y(population.position.begin() + static_cast<std::ptrdiff_t>(i * D),
                            population.position.begin() + static_cast<std::ptrdiff_t>((i + 1) * D));
      y[k] += h;
      const double high = value_at(y);
      y[k] -= 2 * h;
      const double slope = (high - value_at(y)) / (2 * h);
      EXPECT_NEAR(population.gradient[i * D + k], slope, tolerance * (1 + std::fabs(slope))) << i << ", " << k;
    }
}

// Far away, narrow and correlated: deviations 1, 0.01 and 30 about (100, -5, 2000), turned.
TEST(PopulationPilot, WhitensACorrelatedNormalLaw) {
  const std::vector<double> mean = {100, -5, 2000}, deviations = {1, 0.01, 30};
  const std::shared_ptr<const Energy> target =
      make_energy(make_normal(mean, deviations, true), {Domain{{0, -100, 1000}, {200, 100, 3000}}});
  const auto pilot = run_pilot(self(), target, by_smc(*target));
  EXPECT_EQ(pilot.chains, nullptr);
  EXPECT_EQ(pilot.population->count(), 2048);
  EXPECT_TRUE(pilot.summary.coordinates.is_whitening());
  expect_white(pilot);
  expect_gradients_of_the_curve_target(pilot, 1e-6);
  // Where a normal law is white, one normal law of width 1 is all there is to it, and the slope of its energy is the point itself.
  EXPECT_EQ(pilot.summary.mixture.components(), 1u);
  EXPECT_NEAR(pilot.summary.width, 1, 0.2);
  EXPECT_NEAR(pilot.summary.log_z, log_z_of_normal(deviations), 0.15);  // of four islands, whose spread is hardly known
  EXPECT_TRUE(pilot.summary.has_population());
}

// x_0 drives the scales of all others; without that a normal law is left.
TEST(PopulationPilot, FindsTheDriverOfAFunnel) {
  const std::shared_ptr<const Energy> target = make_target("funnel", {{"dimension", {"4"}}});
  auto pilot = run_pilot(self(), target, by_smc(*target, 4096));
  const auto& map = pilot.summary.coordinates;
  ASSERT_EQ(map.center.size(), 4u);
  EXPECT_FALSE(map.is_driven(0));
  for (std::size_t k = 1; k < 4; ++k) {
    EXPECT_TRUE(map.is_driven(k));
    EXPECT_NEAR(map.slope[k * 4], 0.5, 0.05) << k;
  }
  expect_white(pilot);
  expect_gradients_of_the_curve_target(pilot, 1e-5);

  // In the target's own coordinates, if it is to be so.
  auto input = by_smc(*target, 512);
  input.finds_coordinates = false;
  pilot = run_pilot(self(), target, input);
  EXPECT_TRUE(pilot.summary.coordinates.is_identity());
  EXPECT_EQ(pilot.curve_target, target);
  expect_gradients_of_the_curve_target(pilot, 1e-5);
}

TEST(PopulationPilot, KnowsTwoModesAndTheirWidths) {
  const std::shared_ptr<const Energy> target = make_target("gaussian-mixture", {{"mode", {"0.3 | -3 0 | 0.5", "0.7 | 3 1 | 1"}}});
  const auto pilot = run_pilot(self(), target, by_smc(*target));
  expect_white(pilot);
  const auto& mixture = pilot.summary.mixture;
  ASSERT_EQ(mixture.components(), 2u);
  const std::size_t light = mixture.weight[0] < mixture.weight[1] ? 0 : 1;
  EXPECT_NEAR(mixture.weight[light], 0.3, 0.06);
  // Mode of deviation 0.5 in coordinates of which one has a deviation of about 2.9 and the other one of 1.
  std::vector<double> center = {-3, 0};
  pilot.summary.coordinates.to_z(center.data());
  for (std::size_t k = 0; k < 2; ++k) EXPECT_NEAR(mixture.mean[light * 2 + k], center[k], 0.1) << k;
  EXPECT_LT(pilot.summary.width, mixture.variance[2 * light] + mixture.variance[2 * light + 1]);
}

TEST(PopulationPilot, IsKnownByItsSummaryAndRefusesThatOfChains) {
  const std::shared_ptr<const Energy> target = make_target("gaussian-mixture", {{"preset", {"two"}}});
  const auto found = run_pilot(self(), target, by_smc(*target, 512));
  const auto known = known_pilot(self(), target, by_smc(*target, 512), found.summary);
  EXPECT_EQ(known.population->count(), 0);
  known.population->restore(found.population->state());
  EXPECT_EQ(known.population->position, found.population->position);
  EXPECT_EQ(known.population->gradient, found.population->gradient);
  expect_gradients_of_the_curve_target(known, 1e-5);

  auto by_chains = by_smc(*target);
  by_chains.settings.method = PilotMethod::chains;
  EXPECT_THAT([&] { known_pilot(self(), target, by_chains, found.summary); },
              testing::ThrowsMessage<InputError>("the checkpoint's pilot run was by smc, this one is by chains"));
  const auto chains = run_pilot(self(), target, by_chains);
  EXPECT_FALSE(chains.summary.has_population());
  EXPECT_EQ(chains.population, nullptr);
  EXPECT_THAT([&] { known_pilot(self(), target, by_smc(*target), chains.summary); },
              testing::ThrowsMessage<InputError>("the checkpoint's pilot run was by chains, this one is by smc"));
}

/// exp(-|x|), whose slope is no number right of 0.
struct HalfSloped {
  KOKKOS_FUNCTION int dimension() const { return 1; }
  template <class Point, class Output>
  KOKKOS_FUNCTION void derivatives(const Point& x, const Output& out) const {
    const bool right = x(0) > 0;
    out.value(typename Point::Scalar(right ? x(0) : -x(0)));
    out.gradient(0, typename Point::Scalar(right ? std::numeric_limits<double>::quiet_NaN() : -1.0));
    out.laplacian(typename Point::Scalar(0));
  }
};

TEST(PopulationPilot, LeavesOutPointsWhoseGradientIsNoNumber) {
  const std::shared_ptr<const Energy> target = make_energy(HalfSloped(), {cube(1, 10)});
  const auto pilot = run_pilot(self(), target, by_smc(*target, 512));
  EXPECT_GT(pilot.population->count(), 0);
  for (const double slope : pilot.population->gradient) EXPECT_TRUE(std::isfinite(slope));
}

class CurvePopulationState : public testing::Test {
 protected:
  CurvePopulation population{2, {1, 2, 3, 4, 5, 6}, {-1, -2, -3, -4, -5, -6}, {}, 0.5, 4};
  CurvePopulation restored{2, {7, 7}, {8, 8}, {}};

  void expect_refused(const std::vector<NamedArray>& state, const std::string& message) {
    EXPECT_THAT([&] { restored.restore(state); }, testing::ThrowsMessage<InputError>(message));
    EXPECT_EQ(restored.position, (std::vector<double>{7, 7})) << "it must stay as it is";
    EXPECT_EQ(restored.gradient, (std::vector<double>{8, 8}));
  }
};

TEST_F(CurvePopulationState, IsRestoredWhole) {
  restored.restore(population.state());
  EXPECT_EQ(restored.count(), 3);
  EXPECT_EQ(restored.position, population.position);
  EXPECT_EQ(restored.gradient, population.gradient);
}

TEST_F(CurvePopulationState, IsRefusedWhereSomethingIsMissingOfAnotherShapeOrNotFinite) {
  const auto whole = population.state();
  expect_refused({}, "population/position is missing");
  expect_refused({whole[1]}, "population/position is missing");
  expect_refused({whole[0]}, "population/gradient is missing");
  auto other = whole;
  other[0].columns = 3;
  other[0].rows = 2;
  expect_refused(other, "population/position has the shape 2 x 3, expected 2 x 2");
  other = whole;
  other[1].rows = 2;
  other[1].values.resize(4);
  expect_refused(other, "population/gradient has the shape 2 x 2, expected 3 x 2");
  expect_refused({{whole[0].name, 0, 2, {}}, {whole[1].name, 0, 2, {}}}, "population/position has the shape 0 x 2, expected 1 x 2");
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()})
    for (std::size_t array = 0; array < 2; ++array) {
      other = whole;
      other[array].values[4] = bad;
      expect_refused(other, other[array].name + " should hold finite numbers");
    }
}

}  // namespace
}  // namespace boltzcurve

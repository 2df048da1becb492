#include "pilot/scale_fit.hpp"
#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/registry.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

namespace boltzcurve {
namespace {

constexpr std::size_t count = 4096;

/// Exact samples with their gradients.
ThermalPoints samples_of(const Energy& target) {
  const auto D = static_cast<std::size_t>(target.dimension());
  const Points<double> x("test::x", count, D), out("test::out", count, D + 2);
  const HostPoints<double> host("test::host", count, D), results("test::results", count, D + 2), gradient("test::gradient", count, D);
  EXPECT_TRUE(target.draw(4, 0, host));
  Kokkos::deep_copy(x, host);
  target.evaluate(x, out);
  Kokkos::deep_copy(results, out);
  const HostScalars<double> temperature("test::temperature", count);
  for (std::size_t i = 0; i < count; ++i) {
    temperature(i) = 1;
    for (std::size_t k = 0; k < D; ++k) gradient(i, k) = results(i, 1 + k);
  }
  return {host, gradient, temperature, 128};
}

ScaleMap fit(const ThermalPoints& points) { return fit_scale_map(Communicator(MPI_COMM_SELF), points); }

// In a funnel log d^2 = x_0 + log z^2 and log g^2 = -x_0 + log z^2 with the same z: its noise leaves the mean of both. What is left comes
// from the median of x_k: 0 within 1.25 exp(x_0/2) / sqrt(4096) or so of the narrow places, which the logarithm feels there.
TEST(ScaleFit, FindsTheFunnelsDriver) {
  const auto map = fit(samples_of(*make_target("funnel")));
  ASSERT_FALSE(map.is_identity());
  EXPECT_FALSE(map.is_driven(0));
  for (std::size_t k = 1; k < 10; ++k) {
    EXPECT_NEAR(map.slope[k * 10], 0.5, 0.01);
    EXPECT_NEAR(map.offset[k] - 0.5 * map.center[0], 0, 0.02);  // log scale at x_0 = 0
    for (std::size_t j = 1; j < 10; ++j) EXPECT_EQ(map.slope[k * 10 + j], 0);
  }
}

// Scales that follow two coordinates at once, at temperature 2, from a law given by its gradient alone: x_2 = exp(0.4 x_0 - 0.6 x_1) z.
TEST(ScaleFit, SeparatesTwoDrivers) {
  const double temperature = 2;
  ThermalPoints points{HostPoints<double>("test::x", count, 3), HostPoints<double>("test::g", count, 3),
                       HostScalars<double>("test::t", count), 128};
  for (std::size_t i = 0; i < count; ++i) {
    CounterRng rng(9, RandomStream::test, 0, i);
    const double a = 2 * rng.normal(), b = a / 16 + 2 * rng.normal(), z = std::sqrt(temperature) * rng.normal();
    const double scale = std::exp(0.4 * a - 0.6 * b);
    points.position(i, 0) = a;
    points.position(i, 1) = b;
    points.position(i, 2) = scale * z;
    points.gradient(i, 0) = rng.normal();
    points.gradient(i, 1) = rng.normal();
    points.gradient(i, 2) = z / scale;
    points.temperature(i) = temperature;
  }
  const auto map = fit(points);
  ASSERT_FALSE(map.is_identity());
  EXPECT_TRUE(map.is_driven(2));
  EXPECT_FALSE(map.is_driven(0));
  EXPECT_FALSE(map.is_driven(1));
  EXPECT_NEAR(map.slope[6], 0.4, 0.01);
  EXPECT_NEAR(map.slope[7], -0.6, 0.01);
}

TEST(ScaleFit, LeavesModesRingsAndWellsAlone) {
  for (const char* name : {"rings", "gmm40", "many-well", "asymmetric-two", "gaussian-mixture"})
    EXPECT_TRUE(fit(samples_of(*make_target(name))).is_identity()) << name;
}

TEST(ScaleFit, LeavesOneDimensionAlone) {
  EXPECT_TRUE(fit(samples_of(*make_target("gaussian-mixture", {{"mode", {"1 | 0 | 1"}}}))).is_identity());
}

}  // namespace
}  // namespace boltzcurve

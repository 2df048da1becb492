// What it costs to start from N(0, I) in place of rho_T on the forty-mode mixture: closed form, by weights of samples, and through the
// integrator.
#include "metrics/importance.hpp"
#include "ode/dormand_prince.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <support/mixture_flow.hpp>

namespace boltzcurve {
namespace {

TEST(EssCeiling, ClosedFormReproducesTheTable) {
  const auto flow = test::gmm40_flow();
  // The published first means, rounded to four digits.
  EXPECT_NEAR(flow.components()[0].mean[0], -0.2995, 5e-5);
  EXPECT_NEAR(flow.components()[0].mean[1], 21.4577, 5e-5);
  EXPECT_NEAR(flow.components()[2].mean[1], 10.7263, 5e-5);
  const struct {
    double twice_horizon, ess, last_digit;
  } table[] = {{4, 3e-19, 1e-19},     {6, .1320, 1e-4},   {8, .9623, 1e-4},    {9, .9943, 1e-4},
               {10.05, .99914, 1e-5}, {12, .99995, 1e-5}, {14, .999995, 1e-6}, {16, .999999, 1e-6}};
  for (const auto& [twice_horizon, ess, last_digit] : table)
    EXPECT_NEAR(flow.ess_ceiling(twice_horizon / 2), ess, last_digit) << "2T = " << twice_horizon;
}

// N = 10^5: the weights' spread leaves a standard error far below the one per cent that is allowed (chi^2 <= 0.04).
TEST(EssCeiling, WeightsOfLatentSamplesReproduceItWithinOnePerCent) {
  const auto flow = test::gmm40_flow();
  for (const double twice_horizon : {8.0, 9.0, 10.05}) {
    const double horizon = twice_horizon / 2;
    std::vector<double> log_weight;
    for (std::uint64_t i = 0; i < 100000; ++i) {
      CounterRng random(8, RandomStream::test, 7, i);
      const double x[2] = {random.normal(), random.normal()};
      log_weight.push_back(-flow.energy(horizon, x).value + (x[0] * x[0] + x[1] * x[1]) / 2 + std::log(2 * M_PI));
    }
    const auto estimate = importance_estimate(Communicator(MPI_COMM_SELF), log_weight);
    EXPECT_NEAR(estimate.ess, flow.ess_ceiling(horizon), 0.01 * flow.ess_ceiling(horizon)) << "2T = " << twice_horizon;
    EXPECT_NEAR(estimate.log_z, 0, 5 * estimate.log_z_stderr);
  }
}

// Exact transport keeps every single weight: rho_D(x_0)/q(x_0) = rho_T(x_T)/N(x_T; 0, I).
TEST(EssCeiling, TransportAlongTheExactFieldKeepsEveryWeight) {
  const auto flow = test::gmm40_flow();
  const test::MixtureVelocity field(flow);
  const double horizon = 4;
  const int count = 200;
  Points<double> x("test::x", count, 2);
  PointScalars<double> log_q("test::log_q", count);
  std::vector<double> expected;
  for (int i = 0; i < count; ++i) {
    CounterRng random(8, RandomStream::test, 8, static_cast<std::uint64_t>(i));
    const double point[2] = {random.normal(), random.normal()};
    x(i, 0) = point[0];
    x(i, 1) = point[1];
    log_q(i) = -(point[0] * point[0] + point[1] * point[1]) / 2 - std::log(2 * M_PI);
    expected.push_back(-flow.energy(horizon, point).value - log_q(i));
  }
  IntegrationOptions options;
  options.relative_tolerance = options.absolute_tolerance = 1e-8;
  const auto out = integrate(field, horizon, 0, x, log_q, options);
  std::vector<double> log_weight;
  for (int i = 0; i < count; ++i) {
    ASSERT_EQ(out.status(i), ParticleStatus::finished);
    const double point[2] = {out.position(i, 0), out.position(i, 1)};
    log_weight.push_back(-flow.energy(0, point).value - out.log_density(i));
    // Coordinates grow to 40 and borders between modes stretch errors: the tolerance times a few thousands.
    EXPECT_NEAR(log_weight.back(), expected[static_cast<std::size_t>(i)], 5e-5);
  }
  EXPECT_NEAR(importance_estimate(Communicator(MPI_COMM_SELF), log_weight).ess,
              importance_estimate(Communicator(MPI_COMM_SELF), expected).ess, 1e-4);
}

}  // namespace
}  // namespace boltzcurve

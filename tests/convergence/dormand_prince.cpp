// Orders of convergence on the exact field of a Gaussian mixture's gradient flow, against the same paths at the tolerance of rounding.
#include "ode/dormand_prince.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <support/mixture_flow.hpp>

namespace boltzcurve {
namespace {

constexpr double horizon = 2;
constexpr int particles = 20;

class OrderOfConvergence : public testing::Test {
 protected:
  OrderOfConvergence() {
    for (int i = 0; i < particles; ++i) {
      CounterRng random(11, RandomStream::test, 2, static_cast<std::uint64_t>(i));
      double x[2];
      flow_.draw(horizon, random, x);
      position_(i, 0) = x[0];
      position_(i, 1) = x[1];
      log_density_(i) = -flow_.energy(horizon, x).value;
    }
    IntegrationOptions options;
    options.relative_tolerance = options.absolute_tolerance = 1e-14;
    reference_ = integrate(field_, horizon, 0, position_, log_density_, options);
  }

  // Largest error over particles of position, log density and frames, and the mean number of evaluations.
  struct Outcome {
    double position = 0, log_density = 0, frames = 0, evaluations = 0;
  };
  Outcome run(const IntegrationOptions& options) const {
    const auto out = integrate(field_, horizon, 0, position_, log_density_, options, {1.237, 0.511});
    const auto exact = [&](double time) {
      IntegrationOptions tight;
      tight.relative_tolerance = tight.absolute_tolerance = 1e-14;
      return integrate(field_, horizon, time, position_, log_density_, tight).position;
    };
    const auto early = exact(1.237), late = exact(0.511);
    Outcome outcome;
    for (int i = 0; i < particles; ++i) {
      EXPECT_EQ(out.status(i), ParticleStatus::finished);
      for (int d = 0; d < 2; ++d) {
        outcome.position = std::max(outcome.position, std::fabs(out.position(i, d) - reference_.position(i, d)));
        outcome.frames = std::max(outcome.frames, std::fabs(out.frames(0, i, d) - early(i, d)));
        outcome.frames = std::max(outcome.frames, std::fabs(out.frames(1, i, d) - late(i, d)));
      }
      outcome.log_density = std::max(outcome.log_density, std::fabs(out.log_density(i) - reference_.log_density(i)));
      outcome.evaluations += static_cast<double>(out.evaluations(i)) / particles;
    }
    return outcome;
  }

  test::MixtureFlow flow_ = test::correlated_flow(2);
  test::MixtureVelocity field_{flow_};
  Points<double> position_{"test::position", particles, 2};
  PointScalars<double> log_density_{"test::log_density", particles};
  IntegratedParticles reference_;
};

double slope(double error, double smaller, double work_ratio) { return std::log(error / smaller) / std::log(work_ratio); }

// Steps of one length for all: the error control is switched off by a huge tolerance. The error of the frames is the extension's in one
// step, O(h^5), on top of the path's, O(h^5). A whole order lost or won would be a slope off by 1; over a factor of eight in h the
// next term of the expansion leaves less than half of that.
TEST_F(OrderOfConvergence, IsFiveWithStepsOfOneLength) {
  const auto at = [&](int steps) {
    IntegrationOptions options;
    options.absolute_tolerance = 1e9;
    options.first_step = options.longest_step = horizon / steps;
    const auto outcome = run(options);
    EXPECT_NEAR(outcome.evaluations, 1 + 6 * steps, 1e-9 * steps);
    return outcome;
  };
  const auto coarse = at(20), fine = at(160);
  EXPECT_NEAR(slope(coarse.position, fine.position, 8), 5, 0.4) << coarse.position << " " << fine.position;
  EXPECT_NEAR(slope(coarse.log_density, fine.log_density, 8), 5, 0.4) << coarse.log_density << " " << fine.log_density;
  EXPECT_NEAR(slope(coarse.frames, fine.frames, 8), 5, 0.4) << coarse.frames << " " << fine.frames;
  EXPECT_GT(fine.frames, 1e-12);  // still far above rounding, or the slope would mean nothing
}

// With error control the work grows with the fifth root of the wanted accuracy: error ~ evaluations^-5, and error ~ tolerance, where the
// error estimate has reached its own order. Paths of length 2 and moderate stiffness turn a local error into at most 100 times as much.
TEST_F(OrderOfConvergence, IsFiveInTheWorkUnderErrorControl) {
  const auto at = [&](double tolerance) {
    IntegrationOptions options;
    options.relative_tolerance = options.absolute_tolerance = tolerance;
    const auto outcome = run(options);
    EXPECT_LT(outcome.position, 100 * tolerance);
    EXPECT_LT(outcome.log_density, 100 * tolerance);
    return outcome;
  };
  at(1e-5);
  const auto coarse = at(1e-10), fine = at(1e-13);
  EXPECT_NEAR(slope(coarse.position, fine.position, fine.evaluations / coarse.evaluations), 5, 0.5)
      << coarse.position << " " << fine.position;
}

}  // namespace
}  // namespace boltzcurve

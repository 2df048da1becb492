// The exact oracle itself, by identities that do not come from its own formulas, and the integrator on its field.
#include "ode/dormand_prince.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <support/mixture_flow.hpp>

namespace boltzcurve {
namespace {

using test::MixtureFlow;

// Points of rho_t and points far from it.
std::vector<double> point_near(const MixtureFlow& flow, double t, std::uint64_t index) {
  CounterRng random(5, RandomStream::test, 3, index);
  std::vector<double> x(static_cast<std::size_t>(flow.dimension()));
  flow.draw(t, random, x.data());
  if (index % 3 == 0)
    for (auto& entry : x) entry *= 3;
  return x;
}

MixtureFlow round_flow(int dimension) {
  std::vector<MixtureFlow::Round> components;
  for (int k = 0; k < 3; ++k) {
    std::vector<double> mean(static_cast<std::size_t>(dimension), 0.0);
    for (std::size_t d = 0; d < mean.size(); ++d) mean[d] = 2 * std::sin(1.0 + 3 * k + static_cast<double>(d));
    components.push_back({1.0 + k, mean, 0.5 + 0.4 * k});
  }
  return MixtureFlow::of_round_components(components);
}

TEST(MixtureOracle, EnergyObeysTheFokkerPlanckEquationToRounding) {
  for (const int dimension : {2, 8}) {
    for (const auto& flow : {round_flow(dimension), test::correlated_flow(dimension)}) {
      for (const double t : {0.0, 0.01, 0.3, 1.0, 4.0}) {
        for (std::uint64_t i = 0; i < 20; ++i) {
          const auto r = flow.residual(t, point_near(flow, t, i).data());
          EXPECT_LE(std::fabs(r.value), 1e-9 * r.scale) << "D = " << dimension << ", t = " << t;
        }
      }
    }
  }
}

// Central differences of fourth order with h = 1e-3: truncation about h^4 times fifth derivatives (1e-12 * 1e2), rounding 1e-16 * |f| / h
// for first derivatives and / h^2 for second ones.
TEST(MixtureOracle, DerivativesOfEnergyAndPsiAgreeWithDifferences) {
  const double h = 1e-3;
  for (const int dimension : {1, 2, 8}) {
    const auto flow = test::correlated_flow(dimension);
    using Function = std::function<MixtureFlow::Derivatives(double, const double*)>;
    const std::vector<Function> functions = {
        [&](double t, const double* x) { return flow.energy(t, x); },
        [&](double t, const double* x) { return flow.psi(t, x, 3, MixtureFlow::Form::plain, 1.5, -0.5); },
        [&](double t, const double* x) { return flow.psi(t, x, 3, MixtureFlow::Form::anchored, 1.5, -0.5); }};
    for (const auto& function : functions) {
      for (std::uint64_t i = 1; i < 6; ++i) {
        const double t = 0.4 * static_cast<double>(i);
        auto x = point_near(flow, t, i);
        const auto exact = function(t, x.data());
        const auto value = [&](double time) { return function(time, x.data()).value; };
        const auto first = [&](double m2, double m1, double p1, double p2) { return (m2 - 8 * m1 + 8 * p1 - p2) / (12 * h); };
        EXPECT_NEAR(exact.d_t, first(value(t - 2 * h), value(t - h), value(t + h), value(t + 2 * h)), 1e-8);
        double laplacian = 0;
        for (std::size_t d = 0; d < x.size(); ++d) {
          const double center = x[d];
          double shifted[5];
          for (int k = 0; k < 5; ++k) {
            x[d] = center + (k - 2) * h;
            shifted[k] = value(t);
          }
          x[d] = center;
          EXPECT_NEAR(exact.gradient[d], first(shifted[0], shifted[1], shifted[3], shifted[4]), 1e-8);
          laplacian += (-shifted[0] + 16 * shifted[1] - 30 * shifted[2] + 16 * shifted[3] - shifted[4]) / (12 * h * h);
        }
        EXPECT_NEAR(exact.laplacian, laplacian, 1e-6);
      }
    }
  }
}

TEST(MixtureOracle, PsiGivesTheCurveBackWithItsOffsets) {
  const auto flow = test::correlated_flow(2);
  const double horizon = 3, t = 1.1, x[2] = {0.7, -2}, g = (horizon - t) / horizon;
  const double energy = flow.energy(t, x).value, target = flow.energy(0, x).value + 1.5, latent = (0.49 + 4) / 2 - 0.5;
  const auto plain = flow.psi(t, x, horizon, MixtureFlow::Form::plain, 1.5, -0.5);
  const auto anchored = flow.psi(t, x, horizon, MixtureFlow::Form::anchored, 1.5, -0.5);
  EXPECT_NEAR(g * target + t * plain.value, energy + 1.5, 1e-13);
  EXPECT_NEAR(g * target + (1 - g) * latent + t * anchored.value, energy + 1.5, 1e-13);
}

// In one dimension, by a trapezoid sum over a smooth function that vanishes at the border: no error but rounding.
TEST(MixtureOracle, DensityIntegratesToOneAndChiSquaredIsItsIntegral) {
  const auto flow = MixtureFlow::of_round_components({{1, {-2.0}, 0.5}, {3, {1.0}, 1.2}});
  for (const double t : {0.0, 0.4, 1.0}) {
    double mass = 0, chi = 0;
    for (int i = -6000; i <= 6000; ++i) {
      const double h = 1.0 / 200, x[1] = {i * h}, density = std::exp(-flow.energy(t, x).value);
      mass += h * density;
      chi += h * density * density / (std::exp(-x[0] * x[0] / 2) / std::sqrt(2 * M_PI));
    }
    EXPECT_NEAR(mass, 1, 1e-12);
    EXPECT_NEAR(flow.chi_squared_to_latent(t), chi - 1, 1e-10 * chi);
  }
  // A component wider than sqrt 2 has no finite chi^2 to the standard normal law.
  EXPECT_TRUE(std::isinf(MixtureFlow::of_round_components({{1, {0.0}, 1.5}}).chi_squared_to_latent(0)));
}

// E[grad f] = 0, E[x . grad f] = D and E[|grad f|^2 - Lap f] = 0 under rho_t. N = 20000, five standard errors: a false alarm below 1e-6.
TEST(MixtureOracle, SamplesObeyIntegrationByParts) {
  for (const int dimension : {2, 8}) {
    const auto flow = test::correlated_flow(dimension);
    const double t = 0.3;
    const int count = 20000;
    double sum[3] = {0, 0, 0}, squares[3] = {0, 0, 0};
    for (int i = 0; i < count; ++i) {
      CounterRng random(5, RandomStream::test, 4, static_cast<std::uint64_t>(i));
      std::vector<double> x(static_cast<std::size_t>(dimension));
      flow.draw(t, random, x.data());
      const auto f = flow.energy(t, x.data());
      double terms[3] = {f.gradient[0], -static_cast<double>(dimension), -f.laplacian};
      for (std::size_t d = 0; d < x.size(); ++d) {
        terms[1] += x[d] * f.gradient[d];
        terms[2] += f.gradient[d] * f.gradient[d];
      }
      for (int k = 0; k < 3; ++k) sum[k] += terms[k], squares[k] += terms[k] * terms[k];
    }
    for (int k = 0; k < 3; ++k) EXPECT_LT(std::fabs(sum[k]), 5 * std::sqrt(squares[k])) << k;
  }
}

// Moving exact samples of rho_T along the exact field gives rho_D: each weight exp(-f_D(x) - log q(x)) is 1 within the tolerance of the
// integration, and the positions have the moments of the mixture.
TEST(MixtureOracle, OdeFromExactSamplesGivesTheTargetWithUnitWeights) {
  for (const int dimension : {2, 8}) {
    const auto flow = test::correlated_flow(dimension);
    const test::MixtureVelocity field(flow);
    const int count = 2000;
    Points<double> x("test::x", count, dimension);
    PointScalars<double> log_q("test::log_q", count);
    std::vector<double> point(static_cast<std::size_t>(dimension));
    for (int i = 0; i < count; ++i) {
      CounterRng random(6, RandomStream::test, 5, static_cast<std::uint64_t>(i));
      flow.draw(4, random, point.data());
      for (int d = 0; d < dimension; ++d) x(i, d) = point[static_cast<std::size_t>(d)];
      log_q(i) = -flow.energy(4, point.data()).value;
    }
    IntegrationOptions options;
    options.relative_tolerance = options.absolute_tolerance = 1e-7;
    const auto out = integrate(field, 4, 0, x, log_q, options);
    std::vector<double> mean(point.size(), 0), squares(point.size(), 0);
    double largest = 0;
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(out.status(i), ParticleStatus::finished);
      for (std::size_t d = 0; d < point.size(); ++d) {
        point[d] = out.position(i, d);
        mean[d] += point[d] / count;
        squares[d] += point[d] * point[d] / count;
      }
      largest = std::max(largest, std::fabs(-flow.energy(0, point.data()).value - out.log_density(i)));
    }
    EXPECT_LT(largest, 1e-4);  // a thousand times the tolerance, for the steep sides of the narrowest component
    for (std::size_t d = 0; d < point.size(); ++d) {
      double exact_mean = 0;
      for (const auto& component : flow.components()) exact_mean += component.weight * component.mean[d];
      // five standard errors over at most 10 coordinates: a false alarm below 1e-5
      EXPECT_NEAR(mean[d], exact_mean, 5 * std::sqrt((squares[d] - mean[d] * mean[d]) / count));
    }
  }
}

}  // namespace
}  // namespace boltzcurve

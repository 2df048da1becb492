// The program's own residual, fed with the exact answer for Gaussian mixtures, must be zero; its velocity must be the exact one.
#include <boltzcurve/curve/gradient_flow.hpp>
#include <boltzcurve/energy/gaussian_mixture.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/mixture_flow.hpp"

namespace boltzcurve {
namespace {

using test::MixtureFlow;

/// f and derivatives of an energy at one point, as the kernel takes them: value, gradient, Laplacian.
std::vector<double> rows_of(const Energy& energy, const std::vector<double>& x) {
  Points<double> point("test::x", 1, x.size()), out("test::out", 1, x.size() + 2);
  for (std::size_t k = 0; k < x.size(); ++k) point(0, k) = x[k];
  energy.evaluate(point, out);
  std::vector<double> rows;
  for (std::size_t k = 0; k < x.size() + 2; ++k) rows.push_back(out(0, k));
  return rows;
}

std::unique_ptr<Energy> energy_of(const MixtureFlow& flow) {
  std::vector<GaussianComponent> components;
  for (const auto& c : flow.components()) components.push_back({c.weight, c.mean, c.covariance});
  return make_gaussian_mixture(components);
}

class ExactMixture : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Dimensions, ExactMixture, testing::Values(2, 8));

// psi comes from a difference divided by t: it loses log10(1/t) digits, its time derivative twice as many, hence times from 0.05 on.
TEST_P(ExactMixture, HasNoResidualInTheProgramsOwnFormula) {
  const auto flow = test::correlated_flow(GetParam());
  const auto D = static_cast<std::size_t>(GetParam());
  const auto target = energy_of(flow), latent = make_gaussian_mixture({{1, std::vector<double>(D, 0.0), {1.0}}});
  const double offset = latent->log_z().value() + 0.5 * static_cast<double>(D) * std::log(2 * 3.141592653589793);
  for (const auto& [form, oracle_form, clock] : {std::tuple(CurveForm::plain, MixtureFlow::Form::plain, NetworkClock::square_root),
                                                 std::tuple(CurveForm::anchored, MixtureFlow::Form::anchored, NetworkClock::square_root),
                                                 std::tuple(CurveForm::anchored, MixtureFlow::Form::anchored, NetworkClock::linear)}) {
    GradientFlow curve;
    curve.network_clock = clock;
    curve.dimension = GetParam();
    curve.horizon = 4;
    curve.form = form;
    for (std::uint64_t i = 0; i < 60; ++i) {
      CounterRng random(3, RandomStream::test, 0, i);
      const double t = 0.05 + 3.9 * random.uniform();
      std::vector<double> x(D);
      flow.draw(t, random, x.data());
      const auto exact = flow.psi(t, x.data(), curve.horizon, oracle_form, 0, offset);
      auto f_target = rows_of(*target, x), f_latent = rows_of(*latent, x);
      using P = Pack<double>;
      // The network's time derivative is by the clock: d psi/ds = (dt/ds) d psi/dt with t = T s^2 or t = T s.
      const double clock_rate = (clock == NetworkClock::linear ? curve.horizon : 2 * std::sqrt(t * curve.horizon)) * exact.d_t;
      std::vector<double> psi = {exact.value};
      psi.insert(psi.end(), exact.gradient.begin(), exact.gradient.end());
      psi.push_back(curve.clock_factor(P(t))[0] * clock_rate + curve.laplacian_factor(P(t))[0] * exact.laplacian);
      const auto load = [](const double* rows, int row) { return P(rows[row]); };
      const double residual = curve.residual(P(t), P(0), load, f_target.data(), f_latent.data(), psi.data())[0];
      EXPECT_LT(std::abs(residual), 1e-9 * flow.residual(t, x.data()).scale) << "point " << i << ", t = " << t;

      const auto energy = flow.energy(t, x.data());
      std::vector<double> channels(psi.begin(), psi.begin() + static_cast<std::ptrdiff_t>(D) + 1);
      channels.push_back(exact.laplacian);
      for (std::size_t k = 0; k < D; ++k)
        EXPECT_NEAR(curve.velocity(static_cast<int>(k) + 1, P(t), load, f_target.data(), f_latent.data(), channels.data())[0],
                    energy.gradient[k] - x[k], 1e-9 * (1 + std::abs(energy.gradient[k])));
      EXPECT_NEAR(curve.divergence(P(t), load, f_target.data(), f_latent.data(), channels.data())[0],
                  energy.laplacian - static_cast<double>(D), 1e-9 * (10 + std::abs(energy.laplacian)));
    }
  }
}

}  // namespace
}  // namespace boltzcurve

// The program's own residual, fed with the exact answer for Gaussian mixtures, must be zero; its velocity must be the exact one.
#include "curve/gradient_flow.hpp"
#include "curve/gradient_flow_energies.hpp"
#include "energy/gaussian_mixture.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/mixture_flow.hpp"

namespace boltzcurve {
namespace {

using test::MixtureFlow;

/// What the kernel is given at one point: rows of the base and of the latent law.
struct Rows {
  std::vector<double> base, latent;
};

Rows rows_at(const GradientFlow& curve, const CurveAnchor& anchor, const Energy& target, const Energy& latent, double t,
             const std::vector<double>& x) {
  const std::size_t rows = x.size() + 2;
  PointScalars<double> time("test::t", 1);
  Points<double> point("test::x", 1, x.size()), known("test::known", 1, 2 * rows);
  time(0) = t;
  for (std::size_t k = 0; k < x.size(); ++k) point(0, k) = x[k];
  GradientFlowEnergies<double>(curve, anchor, target, latent).evaluate(time, point, known);
  Rows found;
  for (std::size_t k = 0; k < rows; ++k) {
    found.base.push_back(known(0, k));
    found.latent.push_back(known(0, rows + k));
  }
  return found;
}

/// One point as the functor sees it once psi is known, every number in all lanes.
struct PointRows {
  using P = Pack<double>;
  const Rows& energies;
  std::vector<double> time_rows, psi;

  PointRows(const GradientFlow& curve, Purpose purpose, double t, const Rows& rows)
      : energies(rows), time_rows(GradientFlow::time_row_count) {
    curve.store_time_rows(purpose, P(t), curve.clock_at(P(t)),
                          [&](int row, P value) { time_rows[static_cast<std::size_t>(row)] = value[0]; });
  }
  P time(int row) const { return time_rows[static_cast<std::size_t>(row)]; }
  P known(int row) const {
    const auto k = static_cast<std::size_t>(row), rows = energies.base.size();
    return k < rows ? energies.base[k] : energies.latent[k - rows];
  }
  P result(int, int channel) const { return psi[static_cast<std::size_t>(channel)]; }
  bool has(int network) const { return network == GradientFlow::of_psi; }
};

/// The value of the base from its definition: the rows have only its derivatives.
double base_value(const GradientFlow& curve, const CurveAnchor& anchor, const Energy& target, const Energy& latent, double t,
                  std::vector<double> x) {
  double of_anchor = anchor.offset;
  for (std::size_t k = 0; k < x.size() && curve.form == CurveForm::contracted; ++k) {
    x[k] /= std::exp(-t);
    of_anchor += std::pow(x[k] - anchor.mean[k], 2) / (2 * (anchor.variance[k] + std::expm1(2 * t)));
  }
  Points<double> point("test::x", 1, x.size()), out("test::out", 1, x.size() + 2);
  for (std::size_t k = 0; k < x.size(); ++k) point(0, k) = x[k];
  target.evaluate(point, out);
  const double of_target = out(0, 0), g = curve.factors(t).g;
  latent.evaluate(point, out);
  if (curve.form == CurveForm::anchored) of_anchor = out(0, 0);
  return g * of_target + (curve.form == CurveForm::plain ? 0 : (1 - g) * of_anchor);
}

/// The psi with which the curve is the exact one: b + tau psi = E.
MixtureFlow::Derivatives exact_psi(const GradientFlow& curve, const MixtureFlow::Derivatives& energy, const Rows& rows, double base,
                                   double t) {
  const auto D = energy.gradient.size();
  const auto f = curve.factors(t);
  MixtureFlow::Derivatives psi;
  psi.value = (energy.value - base) / f.tau;
  for (std::size_t k = 0; k < D; ++k) psi.gradient.push_back((energy.gradient[k] - rows.base[k + 1]) / f.tau);
  psi.laplacian = (energy.laplacian - rows.base[D + 1]) / f.tau;
  psi.d_t = (energy.d_t - rows.base[0] - f.tau_dot * psi.value) / f.tau;
  return psi;
}

std::unique_ptr<Energy> energy_of(const MixtureFlow& flow) {
  std::vector<GaussianComponent> components;
  for (const auto& c : flow.components()) components.push_back({c.weight, c.mean, c.covariance});
  return make_gaussian_mixture(components);
}

class ExactMixture : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Dimensions, ExactMixture, testing::Values(2, 8));

// psi comes from a difference divided by tau: it loses log10(1/tau) digits, its time derivative twice as many, hence times from 0.05 on.
TEST_P(ExactMixture, HasNoResidualInTheProgramsOwnFormula) {
  const auto flow = test::correlated_flow(GetParam());
  const auto D = static_cast<std::size_t>(GetParam());
  const auto target = energy_of(flow), latent = make_gaussian_mixture({{1, std::vector<double>(D, 0.0), {1.0}}});
  for (const auto& [form, schedule, clock] :
       {std::tuple(CurveForm::plain, Schedule::linear, CurveClock::square_root),
        std::tuple(CurveForm::anchored, Schedule::linear, CurveClock::linear),
        std::tuple(CurveForm::anchored, Schedule::diffusion, CurveClock::square_root),
        std::tuple(CurveForm::contracted, Schedule::diffusion, CurveClock::logarithmic),
        std::tuple(CurveForm::contracted, Schedule::linear, CurveClock::logarithmic),
        std::tuple(CurveForm::anchored, Schedule::vp, CurveClock::vp), std::tuple(CurveForm::contracted, Schedule::ou, CurveClock::vp)}) {
    GradientFlow curve;
    curve.dimension = GetParam();
    curve.horizon = 4;
    curve.form = form;
    curve.schedule = schedule;
    curve.clock = clock;
    curve.width = 0.6;
    curve.clock_width = 0.2;
    CurveAnchor anchor = CurveAnchor::standard(curve.dimension);
    anchor.mean[0] = 0.7;
    anchor.variance[1] = 3;
    anchor.offset = -2;
    for (std::uint64_t i = 0; i < 60; ++i) {
      CounterRng random(3, RandomStream::test, 0, i);
      const double t = 0.05 + 3.9 * random.uniform();
      std::vector<double> x(D);
      flow.draw(t, random, x.data());
      const auto energy = flow.energy(t, x.data());
      auto rows = rows_at(curve, anchor, *target, *latent, t, x);
      const auto exact = exact_psi(curve, energy, rows, base_value(curve, anchor, *target, *latent, t, x), t);
      using P = Pack<double>;
      PointRows point(curve, Purpose::residual, t, rows);
      point.psi = {exact.value};
      point.psi.insert(point.psi.end(), exact.gradient.begin(), exact.gradient.end());
      const double time_per_clock = curve.clock_at(P(t)).time_per_clock[0];
      point.psi.push_back((point.time(GradientFlow::clock_factor_row)[0] * time_per_clock) * exact.d_t +
                          point.time(GradientFlow::laplacian_factor_row)[0] * exact.laplacian);
      EXPECT_LT(std::abs(curve.residual<P>(point)[0]), 1e-9 * flow.residual(t, x.data()).scale) << "point " << i << ", t = " << t;

      PointRows moving(curve, Purpose::velocity, t, rows);
      moving.psi.assign(point.psi.begin(), point.psi.begin() + static_cast<std::ptrdiff_t>(D) + 1);
      moving.psi.push_back(exact.laplacian);
      for (std::size_t k = 0; k < D; ++k)
        EXPECT_NEAR(curve.velocity<P>(static_cast<int>(k) + 1, moving)[0], energy.gradient[k] - x[k],
                    1e-9 * (1 + std::abs(energy.gradient[k])));
      EXPECT_NEAR(curve.velocity<P>(static_cast<int>(D) + 1, moving)[0], energy.laplacian - static_cast<double>(D),
                  1e-9 * (10 + std::abs(energy.laplacian)));
    }
  }
}

}  // namespace
}  // namespace boltzcurve

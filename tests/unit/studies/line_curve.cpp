// Velocities and actions by quadrature against closed forms between normal laws and against published tables.
#include "studies/line_curve.hpp"
#include <boltzcurve/error.hpp>
#include "energy/gaussian_mixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

namespace boltzcurve {
namespace {

/// (1/3) N(4, 1) + (2/3) N(-m, 1).
std::unique_ptr<Energy> two_modes(double m) { return make_gaussian_mixture({{1, {4}, {1}}, {2, {-m}, {1}}}); }
std::unique_ptr<Energy> normal(double mean, double variance) { return make_gaussian_mixture({{1, {mean}, {variance}}}); }

/// Between N(m_0, V_0) and N(m_1, V_1) rho_t = N(m, V) has v = m' + V'/(2V) (x - m), so ||v||^2 = m'^2 + V'^2/(4V), and as a curve in the
/// two parameters of normal laws E (d_t log rho)^2 = m'^2/V + V'^2/(2V^2).
CurveSpeed speed_of_normal(double mean_rate, double variance, double variance_rate) {
  return {mean_rate * mean_rate + variance_rate * variance_rate / (4 * variance),
          mean_rate * mean_rate / variance + variance_rate * variance_rate / (2 * variance * variance)};
}

constexpr double m0 = 0.5, V0 = 1.44, m1 = -2, V1 = 0.25;

/// The straight curve: precision P = (1-t)/V_0 + t/V_1, mean ((1-t) m_0/V_0 + t m_1/V_1)/P.
CurveSpeed straight_speed(double t) {
  const double P = (1 - t) / V0 + t / V1, rate = 1 / V1 - 1 / V0, mean = ((1 - t) * m0 / V0 + t * m1 / V1) / P;
  return speed_of_normal((m1 / V1 - m0 / V0 - mean * rate) / P, 1 / P, -rate / (P * P));
}

TEST(LinearLineCurve, BetweenNormalLawsHasTheSpeedsOfTheirClosedForm) {
  const auto latent = normal(m0, V0), target = normal(m1, V1);
  const auto curve = make_linear_line_curve(line_energy(*latent, "latent"), line_energy(*target, "target"));
  for (const double t : {0.0, 0.1, 0.5, 0.9, 1.0}) {
    const auto found = curve->speed(t), exact = straight_speed(t);
    EXPECT_NEAR(found.wasserstein / exact.wasserstein, 1, 1e-9) << t;
    EXPECT_NEAR(found.fisher_rao / exact.fisher_rao, 1, 1e-9) << t;
  }
}

// The trapezoid sum of 10^5 intervals is exact to 1e-9 for these smooth functions of t.
TEST(LinearLineCurve, BetweenNormalLawsHasTheActionsOfTheirClosedForm) {
  const auto latent = normal(m0, V0), target = normal(m1, V1);
  const auto action = make_linear_line_curve(line_energy(*latent, "latent"), line_energy(*target, "target"))->action();
  CurveSpeed exact;
  constexpr int steps = 100000;
  for (int i = 0; i <= steps; ++i) {
    const auto at = straight_speed(static_cast<double>(i) / steps);
    const double weight = (i == 0 || i == steps ? 0.5 : 1.0) / steps;
    exact.wasserstein += weight * at.wasserstein;
    exact.fisher_rao += weight * at.fisher_rao;
  }
  EXPECT_NEAR(action.wasserstein / exact.wasserstein, 1, 1e-6);
  EXPECT_NEAR(action.fisher_rao / exact.fisher_rao, 1, 1e-6);
}

TEST(LinearLineCurve, FromALawToItselfDoesNotMove) {
  const auto law = two_modes(6);
  const auto speed = make_linear_line_curve(line_energy(*law, "latent"), line_energy(*law, "target"))->speed(0.5);
  EXPECT_NEAR(speed.wasserstein, 0, 1e-20);
  EXPECT_NEAR(speed.fisher_rao, 0, 1e-20);
}

// f_0 = |x|, f_1 = min(|x|, |x - m|): reference values to three or four digits; half a unit of the fourth is 6e-4 at most.
LineEnergy peaks(const std::vector<double>& at, double farthest) {
  LineEnergy energy;
  energy.lower = -60;
  energy.upper = farthest + 60;
  energy.corners = at;
  for (std::size_t i = 1; i < at.size(); ++i) energy.corners.push_back(0.5 * (at[i - 1] + at[i]));
  std::sort(energy.corners.begin(), energy.corners.end());
  energy.at = [at](const std::vector<double>& x) {
    LineEnergy::Values values;
    for (const double point : x) {
      double f = std::fabs(point - at[0]);
      for (const double peak : at) f = std::fmin(f, std::fabs(point - peak));
      values.value.push_back(f);
    }
    return values;
  };
  return energy;
}

TEST(LinearLineCurve, ExplodesBetweenFarPeaksAsTheReferenceTableSays) {
  const double times[] = {0, .25, .5, .75, .9, .95, .99, 1};
  struct Row {
    double distance, norm[8], action;
  };
  for (const Row& row : {Row{5, {.751, 1.531, 3.197, 6.278, 8.515, 9.175, 9.631, 9.732}, 23.87},
                         Row{10, {.273, .911, 4.051, 22.28, 54.39, 66.97, 75.38, 77.08}, 700.9},
                         Row{20, {.0233, .113, 1.497, 62.34, 721.0, 1363, 1895, 1994}, 2.1746e5},
                         Row{40, {1.57e-4, 8.5e-4, .0493, 137.1, 3.605e4, 2.055e5, 5.379e5, 6.074e5}, 9.6446e9}}) {
    const auto curve = make_linear_line_curve(peaks({0}, row.distance), peaks({0, row.distance}, row.distance));
    for (std::size_t i = 0; i < 8; ++i) {
      const double two_digits = row.norm[i] < 1e-3 ? 6e-3 : 3e-3;
      const double digits = row.norm[i] < 0.5 ? two_digits : 7e-4;
      EXPECT_NEAR(std::sqrt(curve->speed(times[i]).wasserstein) / row.norm[i], 1, digits) << row.distance << ", t = " << times[i];
    }
    EXPECT_NEAR(curve->action().wasserstein / row.action, 1, 3e-4) << row.distance;
  }
}

// The same at t = 1 in closed form up to terms of exp(-m/4), which are 0.6 % at m = 10.
TEST(LinearLineCurve, ExplodesAtTheTargetLikeTheExponentialOfAQuarterOfTheDistance) {
  for (const double m : {12.0, 20.0, 40.0, 100.0, 400.0}) {
    const auto curve = make_linear_line_curve(peaks({0}, m), peaks({0, m}, m));
    const double growth = (m - 1) * std::exp(m / 4) / std::sqrt(2);
    EXPECT_NEAR(std::sqrt(curve->speed(1).wasserstein) / growth, 1, 0.1 * std::exp(-m / 4) + 1e-9) << m;
  }
}

// Reference values have two or three digits. The one for s = 8, m = 4 is given as 234 elsewhere; a trapezoid sum in extended precision on
// [-120, 120] with sixty thousand points gives 235.018.
TEST(LinearLineCurve, FromNormalLawsToTwoFarModesHasTheReferenceActions) {
  struct Row {
    double scale, distance, action, tolerance;
  };
  for (const Row& row :
       {Row{1, 4, 24.4, 2e-3}, Row{1, 8, 8.13e7, 7e-4}, Row{1, 12, 2.62e14, 3e-3}, Row{3, 4, 30.6, 2e-3}, Row{3, 8, 3.07e6, 2e-3},
        Row{3, 12, 8.0e12, 6e-3}, Row{8, 4, 235.018, 1e-5}, Row{8, 8, 3.39e5, 2e-3}, Row{8, 12, 4.0e11, 2e-3}}) {
    const auto latent = normal(0, row.scale * row.scale), target = two_modes(row.distance);
    const auto curve = make_linear_line_curve(line_energy(*latent, "latent"), line_energy(*target, "target"));
    EXPECT_NEAR(curve->action().wasserstein / row.action, 1, row.tolerance) << "s = " << row.scale << ", m = " << row.distance;
  }
}

TEST(LinearLineCurve, SaysWhereItsVelocityIsBeyondADouble) {
  const auto curve = make_linear_line_curve(peaks({0}, 4000), peaks({0, 4000}, 4000));
  EXPECT_THAT([&] { curve->speed(1); }, testing::ThrowsMessage<NumericalError>(testing::HasSubstr("beyond a double")));
}

TEST(GradientFlowLineCurve, OfANormalLawHasTheSpeedsOfItsClosedForm) {
  const double sigma = 1.5, mean = 0.3;
  const auto target = normal(m1, V1);
  const auto curve = make_gradient_flow_line_curve(line_energy(*target, "target"), mean, sigma);
  for (const double t : {0.0, 1e-4, 0.01, 0.3, 2.0, 8.0}) {
    // X = mean + a (Y - mean) + s Z: mean and variance relax exponentially.
    const double a = std::exp(-t / (sigma * sigma)), rate = -1 / (sigma * sigma);
    const double variance = sigma * sigma + (V1 - sigma * sigma) * a * a;
    const auto exact = speed_of_normal((m1 - mean) * a * rate, variance, 2 * rate * (variance - sigma * sigma));
    const auto found = curve->speed(t);
    EXPECT_NEAR(found.wasserstein / exact.wasserstein, 1, 1e-7) << t;
    EXPECT_NEAR(found.fisher_rao / exact.fisher_rao, 1, 1e-7) << t;
  }
}

// KL(. || rho_Z) falls at the rate ||v||^2: all of it is the action, but exp(-16) left at the horizon.
TEST(GradientFlowLineCurve, HasTheDivergenceFromTheLatentLawForItsAction) {
  const double divergences[] = {7.364, 23.363, 50.030};
  for (int i = 0; i < 3; ++i) {
    const auto target = two_modes(4 * (i + 1)), latent = normal(0, 1);
    const auto law = line_energy(*target, "target");
    const double divergence = kullback_leibler(law, line_energy(*latent, "latent"));
    EXPECT_NEAR(divergence, divergences[i], 6e-4);
    EXPECT_NEAR(make_gradient_flow_line_curve(law, 0, 1)->action().wasserstein / divergence, 1, 2e-6);
  }
}

// The same flows by another way: the quadrature above is exact to 1e-8.
TEST(RelaxationLineCurve, TowardsANormalLawAgreesWithQuadrature) {
  const auto target = two_modes(8), latent = normal(0, 1);
  const auto law = line_energy(*target, "target");
  const auto exact = make_gradient_flow_line_curve(law, 0, 1), found = make_relaxation_line_curve(law, line_energy(*latent, "latent"));
  for (const double t : {0.0, 0.01, 0.3, 2.0}) {
    EXPECT_NEAR(found->speed(t).wasserstein / exact->speed(t).wasserstein, 1, 2e-3) << t;
    EXPECT_NEAR(found->speed(t).fisher_rao / exact->speed(t).fisher_rao, 1, 1e-2) << t;
  }
  EXPECT_NEAR(found->action().wasserstein / 23.3635, 1, 1e-3);
}

// From two peaks towards one, f_D' - f_Z' = -2 between half the distance and the distance and 0 elsewhere: ||v_0||^2 is 4 times the mass
// there, (1 - exp(-m/2))/2 over 2 - exp(-m/2). All of the divergence is the action.
TEST(RelaxationLineCurve, OfTwoPeaksStartsAsItsForcesSayAndHasTheDivergenceForItsAction) {
  for (const double m : {5.0, 20.0, 40.0}) {
    const auto target = peaks({0, m}, m), latent = peaks({0}, m);
    const auto flow = make_relaxation_line_curve(target, latent);
    const double mass = (1 - std::exp(-m / 2)) / (4 - 2 * std::exp(-m / 2));
    EXPECT_NEAR(flow->speed(0).wasserstein / (4 * mass), 1, 1e-2) << m;
    EXPECT_NEAR(flow->action().wasserstein / kullback_leibler(target, latent), 1, 1e-3) << m;
  }
}

TEST(GradientFlowLineCurve, RefusesAnEnergyWithCorners) {
  EXPECT_THAT([] { make_gradient_flow_line_curve(peaks({0}, 0), 0, 1); },
              testing::ThrowsMessage<ConfigError>(testing::HasSubstr("corners")));
}

TEST(LineEnergy, RefusesALawInThePlaneAndNamesIt) {
  const auto plane = make_gaussian_mixture({{1, {0, 0}, {1}}});
  EXPECT_THAT([&] { line_energy(*plane, "target.name = plane"); },
              testing::ThrowsMessage<ConfigError>(testing::HasSubstr("target.name = plane: has dimension 2")));
}

TEST(WassersteinDistance, BetweenNormalLawsIsThatOfTheirParameters) {
  const auto from = normal(m0, V0), to = normal(m1, V1);
  const double deviation = std::sqrt(V0) - std::sqrt(V1);
  EXPECT_NEAR(squared_wasserstein_distance(line_energy(*from, "from"), line_energy(*to, "to")),
              (m0 - m1) * (m0 - m1) + deviation * deviation, 1e-6);
}

// A sixth of the mass crosses the gap between modes at -d and d, over a way of 2d and something that does not depend on d: W2^2 is a
// polynomial in d that begins with (2/3) d^2, up to overlaps of exp(-d^2/2). The map is discontinuous.
TEST(WassersteinDistance, OverAGapGrowsLikeTheMassTimesTheSquareOfTheWay) {
  const auto across = [](double d) {
    const auto from = make_gaussian_mixture({{1, {-d}, {1}}, {1, {d}, {1}}}), to = make_gaussian_mixture({{2, {-d}, {1}}, {1, {d}, {1}}});
    return squared_wasserstein_distance(line_energy(*from, "from"), line_energy(*to, "to"));
  };
  EXPECT_NEAR(across(20) - 2 * across(16) + across(12), 2 * (2.0 / 3) * 4 * 4, 1e-4);
}

}  // namespace
}  // namespace boltzcurve

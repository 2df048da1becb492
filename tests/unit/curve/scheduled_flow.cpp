// The gradient flow with a learned schedule: residual, gradients and velocity against their definition; and the end values of all
// schedules.
#include "curve/scheduled_flow.hpp"
#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/registry.hpp>
#include "curve/curve.hpp"
#include "curve/gradient_flow_energies.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <tuple>
#include <vector>

#include "support/reference_network.hpp"
#include "support/residual_batch.hpp"

namespace boltzcurve {
namespace {

using test::loss_and_gradient, test::random_parameters;

constexpr double horizon = 3;
constexpr LossShape huber{LossKind::pseudo_huber, 2.0, ResidualUnit::clock};

ScheduledFlow curve_of(int dimension, CurveForm form) {
  ScheduledFlow curve;
  curve.dimension = dimension;
  curve.horizon = horizon;
  curve.form = form;
  curve.schedule = Schedule::learned;
  curve.latent_scale = 1.25;
  curve.width = 0.7;
  curve.power = 2.5;
  curve.clock_width = 0.4;
  return curve;
}

CurveNetworks networks(int dimension, int width, int layers, bool with_normalizer) {
  std::vector<CurveNetwork> list = {{"psi", {dimension + 1, width, layers}}, {"schedule", {1, 6, 2}}};
  if (with_normalizer) list.push_back({"normalizer", {1, 5, 2}});
  return test::networks_of(dimension, list);
}

template <class Real>
CollocationBatch<Real> random_batch(std::int64_t points, const ScheduledFlow& curve) {
  return test::random_batch<Real>(points, curve.dimension, curve.known_rows(), horizon);
}

template <class Real = double>
std::unique_ptr<ResidualKernel<Real>> kernel_of(const ScheduledFlow& curve, const CurveNetworks& nets, const LossShape& loss = {}) {
  return make_residual_kernel<ScheduledFlow, Real>(curve, nets, loss);
}

/// Schedule and clock from their definitions, N by the reference network; rates by differences of step 1e-6, right to some 1e-9.
struct Reference {
  const ScheduledFlow& curve;
  const CurveNetworks& nets;
  std::span<const double> parameters;

  std::span<const double> of(std::string_view name) const {
    std::size_t begin = 0;
    for (const auto& network : nets.list) {
      const auto count = static_cast<std::size_t>(parameter_count(network.shape));
      if (network.name == name) return parameters.subspan(begin, count);
      begin += count;
    }
    return {};
  }
  /// The output of a network of the clock.
  double of_clock(std::string_view name, double t) const {
    const auto D = static_cast<std::size_t>(curve.dimension);
    return reference::network(*nets.find(name), of(name), {{(clock(t) - nets.input_shift[D]) * nets.input_scale[D], 0, 0}}).value;
  }
  double added(double t) const { return std::pow(curve.latent_scale, 2) * std::expm1(2 * t / std::pow(curve.latent_scale, 2)); }
  double clock(double t) const { return std::log1p(added(t) / curve.clock_width) / std::log1p(added(horizon) / curve.clock_width); }
  double g(double t) const {
    const auto fading = [&](double time) { return std::pow(1 + added(time) / curve.width, -curve.power); };
    const double start = (fading(t) - fading(horizon)) / (1 - fading(horizon));
    const double odds = start / (1 - start) * std::exp(-of_clock("schedule", t));
    return odds / (1 + odds);
  }
  double tau(double t) const { return curve.form == CurveForm::contracted ? 1 - g(t) : t; }

  template <class Function>
  static double derivative(const Function& function, double t) {
    const double h = 1e-6 * t;
    return (function(t + h) - function(t - h)) / (2 * h);
  }
};

class ScheduledFlowByShape : public testing::TestWithParam<std::tuple<int, int, int, CurveForm, bool>> {};

INSTANTIATE_TEST_SUITE_P(Shapes, ScheduledFlowByShape,
                         testing::Values(std::tuple(1, 16, 2, CurveForm::plain, false), std::tuple(2, 24, 3, CurveForm::anchored, true),
                                         std::tuple(3, 32, 2, CurveForm::contracted, true),
                                         std::tuple(8, 13, 1, CurveForm::contracted, false)));

// The reference's rates are differences, good to 1e-9 of them.
TEST_P(ScheduledFlowByShape, ResidualAndVelocityEqualTheirDefinitionWithTheReferenceNetworks) {
  const auto [dimension, width, layers, form, normalized] = GetParam();
  const auto D = static_cast<std::size_t>(dimension);
  const auto nets = networks(dimension, width, layers, normalized);
  const auto curve = curve_of(dimension, form);
  const auto batch = random_batch<double>(150, curve);
  const auto parameters = random_parameters(nets);
  const Reference reference{curve, nets, parameters};
  const auto kernel = kernel_of(curve, nets, huber);
  const auto found = loss_and_gradient(*kernel, batch, parameters);
  Points<double> velocity("test::velocity", 150, D);
  PointScalars<double> divergence("test::divergence", 150);
  kernel->velocity(150, batch.t, batch.x, batch.known, velocity, divergence);
  for (std::size_t i = 0; i < 150; ++i) {
    const double t = batch.t(i);
    std::vector<double> point;
    for (std::size_t k = 0; k < D; ++k) point.push_back(batch.x(i, k));
    point.push_back(reference.clock(t));
    const auto psi = reference::psi_channels(*nets.find("psi"), reference.of("psi"), nets.input_shift, nets.input_scale, point);
    const double g = reference.g(t), tau = reference.tau(t);
    const double g_dot = reference.derivative([&](double s) { return reference.g(s); }, t);
    const double tau_dot = reference.derivative([&](double s) { return reference.tau(s); }, t);
    const double clock_dot = reference.derivative([&](double s) { return reference.clock(s); }, t);
    const double c = normalized ? reference.of_clock("normalizer", t) * clock_dot : 0;
    // d_t A, F - A, d_t (F - A); grad A, Lap A; grad and Lap of F - A; f_Z, its gradient and Laplacian
    const auto known = [&](std::size_t row) { return batch.known(i, row); };
    const auto anchor = [&](std::size_t k) { return known(2 + k); };
    const auto difference = [&](std::size_t k) { return known(3 + D + k); };
    const auto latent = [&](std::size_t k) { return known(5 + 2 * D + k); };
    double expected = known(0) + g_dot * known(1) + g * known(2) + tau_dot * psi[0] + tau * psi[D + 1] * clock_dot - c;
    for (std::size_t k = 1; k <= D; ++k) {
      const double gradient = anchor(k) + g * difference(k) + tau * psi[k];
      expected += gradient * (gradient - latent(k));
      EXPECT_NEAR(velocity(i, k - 1), gradient - latent(k), 1e-11 * (1 + std::abs(gradient))) << "point " << i;
    }
    const double spread = anchor(D + 1) + g * difference(D + 1) + tau * psi[D + 2] - latent(D + 1);
    EXPECT_NEAR(found.residual[i], expected - spread, 1e-8 * (10 + std::abs(expected))) << "point " << i;
    EXPECT_NEAR(divergence(i), spread, 1e-11 * (10 + std::abs(spread))) << "point " << i;
  }
}

TEST_P(ScheduledFlowByShape, GradientOfEveryTensorEqualsCentralDifferences) {
  const auto [dimension, width, layers, form, normalized] = GetParam();
  const auto nets = networks(dimension, width, layers, normalized);
  const auto curve = curve_of(dimension, form);
  test::expect_gradient_of_differences(*kernel_of(curve, nets, huber), random_batch<double>(150, curve), random_parameters(nets));
}

TEST_P(ScheduledFlowByShape, FloatAgreesWithDoubleToItsPrecision) {
  const auto [dimension, width, layers, form, normalized] = GetParam();
  const auto nets = networks(dimension, width, layers, normalized);
  const auto curve = curve_of(dimension, form);
  test::expect_float_near_double(*kernel_of<float>(curve, nets), random_batch<float>(300, curve), *kernel_of(curve, nets),
                                 random_batch<double>(300, curve), random_parameters(nets));
}

TEST(ScheduledFlow, IsClampedAtBothEndsAndStaysBetweenThemWhateverTheNetworkSays) {
  const auto curve = curve_of(2, CurveForm::contracted);
  for (const double n : {-3.0, 0.0, 2.5, 1e30}) {
    const auto g_at = [&](double t) {
      const auto start = curve.factors(t);
      return curve.weights<double>(start.g, start.g_dot, t, n, 0).g;
    };
    EXPECT_EQ(g_at(0), 1) << n;
    EXPECT_EQ(g_at(horizon), 0) << n;
    double before = 1;
    for (double t = 0.1; t < horizon; t += 0.1) {
      EXPECT_LT(g_at(t), before);  // N is the same at all times here, and the start falls
      EXPECT_GT(g_at(t), 0);
      before = g_at(t);
    }
  }
}

TEST(Schedules, BeginAtOneEndAtZeroAndHaveTheRateOfTheirDifferences) {
  for (const auto& schedule : choices<Schedule>) {
    SCOPED_TRACE(schedule.name);
    GradientFlow curve = curve_of(1, CurveForm::contracted);
    curve.schedule = schedule.value;
    curve.horizon = 4;
    EXPECT_EQ(curve.factors(0.0).g, 1);
    // diffusion never quite ends: what is left is (1 + v/c)^-q
    const double v = std::pow(curve.latent_scale, 2) * std::expm1(2 * 4 / std::pow(curve.latent_scale, 2));
    EXPECT_NEAR(curve.factors(4.0).g, schedule.value == Schedule::diffusion ? std::pow(1 + v / curve.width, -curve.power) : 0, 1e-15);
    for (const double t : {0.01, 0.1, 0.5, 1.0, 2.0, 3.9}) {
      const double h = 1e-5 * t, derivative = (curve.factors(t + h).g - curve.factors(t - h).g) / (2 * h);
      EXPECT_NEAR(curve.factors(t).g_dot, derivative, 1e-7 * (1e-3 + std::abs(derivative))) << "t = " << t;
    }
  }
}

// beta(s) = 0.1 + 19.9 s has the integral 10.05 over [0, 1]; at s = 1/2 it has come to 0.05 + 9.95/4 = 2.5375 of that.
TEST(Schedules, FollowTheirDefinitions) {
  GradientFlow curve = curve_of(1, CurveForm::anchored);
  curve.schedule = Schedule::vp;
  EXPECT_NEAR(curve.factors(horizon * 2.5375 / 10.05).g, 0.5, 1e-14);
  EXPECT_NEAR(curve.factors(0.0).g_dot, -10.05 / 0.1 / horizon, 1e-10);  // ds/dt = B(1)/(T beta(s))
  EXPECT_NEAR(curve.factors(horizon).g_dot, -10.05 / 20 / horizon, 1e-12);
  curve.schedule = Schedule::ou;
  const double alpha_squared = std::exp(-2 * 1.1 / 1.5625), last = std::exp(-2 * horizon / 1.5625);
  EXPECT_NEAR(curve.factors(1.1).g, (alpha_squared - last) / (1 - last), 1e-14);
  curve.schedule = Schedule::linear;
  EXPECT_NEAR(curve.factors(1.1).g, 1 - 1.1 / horizon, 1e-15);
  const auto fading = [](double t) { return std::pow(1 + 1.5625 * std::expm1(2 * t / 1.5625) / 0.7, -2.5); };
  curve.schedule = Schedule::diffusion;
  EXPECT_NEAR(curve.factors(1.1).g, fading(1.1), 1e-14);
  curve.schedule = Schedule::learned;
  EXPECT_NEAR(curve.factors(1.1).g, (fading(1.1) - fading(horizon)) / (1 - fading(horizon)), 1e-14);
}

// f_A + g (f_D - f_A) with the g of a fixed schedule is the base that is mixed before.
TEST(GradientFlowEnergies, InPartsAddUpToTheMixedBase) {
  const auto target = make_target("many-well", {{"dimension", {"4"}}});
  const auto latent = make_latent("gaussian", 4, {{"mean", {"0.4"}}, {"scale", {"1.25"}}});
  const CurveAnchor anchor{{0.3, -0.2, 1, 0}, {2.0, 1.0, 0.5, 3.0}, -4, {5, 20}, {}};
  constexpr std::size_t n = 40, D = 4;
  PointScalars<double> t("test::t", n);
  Points<double> x("test::x", n, D), mixed("test::mixed", n, 2 * (D + 2)), apart("test::apart", n, 3 * D + 7);
  for (std::size_t i = 0; i < n; ++i) {
    CounterRng rng(1, RandomStream::test, 0, i);
    t(i) = i == 0 ? 0 : 2.5 * rng.uniform();
    for (std::size_t k = 0; k < D; ++k) x(i, k) = rng.normal();
  }
  for (const auto form : {CurveForm::plain, CurveForm::anchored, CurveForm::contracted}) {
    const GradientFlow curve = curve_of(4, form);
    GradientFlowEnergies<double>(curve, anchor, *target, *latent).evaluate(t, x, mixed);
    GradientFlowEnergies<double> in_parts(curve, anchor, *target, *latent, GradientFlowRows::apart);
    ASSERT_EQ(in_parts.rows(), static_cast<int>(apart.extent(1)));
    in_parts.evaluate(t, x, apart);
    for (std::size_t i = 0; i < n; ++i) {
      const auto at = curve.factors(t(i));
      const double rate = apart(i, 0) + at.g_dot * apart(i, 1) + at.g * apart(i, 2);
      EXPECT_NEAR(rate, mixed(i, 0), 1e-11 * (10 + std::abs(rate) + std::abs(at.g_dot * apart(i, 1)))) << "point " << i;
      for (std::size_t k = 1; k <= D + 1; ++k)
        EXPECT_NEAR(apart(i, 2 + k) + at.g * apart(i, 3 + D + k), mixed(i, k), 1e-11 * (10 + std::abs(apart(i, 3 + D + k))));
      for (std::size_t k = 0; k < D + 2; ++k) EXPECT_EQ(apart(i, 5 + 2 * D + k), mixed(i, D + 2 + k));
    }
  }
}

}  // namespace
}  // namespace boltzcurve

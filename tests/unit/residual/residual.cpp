#include "residual/residual.hpp"
#include "curve/gradient_flow.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <tuple>
#include <vector>

#include "support/reference_network.hpp"
#include "support/residual_batch.hpp"

namespace boltzcurve {
namespace {

using test::loss_and_gradient, test::random_parameters;

constexpr double horizon = 3.0;
constexpr LossShape huber{LossKind::pseudo_huber, 2.0, ResidualUnit::clock};  // of the order of the residuals below

CurveNetworks networks(int dimension, int width, int hidden_layers, bool with_normalizer, NetworkKind kind = NetworkKind::mlp) {
  std::vector<CurveNetwork> list = {{"psi", {dimension + 1, width, hidden_layers, 1, kind, 11}}};
  if (with_normalizer) list.push_back({"normalizer", {1, 5, 2}});
  return test::networks_of(dimension, list);
}

template <class Real>
CollocationBatch<Real> random_batch(std::int64_t points, int dimension) {
  return test::random_batch<Real>(points, dimension, 2 * (dimension + 2), horizon);
}

template <class Real = double>
std::unique_ptr<ResidualKernel<Real>> kernel_of(const GradientFlow& curve, const CurveNetworks& nets, const LossShape& loss = {}) {
  return make_residual_kernel<GradientFlow, Real>(curve, nets, loss);
}

GradientFlow curve_of(int dimension, CurveForm form) {
  GradientFlow curve;
  curve.dimension = dimension;
  curve.horizon = horizon;
  curve.form = form;
  curve.schedule = form == CurveForm::contracted ? Schedule::diffusion : Schedule::linear;
  curve.clock = form == CurveForm::contracted ? CurveClock::logarithmic : CurveClock::square_root;
  curve.latent_scale = form == CurveForm::contracted ? 1.25 : 1.0;
  curve.width = 0.7;
  curve.power = 2.5;
  curve.clock_width = 0.4;
  return curve;
}

/// g, tau and the clock of a curve from their definitions, with derivatives by central differences of step 1e-6: right to some 1e-9.
struct Reference {
  const GradientFlow& curve;

  double added(double t) const { return std::pow(curve.latent_scale, 2) * std::expm1(2 * t / std::pow(curve.latent_scale, 2)); }
  double g(double t) const {
    return curve.schedule == Schedule::linear ? 1 - t / horizon : std::pow(1 + added(t) / curve.width, -curve.power);
  }
  double tau(double t) const { return curve.form == CurveForm::contracted ? 1 - g(t) : t; }
  double clock(double t) const {
    if (curve.clock == CurveClock::logarithmic)
      return std::log1p(added(t) / curve.clock_width) / std::log1p(added(horizon) / curve.clock_width);
    return curve.clock == CurveClock::linear ? t / horizon : std::sqrt(t / horizon);
  }
  template <class Function>
  static double derivative(const Function& function, double t) {
    const double h = 1e-6 * t;
    return (function(t + h) - function(t - h)) / (2 * h);
  }
};

/// The residual of every point from its definition, with the reference network.
template <class Real>
std::vector<double> reference_residual(const GradientFlow& curve, const CurveNetworks& nets, const std::vector<double>& parameters,
                                       const CollocationBatch<Real>& batch) {
  const auto D = static_cast<std::size_t>(curve.dimension);
  const NetworkShape &of_psi = *nets.find("psi"), *of_c = nets.find("normalizer");
  const auto psi_count = static_cast<std::size_t>(parameter_count(of_psi));
  std::vector<double> residuals;
  for (std::size_t i = 0; i < static_cast<std::size_t>(batch.size()); ++i) {
    std::vector<double> point;
    for (std::size_t k = 0; k < D; ++k) point.push_back(batch.x(i, k));
    const double t = batch.t(i);
    const Reference reference{curve};
    const double clock = reference.clock(t);
    point.push_back(clock);
    const std::span<const double> all(parameters);
    const auto psi = reference::psi_channels(of_psi, all.first(psi_count), nets.input_shift, nets.input_scale, point);
    double c = 0;
    if (of_c) c = reference::network(*of_c, all.subspan(psi_count), {{(clock - nets.input_shift[D]) * nets.input_scale[D], 0, 0}}).value;
    const double tau = reference.tau(t);
    const double tau_dot = reference.derivative([&](double s) { return reference.tau(s); }, t);
    const double clock_dot = reference.derivative([&](double s) { return reference.clock(s); }, t);
    c *= std::abs(clock_dot);  // the network gives it per unit of the clock
    const auto base = [&](std::size_t row) { return batch.known(i, row); };
    const auto latent = [&](std::size_t row) { return batch.known(i, D + 2 + row); };
    const double energy_dot = base(0) + tau_dot * psi[0] + tau * psi[D + 1] * clock_dot;
    double transport = 0;
    for (std::size_t k = 1; k <= D; ++k) {
      const double gradient = base(k) + tau * psi[k];
      transport += gradient * (gradient - latent(k));
    }
    const double laplacian = base(D + 1) + tau * psi[D + 2];
    residuals.push_back(energy_dot - c + transport - (laplacian - latent(D + 1)));
  }
  return residuals;
}

class ResidualByDimension : public testing::TestWithParam<std::tuple<int, int, int, CurveForm, bool, NetworkKind>> {};

INSTANTIATE_TEST_SUITE_P(Shapes, ResidualByDimension,
                         testing::Values(std::tuple(1, 16, 2, CurveForm::plain, false, NetworkKind::mlp),
                                         std::tuple(2, 24, 3, CurveForm::anchored, true, NetworkKind::mlp),
                                         std::tuple(2, 13, 1, CurveForm::contracted, false, NetworkKind::mlp),
                                         std::tuple(8, 20, 4, CurveForm::plain, true, NetworkKind::mlp),
                                         std::tuple(3, 32, 2, CurveForm::contracted, true, NetworkKind::mlp),
                                         std::tuple(32, 16, 2, CurveForm::anchored, false, NetworkKind::mlp),
                                         std::tuple(1, 16, 2, CurveForm::anchored, false, NetworkKind::additive),
                                         std::tuple(3, 20, 3, CurveForm::contracted, true, NetworkKind::additive),
                                         std::tuple(17, 64, 1, CurveForm::plain, false, NetworkKind::additive)));

// 200 points fill one chunk and part of a second. The reference's rates are differences, good to 1e-9 of them; the rest are sums of some
// thousand rounded products.
TEST_P(ResidualByDimension, EqualsItsDefinitionWithTheReferenceNetworkInDouble) {
  const auto [dimension, width, layers, form, normalized, kind] = GetParam();
  const auto nets = networks(dimension, width, layers, normalized, kind);
  const auto curve = curve_of(dimension, form);
  const auto batch = random_batch<double>(200, dimension);
  const auto parameters = random_parameters(nets);
  const auto expected = reference_residual(curve, nets, parameters, batch);

  const auto kernel = kernel_of(curve, nets, huber);
  const auto found = loss_and_gradient(*kernel, batch, parameters);
  double losses = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(found.residual[i], expected[i], 1e-8 * (1 + std::abs(expected[i]))) << "point " << i;
    const double per_clock = found.residual[i] / Reference::derivative([&](double t) { return Reference{curve}.clock(t); }, batch.t(i));
    losses += 2 * huber.width * huber.width * (std::sqrt(1 + std::pow(per_clock / huber.width, 2)) - 1);
  }
  EXPECT_NEAR(found.loss, losses / 200, 1e-8 * losses / 200);

  PointScalars<double> alone("test::residual", 200);
  kernel->residual(batch, 200, alone);
  for (std::size_t i = 0; i < 200; ++i)
    EXPECT_NEAR(alone(i), found.residual[i], 1e-11 * (1 + std::abs(expected[i]))) << "forward pass alone, point " << i;
}

TEST_P(ResidualByDimension, GradientOfEveryTensorEqualsCentralDifferences) {
  const auto [dimension, width, layers, form, normalized, kind] = GetParam();
  const auto nets = networks(dimension, width, layers, normalized, kind);
  test::expect_gradient_of_differences(*kernel_of(curve_of(dimension, form), nets, huber), random_batch<double>(150, dimension),
                                       random_parameters(nets));
}

TEST_P(ResidualByDimension, FloatAgreesWithDoubleToItsPrecision) {
  const auto [dimension, width, layers, form, normalized, kind] = GetParam();
  const auto nets = networks(dimension, width, layers, normalized, kind);
  const auto curve = curve_of(dimension, form);
  test::expect_float_near_double(*kernel_of<float>(curve, nets), random_batch<float>(300, dimension), *kernel_of(curve, nets),
                                 random_batch<double>(300, dimension), random_parameters(nets));
}

TEST(Residual, OfAPointDoesNotDependOnItsPlaceInTheBatch) {
  const auto nets = networks(3, 24, 2, false);
  const auto kernel = kernel_of<float>(curve_of(3, CurveForm::anchored), nets);
  kernel->set_parameters(random_parameters(nets));
  const auto batch = random_batch<float>(333, 3);
  PointScalars<float> together("test::residual", 333);
  kernel->residual(batch, 333, together);
  for (const std::size_t i : {0, 1, 31, 32, 127, 128, 200, 332}) {
    CollocationBatch<float> one(1, 3, 10);
    one.t(0) = batch.t(i);
    for (std::size_t k = 0; k < 3; ++k) one.x(0, k) = batch.x(i, k);
    for (std::size_t k = 0; k < 10; ++k) one.known(0, k) = batch.known(i, k);
    PointScalars<float> alone("test::residual", 1);
    kernel->residual(one, 1, alone);
    EXPECT_EQ(alone(0), together(i)) << "point " << i;
  }
}

// Velocity and divergence from their definition, with the reference network.
TEST(Velocity, IsTheGradientOfTheEnergyDifferenceAndItsDivergenceTheLaplacian) {
  constexpr int D = 3;
  const auto nets = networks(D, 20, 3, false);
  const auto parameters = random_parameters(nets);
  const auto batch = random_batch<double>(45, D);
  for (const auto form : {CurveForm::plain, CurveForm::anchored, CurveForm::contracted}) {
    const auto curve = curve_of(D, form);
    const auto kernel = kernel_of<double>(curve, nets);
    kernel->set_parameters(parameters);
    Points<double> velocity("test::velocity", 45, D);
    PointScalars<double> divergence("test::divergence", 45);
    kernel->velocity(45, batch.t, batch.x, batch.known, velocity, divergence);
    for (std::size_t i = 0; i < 45; ++i) {
      const std::vector<double> point{batch.x(i, 0), batch.x(i, 1), batch.x(i, 2), Reference{curve}.clock(batch.t(i))};
      const auto psi = reference::psi_channels(*nets.find("psi"), parameters, nets.input_shift, nets.input_scale, point);
      const double tau = Reference{curve}.tau(batch.t(i));
      for (std::size_t k = 0; k < D; ++k)
        EXPECT_NEAR(velocity(i, k), batch.known(i, k + 1) - batch.known(i, D + 3 + k) + tau * psi[k + 1], 1e-12);
      EXPECT_NEAR(divergence(i), batch.known(i, D + 1) - batch.known(i, 2 * D + 3) + tau * psi[D + 2], 1e-12);
    }
  }
}

TEST(LossAndGradient, IsThePlainMeanSquareOfTheResidualInTimeIfAskedFor) {
  const auto nets = networks(2, 16, 2, false);
  const auto batch = random_batch<double>(300, 2);
  const auto kernel = kernel_of(curve_of(2, CurveForm::anchored), nets, {LossKind::squared, 1, ResidualUnit::time});
  const auto found = loss_and_gradient(*kernel, batch, random_parameters(nets));
  double squares = 0;
  for (const double r : found.residual) squares += r * r;
  EXPECT_NEAR(found.loss, squares / 300, 1e-11 * squares / 300);
}

// C, per unit of the clock, is subtracted from R, and the last bias of its network is a part of it: the loss's derivative by that is minus
// the mean of its derivatives by R.
TEST(RobustWeight, IsHalfOfTheDerivativeOfTheLossOverTheResidual) {
  const auto nets = networks(2, 16, 2, true);
  const auto parameters = random_parameters(nets);
  for (const auto& kind : choices<LossKind>) {
    for (const auto unit : {ResidualUnit::clock, ResidualUnit::time}) {
      const LossShape loss{kind.value, 0.5, unit};
      const auto curve = curve_of(2, CurveForm::anchored);
      const auto batch = random_batch<double>(20, 2);
      const auto found = loss_and_gradient(*kernel_of(curve, nets, loss), batch, parameters, Reduction::fast);
      double expected = 0;
      for (std::size_t i = 0; i < 20; ++i) {
        const double time_per_clock = 1 / Reference::derivative([&](double t) { return Reference{curve}.clock(t); }, batch.t(i));
        const double in_unit = unit == ResidualUnit::clock ? 1 : 1 / time_per_clock, r = found.residual[i] * time_per_clock * in_unit;
        expected -= 2 * r * robust_weight(loss, r) * in_unit / 20;
      }
      EXPECT_NEAR(found.gradient.back(), expected, 1e-8 * (1 + std::abs(expected))) << kind.name << ", " << name_of(unit);
    }
  }
}

TEST(LossAndGradient, FastAndReproducibleReductionAgreeToTheQuantum) {
  const auto nets = networks(2, 16, 2, true);
  const auto parameters = random_parameters(nets);
  const auto batch = random_batch<double>(1000, 2);
  const auto kernel = kernel_of<double>(curve_of(2, CurveForm::anchored), nets);
  const auto exact = loss_and_gradient(*kernel, batch, parameters, Reduction::fast);
  const auto rounded = loss_and_gradient(*kernel, batch, parameters, Reduction::reproducible);
  double largest = 0;
  for (const double g : exact.gradient) largest = std::max(largest, std::abs(g));
  // 8 chunks, each rounded by at most half a quantum of 2^-41 of its tensor's largest partial sum (itself below 2^3 of the largest sum).
  for (std::size_t i = 0; i < parameters.size(); ++i) EXPECT_NEAR(rounded.gradient[i], exact.gradient[i], 8 * 0x1p-39 * largest);
  EXPECT_NE(rounded.gradient, exact.gradient);
}

TEST(LossAndGradient, OfANonFinitePointIsReportedAndNoSumIsGiven) {
  const auto nets = networks(2, 16, 2, false);
  const auto batch = random_batch<float>(300, 2);
  batch.known(177, 1) = std::numeric_limits<float>::quiet_NaN();
  const auto kernel = kernel_of<float>(curve_of(2, CurveForm::anchored), nets);
  kernel->set_parameters(random_parameters(nets));
  ReproducibleSum sum(kernel->sum_borders(), 3, Reduction::reproducible);
  PointScalars<float> residual("test::residual", 300);
  std::vector<double> total;
  kernel->add_loss_and_gradient(batch, 300, 300, sum.begin(), residual);
  EXPECT_EQ(sum.finish(Communicator(MPI_COMM_SELF), total), ReproducibleSum::Outcome::nonfinite);
  EXPECT_TRUE(total.empty());
  for (std::size_t i = 0; i < 300; ++i) EXPECT_EQ(std::isnan(residual(i)), i == 177) << "point " << i;
}

}  // namespace
}  // namespace boltzcurve

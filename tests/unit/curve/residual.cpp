#include <boltzcurve/curve/residual.hpp>
#include <boltzcurve/random/counter_rng.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>

#include "support/reference_network.hpp"

namespace boltzcurve {
namespace {

constexpr double horizon = 3.0;
constexpr LossShape huber{LossKind::pseudo_huber, 2.0, ResidualUnit::clock};  // of the order of the residuals below

double draw(std::uint64_t what, std::size_t index) { return CounterRng(11, RandomStream::test, what, index).normal(); }

CurveNetworks networks(int dimension, int width, int hidden_layers, bool with_normaliser) {
  CurveNetworks nets;
  nets.psi = {dimension + 1, width, hidden_layers};
  if (with_normaliser) nets.normaliser = MlpShape{1, 5, 2};
  for (int k = 0; k <= dimension; ++k) {
    nets.input_shift.push_back(0.1 * k - 0.2);
    nets.input_scale.push_back(0.5 + 0.1 * (k % 4));
  }
  return nets;
}

std::vector<double> random_parameters(const CurveNetworks& nets) {
  std::vector<double> parameters(static_cast<std::size_t>(nets.parameter_count()));
  for (const auto& tensor : nets.tensors())
    for (auto i = static_cast<std::size_t>(tensor.offset); i < static_cast<std::size_t>(tensor.offset + tensor.size()); ++i)
      parameters[i] = draw(1, i) / (tensor.is_bias ? 2.0 : std::sqrt(tensor.columns));
  return parameters;
}

/// Random numbers in place of energies: the kernel must not assume that they belong together.
template <class Real>
CollocationBatch<Real> random_batch(std::int64_t points, int dimension) {
  CollocationBatch<Real> batch(points, dimension);
  const auto t = Kokkos::create_mirror_view(batch.t);
  const auto x = Kokkos::create_mirror_view(batch.x), base = Kokkos::create_mirror_view(batch.base),
             latent = Kokkos::create_mirror_view(batch.latent);
  for (std::size_t i = 0; i < static_cast<std::size_t>(points); ++i) {
    CounterRng rng(12, RandomStream::test, 2, i);
    t(i) = static_cast<Real>(horizon * rng.uniform());
    for (std::size_t k = 0; k < x.extent(1); ++k) x(i, k) = static_cast<Real>(rng.normal());
    for (std::size_t k = 0; k < base.extent(1); ++k) {
      base(i, k) = static_cast<Real>(rng.normal());
      latent(i, k) = static_cast<Real>(rng.normal());
    }
  }
  Kokkos::deep_copy(batch.t, t);
  Kokkos::deep_copy(batch.x, x);
  Kokkos::deep_copy(batch.base, base);
  Kokkos::deep_copy(batch.latent, latent);
  return batch;
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
  double share(double t) const { return curve.form == CurveForm::contracted ? 1 - g(t) : t; }
  double clock(double t) const {
    if (curve.clock == CurveClock::logarithmic)
      return std::log1p(added(t) / curve.clock_width) / std::log1p(added(horizon) / curve.clock_width);
    return curve.clock == CurveClock::linear ? t / horizon : std::sqrt(t / horizon);
  }
  template <class Function>
  static double rate(const Function& function, double t) {
    const double h = 1e-6 * t;
    return (function(t + h) - function(t - h)) / (2 * h);
  }
};

/// The residual of every point from its definition, with the reference network.
template <class Real>
std::vector<double> reference_residual(const GradientFlow& curve, const CurveNetworks& nets, const std::vector<double>& parameters,
                                       const CollocationBatch<Real>& batch) {
  const auto D = static_cast<std::size_t>(curve.dimension);
  const auto psi_count = static_cast<std::size_t>(parameter_count(nets.psi));
  std::vector<double> residuals;
  for (std::size_t i = 0; i < static_cast<std::size_t>(batch.size()); ++i) {
    std::vector<double> point;
    for (std::size_t k = 0; k < D; ++k) point.push_back(batch.x(i, k));
    const double t = batch.t(i);
    const Reference reference{curve};
    const double clock = reference.clock(t);
    point.push_back(clock);
    const std::span<const double> all(parameters);
    const auto psi = reference::psi_channels(nets.psi, all.first(psi_count), nets.input_shift, nets.input_scale, point);
    double c = 0;
    if (nets.normaliser)
      c = reference::network(*nets.normaliser, all.subspan(psi_count), {{(clock - nets.input_shift[D]) * nets.input_scale[D], 0, 0}}).value;
    const double share = reference.share(t);
    const double share_rate = reference.rate([&](double s) { return reference.share(s); }, t);
    const double clock_rate = reference.rate([&](double s) { return reference.clock(s); }, t);
    const double energy_rate = batch.base(i, 0) + share_rate * psi[0] + share * psi[D + 1] * clock_rate;
    double transport = 0;
    for (std::size_t k = 1; k <= D; ++k) {
      const double slope = batch.base(i, k) + share * psi[k];
      transport += slope * (slope - batch.latent(i, k));
    }
    const double laplacian = batch.base(i, D + 1) + share * psi[D + 2];
    residuals.push_back(energy_rate - c + transport - (laplacian - batch.latent(i, D + 1)));
  }
  return residuals;
}

const Communicator& self() {
  static const Communicator communicator(MPI_COMM_SELF);
  return communicator;
}

template <class Real>
struct LossAndGradient {
  double loss;
  std::vector<double> gradient;
  std::vector<Real> residual;
};

template <class Real>
LossAndGradient<Real> loss_and_gradient(ResidualKernel<Real>& kernel, const CollocationBatch<Real>& batch,
                                        const std::vector<double>& parameters, Reduction reduction = Reduction::reproducible) {
  kernel.set_parameters(parameters);
  const std::int64_t n = batch.size();
  ReproducibleSum sum(kernel.sum_borders(), (n + chunk_points - 1) / chunk_points, reduction);
  PointScalars<Real> residual("test::residual", static_cast<std::size_t>(n));
  std::vector<double> total;
  LossAndGradient<Real> result;
  for (int round = 0; round < 3; ++round) {
    kernel.add_loss_and_gradient(batch, n, static_cast<double>(n), sum.begin(), residual);
    if (sum.finish(self(), total) == ReproducibleSum::Outcome::ok) break;
  }
  result.loss = kernel.unpack(total, result.gradient);
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), residual);
  result.residual.assign(host.data(), host.data() + n);
  return result;
}

class ResidualByDimension : public testing::TestWithParam<std::tuple<int, int, int, CurveForm, bool>> {};

INSTANTIATE_TEST_SUITE_P(Shapes, ResidualByDimension,
                         testing::Values(std::tuple(1, 16, 2, CurveForm::plain, false), std::tuple(2, 24, 3, CurveForm::anchored, true),
                                         std::tuple(2, 13, 1, CurveForm::contracted, false), std::tuple(8, 20, 4, CurveForm::plain, true),
                                         std::tuple(3, 32, 2, CurveForm::contracted, true),
                                         std::tuple(32, 16, 2, CurveForm::anchored, false)));

// 200 points fill one chunk and part of a second. The reference's rates are differences, good to 1e-9 of them; the rest are sums of some
// thousand rounded products.
TEST_P(ResidualByDimension, EqualsItsDefinitionWithTheReferenceNetworkInDouble) {
  const auto [dimension, width, layers, form, normalised] = GetParam();
  const auto nets = networks(dimension, width, layers, normalised);
  const auto curve = curve_of(dimension, form);
  const auto batch = random_batch<double>(200, dimension);
  const auto parameters = random_parameters(nets);
  const auto expected = reference_residual(curve, nets, parameters, batch);

  ResidualKernel<double> kernel(curve, nets, huber);
  const auto found = loss_and_gradient(kernel, batch, parameters);
  double losses = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(found.residual[i], expected[i], 1e-8 * (1 + std::abs(expected[i]))) << "point " << i;
    const double per_clock = found.residual[i] / Reference::rate([&](double t) { return Reference{curve}.clock(t); }, batch.t(i));
    losses += 2 * huber.width * huber.width * (std::sqrt(1 + std::pow(per_clock / huber.width, 2)) - 1);
  }
  EXPECT_NEAR(found.loss, losses / 200, 1e-8 * losses / 200);

  PointScalars<double> alone("test::residual", 200);
  kernel.residual(batch, 200, alone);
  for (std::size_t i = 0; i < 200; ++i)
    EXPECT_NEAR(alone(i), found.residual[i], 1e-11 * (1 + std::abs(expected[i]))) << "forward pass alone, point " << i;
}

// Central differences along a random direction within one tensor: truncation ~ h^2, rounding ~ 1e-16/h; at h = 1e-5 both stay below 1e-9
// of the gradient's norm along that tensor. The loss is summed without rounding to quanta, whose 2^-41 would show here.
TEST_P(ResidualByDimension, GradientOfEveryTensorEqualsCentralDifferences) {
  const auto [dimension, width, layers, form, normalised] = GetParam();
  const auto nets = networks(dimension, width, layers, normalised);
  const auto batch = random_batch<double>(150, dimension);
  const auto parameters = random_parameters(nets);
  ResidualKernel<double> kernel(curve_of(dimension, form), nets, huber);
  const auto found = loss_and_gradient(kernel, batch, parameters);
  ASSERT_EQ(found.gradient.size(), parameters.size());

  for (const auto& tensor : nets.tensors()) {
    const auto begin = static_cast<std::size_t>(tensor.offset), end = begin + static_cast<std::size_t>(tensor.size());
    std::vector<double> forward = parameters, backward = parameters;
    double length = 0, along = 0, norm = 0;
    for (std::size_t i = begin; i < end; ++i) length += draw(5, i) * draw(5, i);
    constexpr double h = 1e-5;
    for (std::size_t i = begin; i < end; ++i) {
      const double direction = draw(5, i) / std::sqrt(length);
      forward[i] += h * direction;
      backward[i] -= h * direction;
      along += direction * found.gradient[i];
      norm += found.gradient[i] * found.gradient[i];
    }
    const auto loss = [&](const std::vector<double>& at) { return loss_and_gradient(kernel, batch, at, Reduction::fast).loss; };
    const double slope = (loss(forward) - loss(backward)) / (2 * h);
    EXPECT_NEAR(slope, along, 1e-6 * std::sqrt(norm)) << tensor.name;
    EXPECT_GT(norm, 0) << tensor.name;
  }
}

// The network in float differs from double by accumulated rounding: about sqrt(width) layers eps relative to the sizes involved.
TEST_P(ResidualByDimension, FloatAgreesWithDoubleToItsPrecision) {
  const auto [dimension, width, layers, form, normalised] = GetParam();
  const auto nets = networks(dimension, width, layers, normalised);
  const auto curve = curve_of(dimension, form);
  const auto parameters = random_parameters(nets);
  ResidualKernel<double> in_double(curve, nets);
  ResidualKernel<float> in_float(curve, nets);
  const auto expected = loss_and_gradient(in_double, random_batch<double>(300, dimension), parameters);
  const auto found = loss_and_gradient(in_float, random_batch<float>(300, dimension), parameters);
  EXPECT_NEAR(found.loss, expected.loss, 1e-5 * expected.loss);
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    difference += std::pow(found.gradient[i] - expected.gradient[i], 2);
    norm += std::pow(expected.gradient[i], 2);
  }
  EXPECT_LT(std::sqrt(difference / norm), 1e-5);
}

TEST(Residual, OfAPointDoesNotDependOnItsPlaceInTheBatch) {
  const auto nets = networks(3, 24, 2, false);
  ResidualKernel<float> kernel(curve_of(3, CurveForm::anchored), nets);
  kernel.set_parameters(random_parameters(nets));
  const auto batch = random_batch<float>(333, 3);
  PointScalars<float> together("test::residual", 333);
  kernel.residual(batch, 333, together);
  for (const std::size_t i : {0, 1, 31, 32, 127, 128, 200, 332}) {
    CollocationBatch<float> one(1, 3);
    one.t(0) = batch.t(i);
    for (std::size_t k = 0; k < 3; ++k) one.x(0, k) = batch.x(i, k);
    for (std::size_t k = 0; k < 5; ++k) {
      one.base(0, k) = batch.base(i, k);
      one.latent(0, k) = batch.latent(i, k);
    }
    PointScalars<float> alone("test::residual", 1);
    kernel.residual(one, 1, alone);
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
    ResidualKernel<double> kernel(curve, nets);
    kernel.set_parameters(parameters);
    Points<double> velocity("test::velocity", 45, D);
    PointScalars<double> divergence("test::divergence", 45);
    kernel.velocity(45, batch.t, batch.x, batch.base, batch.latent, velocity, divergence);
    for (std::size_t i = 0; i < 45; ++i) {
      const std::vector<double> point{batch.x(i, 0), batch.x(i, 1), batch.x(i, 2), Reference{curve}.clock(batch.t(i))};
      const auto psi = reference::psi_channels(nets.psi, parameters, nets.input_shift, nets.input_scale, point);
      const double share = Reference{curve}.share(batch.t(i));
      for (std::size_t k = 0; k < D; ++k)
        EXPECT_NEAR(velocity(i, k), batch.base(i, k + 1) - batch.latent(i, k + 1) + share * psi[k + 1], 1e-12);
      EXPECT_NEAR(divergence(i), batch.base(i, D + 1) - batch.latent(i, D + 1) + share * psi[D + 2], 1e-12);
    }
  }
}

TEST(LossAndGradient, IsThePlainMeanSquareOfTheResidualInTimeIfAskedFor) {
  const auto nets = networks(2, 16, 2, false);
  const auto batch = random_batch<double>(300, 2);
  ResidualKernel<double> kernel(curve_of(2, CurveForm::anchored), nets, {LossKind::mean_square, 1, ResidualUnit::time});
  const auto found = loss_and_gradient(kernel, batch, random_parameters(nets));
  double squares = 0;
  for (const double r : found.residual) squares += r * r;
  EXPECT_NEAR(found.loss, squares / 300, 1e-11 * squares / 300);
}

TEST(LossAndGradient, FastAndReproducibleReductionAgreeToTheQuantum) {
  const auto nets = networks(2, 16, 2, true);
  const auto parameters = random_parameters(nets);
  const auto batch = random_batch<double>(1000, 2);
  ResidualKernel<double> kernel(curve_of(2, CurveForm::anchored), nets);
  const auto exact = loss_and_gradient(kernel, batch, parameters, Reduction::fast);
  const auto rounded = loss_and_gradient(kernel, batch, parameters, Reduction::reproducible);
  double largest = 0;
  for (const double g : exact.gradient) largest = std::max(largest, std::abs(g));
  // 8 chunks, each rounded by at most half a quantum of 2^-41 of its tensor's largest partial sum (itself below 2^3 of the largest sum).
  for (std::size_t i = 0; i < parameters.size(); ++i) EXPECT_NEAR(rounded.gradient[i], exact.gradient[i], 8 * 0x1p-39 * largest);
  EXPECT_NE(rounded.gradient, exact.gradient);
}

TEST(LossAndGradient, OfANonFinitePointIsReportedAndNoSumIsGiven) {
  const auto nets = networks(2, 16, 2, false);
  const auto batch = random_batch<float>(300, 2);
  batch.base(177, 1) = std::numeric_limits<float>::quiet_NaN();
  ResidualKernel<float> kernel(curve_of(2, CurveForm::anchored), nets);
  kernel.set_parameters(random_parameters(nets));
  ReproducibleSum sum(kernel.sum_borders(), 3, Reduction::reproducible);
  PointScalars<float> residual("test::residual", 300);
  std::vector<double> total;
  kernel.add_loss_and_gradient(batch, 300, 300, sum.begin(), residual);
  EXPECT_EQ(sum.finish(self(), total), ReproducibleSum::Outcome::nonfinite);
  EXPECT_TRUE(total.empty());
  for (std::size_t i = 0; i < 300; ++i) EXPECT_EQ(std::isnan(residual(i)), i == 177) << "point " << i;
}

}  // namespace
}  // namespace boltzcurve

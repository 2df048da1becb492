// The linear and the learned curve: residual, gradients and velocity against their definition, and the closed form between normal laws.
#include "curve/tempered_curve.hpp"
#include <boltzcurve/counter_rng.hpp>
#include "curve/curve.hpp"
#include "energy/gaussian_mixture.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "support/half_known_energy.hpp"
#include "support/reference_network.hpp"
#include "support/residual_batch.hpp"

namespace boltzcurve {
namespace {

using test::loss_and_gradient, test::random_parameters;

constexpr LossShape huber{LossKind::pseudo_huber, 2.0, ResidualUnit::clock};  // of the order of the residuals below

TemperedCurve curve_of(int dimension, CurveClock clock = CurveClock::logarithmic) {
  TemperedCurve curve;
  curve.dimension = dimension;
  curve.clock = clock;
  curve.kappa = 7;
  curve.latent_scale = 1.3;
  curve.width = 0.4;
  curve.velocity_unit = 1.7;
  return curve;
}

CurveNetworks networks(int dimension, int width, int layers, bool with_psi, bool with_normalizer, NetworkKind kind = NetworkKind::mlp) {
  std::vector<CurveNetwork> list;
  if (with_psi) list.push_back({"psi", {dimension + 1, width, layers, 1, kind}});
  list.push_back({"velocity", {dimension + 1, width + 3, layers, dimension, kind, 9}});
  if (with_normalizer) list.push_back({"normalizer", {1, 5, 2}});
  return test::networks_of(dimension, list);
}

template <class Real>
CollocationBatch<Real> random_batch(std::int64_t points, int dimension) {
  return test::random_batch<Real>(points, dimension, dimension + 1, 1.0);
}

template <class Real = double>
std::unique_ptr<ResidualKernel<Real>> kernel_of(const TemperedCurve& curve, const CurveNetworks& nets, const LossShape& loss = {}) {
  return make_residual_kernel<TemperedCurve, Real>(curve, nets, loss);
}

/// What the networks give at a point, straight from their definition. Clock and rates by differences of step 1e-6: right to some 1e-9.
struct Networks {
  std::vector<double> psi, field;  // channels as psi_channels() has them; components, then divergence
  double c = 0, time_per_clock;

  Networks(const TemperedCurve& curve, const CurveNetworks& nets, std::span<const double> parameters, double t, std::vector<double> x) {
    const auto clock = [&](double time) { return 1 - std::log1p(curve.kappa * time) / std::log1p(curve.kappa); };
    const double h = 1e-6 * t;
    time_per_clock = -2 * h / (clock(t + h) - clock(t - h));
    x.push_back(clock(t));
    std::size_t offset = 0;
    for (const auto& [name, shape] : nets.list) {
      const auto mine = parameters.subspan(offset, static_cast<std::size_t>(parameter_count(shape)));
      offset += mine.size();
      if (name == "psi") psi = reference::psi_channels(shape, mine, nets.input_shift, nets.input_scale, x);
      if (name == "velocity") field = reference::field_and_divergence(shape, mine, nets.input_shift, nets.input_scale, x);
      if (name == "normalizer")
        c = reference::network(shape, mine, {{(x.back() - nets.input_shift.back()) * nets.input_scale.back(), 0, 0}}).value;
    }
    for (auto& component : field) component *= curve.velocity_unit / time_per_clock;
    c /= time_per_clock;
  }
};

class Tempered : public testing::TestWithParam<std::tuple<int, int, int, bool, bool, NetworkKind>> {};

INSTANTIATE_TEST_SUITE_P(
    Shapes, Tempered,
    testing::Values(std::tuple(1, 16, 2, true, false, NetworkKind::mlp), std::tuple(1, 13, 1, false, true, NetworkKind::mlp),
                    std::tuple(2, 24, 3, false, true, NetworkKind::mlp), std::tuple(2, 64, 2, true, true, NetworkKind::mlp),
                    std::tuple(3, 13, 1, true, false, NetworkKind::mlp), std::tuple(8, 20, 3, false, false, NetworkKind::mlp),
                    std::tuple(8, 29, 2, true, true, NetworkKind::mlp), std::tuple(17, 16, 2, true, true, NetworkKind::mlp),
                    std::tuple(1, 16, 1, false, true, NetworkKind::additive), std::tuple(5, 20, 2, true, true, NetworkKind::additive)));

// R = d_t b + tau' psi + tau d_t psi - C + <grad b + tau grad psi, v> - div v at random numbers for the base; 200 points fill one chunk and
// part of a second. Rates are differences, good to 1e-9 of the sizes.
TEST_P(Tempered, ResidualAndVelocityEqualTheirDefinitionWithTheReferenceNetwork) {
  const auto [dimension, width, layers, with_psi, with_normalizer, kind] = GetParam();
  const auto D = static_cast<std::size_t>(dimension);
  const auto nets = networks(dimension, width, layers, with_psi, with_normalizer, kind);
  const auto curve = curve_of(dimension);
  const auto batch = random_batch<double>(200, dimension);
  const auto parameters = random_parameters(nets);
  const auto kernel = kernel_of(curve, nets, huber);
  const auto found = loss_and_gradient(*kernel, batch, parameters);
  Points<double> velocity("test::velocity", 200, D);
  PointScalars<double> divergence("test::divergence", 200);
  kernel->velocity(200, batch.t, batch.x, {}, velocity, divergence);
  EXPECT_FALSE(kernel->velocity_needs_energies());

  double losses = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    const double t = batch.t(i), tau = t * (1 - t);
    std::vector<double> x;
    for (std::size_t k = 0; k < D; ++k) x.push_back(batch.x(i, k));
    const Networks at(curve, nets, parameters, t, x);
    double residual = batch.known(i, 0) - at.c - at.field[D], size = 10 + std::abs(residual);
    if (with_psi) residual += (1 - 2 * t) * at.psi[0] - tau * at.psi[D + 1] / at.time_per_clock;
    for (std::size_t k = 0; k < D; ++k) {
      const double term = (batch.known(i, k + 1) + (with_psi ? tau * at.psi[k + 1] : 0)) * at.field[k];
      residual += term;
      size += std::abs(term);
      EXPECT_NEAR(velocity(i, k), at.field[k], 1e-8 * size);
    }
    EXPECT_NEAR(divergence(i), at.field[D], 1e-8 * size);
    EXPECT_NEAR(found.residual[i], residual, 1e-8 * size) << "point " << i;
    const double scaled = residual * at.time_per_clock / huber.width;
    losses += 2 * huber.width * huber.width * (std::sqrt(1 + scaled * scaled) - 1);
  }
  EXPECT_NEAR(found.loss, losses / 200, 1e-8 * losses / 200);
}

TEST_P(Tempered, GradientOfEveryTensorOfEveryNetworkEqualsCentralDifferences) {
  const auto [dimension, width, layers, with_psi, with_normalizer, kind] = GetParam();
  const auto nets = networks(dimension, width, layers, with_psi, with_normalizer, kind);
  test::expect_gradient_of_differences(*kernel_of(curve_of(dimension), nets, huber), random_batch<double>(150, dimension),
                                       random_parameters(nets));
}

TEST_P(Tempered, FloatAgreesWithDoubleToItsPrecision) {
  const auto [dimension, width, layers, with_psi, with_normalizer, kind] = GetParam();
  const auto nets = networks(dimension, width, layers, with_psi, with_normalizer, kind);
  const auto curve = curve_of(dimension);
  test::expect_float_near_double(*kernel_of<float>(curve, nets), random_batch<float>(300, dimension), *kernel_of(curve, nets),
                                 random_batch<double>(300, dimension), random_parameters(nets));
}

// |R| + R^2 in units of time, from the residuals themselves; its gradient against differences, no residual being near the kink at 0.
TEST(TemperedLoss, CanBeTheSumOfSizeAndSquare) {
  const auto nets = networks(2, 16, 2, true, true);
  const auto batch = random_batch<double>(150, 2);
  const auto kernel = kernel_of(curve_of(2), nets, {LossKind::absolute_and_squared, 1, ResidualUnit::time});
  const auto found = loss_and_gradient(*kernel, batch, random_parameters(nets));
  double losses = 0;
  for (const double r : found.residual) {
    losses += std::abs(r) + r * r;
    EXPECT_GT(std::abs(r), 1e-4);
  }
  EXPECT_NEAR(found.loss, losses / 150, 1e-11 * losses / 150);
  test::expect_gradient_of_differences(*kernel, batch, random_parameters(nets));
}

TEST(TemperedClock, CanBeReadBothWaysAndKnowsItsRate) {
  for (const auto& clock : choices<CurveClock>) {
    const auto curve = curve_of(1, clock.value);
    EXPECT_NEAR(curve.time_at(0.0), 1, 1e-15);  // the target
    EXPECT_NEAR(curve.time_at(1.0), 0, 1e-15);
    for (const double s : {0.01, 0.1, 0.3, 0.5, 0.9, 0.99}) {
      const double t = curve.time_at(s), h = 1e-6;
      EXPECT_NEAR(curve.clock_at(t).clock, s, 1e-12);
      const double derivative = (curve.time_at(s + h) - curve.time_at(s - h)) / (2 * h);
      EXPECT_NEAR(curve.clock_at(t).time_per_clock, derivative, 1e-7 * std::abs(derivative));
    }
  }
}

std::unique_ptr<Energy> normal(const std::vector<double>& mean, double variance) { return make_gaussian_mixture({{1, mean, {variance}}}); }

// Both ends normal: rho_t has the precision P = (1-t)/s^2 + t/S^2 and the mean (t mu/S^2)/P for a latent mean of 0, which is what
// the interpolation makes of y ~ N(mu, S^2), exactly.
TEST(TemperedInterpolation, OfANormalModeHasTheDensityOfTheCurve) {
  const auto curve = curve_of(1);
  const double mu = 3, S2 = curve.width, s2 = curve.latent_scale * curve.latent_scale;
  for (const double t : {0.0, 0.01, 0.3, 0.8, 1.0}) {
    const auto [contraction, spread] = curve.interpolation(t);
    const double precision = (1 - t) / s2 + t / S2;
    EXPECT_NEAR(contraction * mu, t * mu / S2 / precision, 1e-14);
    EXPECT_NEAR(contraction * contraction * S2 + spread * spread * s2, 1 / precision, 1e-14);
  }
}

// f~ = L + S log(1 + (f - L)/S) above L, in the base and in its gradient.
TEST(TemperedEnergies, AreTheStraightLineBetweenTheEndsWithTheWallsTamed) {
  const auto target = normal({3, -1}, 0.25), latent = normal({0, 0}, 2);
  const Taming taming{6, 20};
  const auto energies = make_tempered_energies<double>(taming, *target, *latent);
  ASSERT_EQ(energies->rows(), 3);
  for (const std::vector<double>& x : {std::vector<double>{2.8, -0.7}, {0, 0}, {5, 4}}) {
    for (const double t : {0.0, 0.3, 1.0}) {
      PointScalars<double> time("test::t", 1);
      Points<double> point("test::x", 1, 2), known("test::known", 1, 3), of_target("test::target", 1, 4), of_latent("test::latent", 1, 4);
      time(0) = t;
      for (std::size_t k = 0; k < 2; ++k) point(0, k) = x[k];
      target->evaluate(point, of_target);
      latent->evaluate(point, of_latent);
      energies->evaluate(time, point, known);
      const double f = of_target(0, 0), tamed = f > 6 ? 6 + 20 * std::log(1 + (f - 6) / 20) : f,
                   factor = f > 6 ? 1 / (1 + (f - 6) / 20) : 1;
      EXPECT_NEAR(known(0, 0), tamed - of_latent(0, 0), 1e-12);
      for (std::size_t k = 1; k < 3; ++k) EXPECT_NEAR(known(0, k), (1 - t) * of_latent(0, k) + t * factor * of_target(0, k), 1e-12);
    }
  }
}

TEST(TemperedEnergies, StayFiniteWhereTheTargetOverflows) {
  const auto target = normal({0, 0}, 1e-30), latent = normal({0, 0}, 1);
  PointScalars<float> time("test::t", 1);
  Points<float> point("test::x", 1, 2), known("test::known", 1, 3);
  time(0) = 0.5f;
  point(0, 0) = 1e6f;  // f = 5e41
  make_tempered_energies<float>({50, 50}, *target, *latent)->evaluate(time, point, known);
  for (std::size_t k = 0; k < 3; ++k) EXPECT_TRUE(std::isfinite(known(0, k)));
}

TEST(TemperedEnergies, AreNotKnownWhereTheTargetsIsNot) {
  const auto target = testing_support::half_known(2, 1), latent = normal({0, 0}, 1);
  const auto energies = make_tempered_energies<float>({50, 50}, *target, *latent);
  for (const float first : {0.9f, 1.1f}) {
    PointScalars<float> time("test::t", 1);
    Points<float> point("test::x", 1, 2), known("test::known", 1, 3);
    time(0) = 0.5f;
    point(0, 0) = first;
    energies->evaluate(time, point, known);
    EXPECT_EQ(std::isfinite(known(0, 0)) && std::isfinite(known(0, 1)), first < 1);
  }
}

/// One point as the functor sees it, the networks' results given, every number in all lanes.
struct PointRows {
  using P = Pack<double>;
  std::vector<double> time_rows, known_rows, field;

  P time(int row) const { return time_rows[static_cast<std::size_t>(row)]; }
  P known(int row) const { return known_rows[static_cast<std::size_t>(row)]; }
  P result(int, int k) const { return field[static_cast<std::size_t>(k)]; }
  bool has(int network) const { return network == TemperedCurve::of_velocity; }
};

// N(0, s^2) to N(mu, S^2) per coordinate, closed form: with P = (1-t)/s^2 + t/S^2 and m = t mu/(S^2 P), the velocity is
// m' - (x - m) P'/(2 P), and C_t = -(d/dt) log Z_t with log Z_t = (log(2 pi/P) + P m^2 - t mu^2/S^2)/2 summed over coordinates.
TEST(LinearCurve, BetweenNormalLawsHasNoResidualInTheProgramsOwnFormulaForTheClosedForm) {
  using P = Pack<double>;
  constexpr int D = 2;
  const double s2 = 1.69, S2 = 0.3, mu[D] = {2, -1.5};
  const auto latent = normal({0, 0}, s2), target = normal({mu[0], mu[1]}, S2);
  const auto curve = curve_of(D);
  const auto energies = make_tempered_energies<double>({}, *target, *latent);
  for (std::uint64_t i = 0; i < 50; ++i) {
    CounterRng rng(4, RandomStream::test, 0, i);
    const double t = rng.uniform(), precision = (1 - t) / s2 + t / S2, rate = 1 / S2 - 1 / s2;
    PointScalars<double> time("test::t", 1);
    Points<double> point("test::x", 1, D), known("test::known", 1, D + 1);
    time(0) = t;
    for (std::size_t k = 0; k < D; ++k) point(0, k) = 2 * rng.normal();
    energies->evaluate(time, point, known);
    const auto reading = curve.clock_at(P(t));
    PointRows rows{std::vector<double>(TemperedCurve::time_row_count), {known(0, 0), known(0, 1), known(0, 2)}, {0, 0, 0}};
    curve.store_time_rows(Purpose::residual, P(t), reading,
                          [&](int row, P value) { rows.time_rows[static_cast<std::size_t>(row)] = value[0]; });
    const double unit = rows.time(TemperedCurve::velocity_unit_row)[0];
    // With both laws normalized (as the mixtures are), log Z_t has the logarithms of their normalizations as well.
    double c = 0;
    for (std::size_t k = 0; k < D; ++k) {
      const double mean = t * mu[k] / S2 / precision, mean_rate = (mu[k] / S2 - mean * rate) / precision;
      rows.field[k] = (mean_rate - (point(0, k) - mean) * rate / (2 * precision)) / unit;
      rows.field[D] += -rate / (2 * precision) / unit;
      const double of_log_z =
          -rate / precision + (2 * mean * mean_rate * precision + mean * mean * rate) - mu[k] * mu[k] / S2 + std::log(s2) - std::log(S2);
      c -= 0.5 * of_log_z;
    }
    EXPECT_NEAR(curve.residual<P>(rows)[0], c, 1e-11 * (10 + std::abs(c))) << "t = " << t;
    for (int k = 1; k <= D; ++k) EXPECT_NEAR(curve.velocity<P>(k, rows)[0], unit * rows.field[static_cast<std::size_t>(k - 1)], 1e-12);
  }
}

}  // namespace
}  // namespace boltzcurve

// Legs, moves and resampling between the densities of a path, against closed forms.
#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include <boltzcurve/sampling.hpp>
#include "energy/gaussian_mixture.hpp"
#include "metrics/importance.hpp"
#include "ode/velocity_field.hpp"
#include "sampling/mixture_density.hpp"
#include "sampling/path_energy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numbers>
#include <numeric>
#include <support/mixture_flow.hpp>
#include <vector>

namespace boltzcurve {
namespace {

constexpr double horizon = 8;

/// The exact densities of a mixture's flow, plus a known smooth error: `slope` t exp(-t) x_1.
class WrongDensity final : public PathDensity {
 public:
  WrongDensity(const test::MixtureFlow& flow, double slope) : flow_(flow), slope_(slope) {}
  int dimension() const override { return 2; }
  double time_at(double clock) const override { return horizon * clock * clock; }
  void evaluate(double t, Points<const double> x, Points<double> out) const override {
    const auto points = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), x);
    const auto values = Kokkos::create_mirror_view(out);
    for (std::size_t i = 0; i < points.extent(0); ++i) {
      const double point[2] = {points(i, 0), points(i, 1)};
      const auto at = flow_.energy(t, point);
      const double error = slope_ * t * std::exp(-t);
      values(i, 0) = at.value + error * points(i, 0);
      values(i, 1) = at.gradient[0] + error;
      values(i, 2) = at.gradient[1];
    }
    Kokkos::deep_copy(out, values);
  }

 private:
  const test::MixtureFlow& flow_;
  double slope_;
};

/// The exact velocity times a factor, so that its flow ends in the wrong place.
class WrongVelocity final : public VelocityField {
 public:
  WrongVelocity(const test::MixtureFlow& flow, double factor) : exact_(flow), factor_(factor) {}
  int dimension() const override { return 2; }
  void evaluate(PointScalars<const double> t, Points<const double> x, Points<double> velocity,
                PointScalars<double> divergence) const override {
    exact_.evaluate(t, x, velocity, divergence);
    const double factor = factor_;
    Kokkos::parallel_for(
        "boltzcurve::test_velocity", t.extent(0), KOKKOS_LAMBDA(const std::size_t i) {
          divergence(i) *= factor;
          for (int k = 0; k < 2; ++k) velocity(i, k) *= factor;
        });
  }

 private:
  test::MixtureVelocity exact_;
  double factor_;
};

struct TwoModes {
  test::MixtureFlow flow = test::MixtureFlow::of_round_components({{0.3, {-2, 0.5}, 0.6}, {0.7, {1.5, -1}, 0.9}});
  std::unique_ptr<Energy> target = make_gaussian_mixture({{0.3, {-2, 0.5}, {0.36}}, {0.7, {1.5, -1}, {0.81}}});
  std::unique_ptr<Energy> latent = find_latent("gaussian").make(Parameters("gaussian", find_latent("gaussian").parameters, {}), 2);

  Sampler sampler(SamplingSettings settings, double factor = 0.9, double slope = 0.3, std::uint64_t seed = 3) const {
    settings.relative_tolerance = settings.absolute_tolerance = 1e-4;
    return {
        Communicator(MPI_COMM_SELF),
        {std::make_shared<WrongVelocity>(flow, factor), *target, *latent, horizon, 0, {}, {}, std::make_shared<WrongDensity>(flow, slope)},
        settings,
        seed};
  }
};

SamplingSettings in_legs(int legs) {
  SamplingSettings settings;
  settings.legs = legs;
  settings.island = 64;
  return settings;
}

TEST(AnnealedFlow, LegsAndMovesMakeUpForAWrongFlow) {
  const TwoModes problem;
  const Communicator self(MPI_COMM_SELF);
  const auto plain = importance_of(self, problem.sampler(in_legs(1), 0.4).draw(2048)),
             legs = importance_of(self, problem.sampler(in_legs(12), 0.4).draw(2048));
  EXPECT_LT(plain.ess, 0.6);
  EXPECT_GT(legs.lineage_ess, 0.65);
  // False alarm of 4 standard errors: 6e-5.
  EXPECT_NEAR(legs.log_z, problem.target->log_z().value(), 4 * legs.log_z_stderr);
}

TEST(AnnealedFlow, TakesTheFlowAloneWhereADryRunFindsItGood) {
  const TwoModes problem;
  SamplingObserver nobody;
  const auto good = problem.sampler(in_legs(0), 1.0).draw(128, nobody), bad = problem.sampler(in_legs(0), 0.3).draw(128, nobody);
  EXPECT_GT(good.plan.flow_ess.value(), 0.95);
  EXPECT_TRUE(good.plan.stages.empty());
  EXPECT_EQ(good.plan.legs, 1);
  EXPECT_LT(bad.plan.flow_ess.value(), 0.5);
  EXPECT_GT(bad.plan.legs, 1);
  EXPECT_GE(bad.plan.stages.size(), static_cast<std::size_t>(bad.plan.legs));
  EXPECT_EQ(work_of(good.plan, {}, 128).target_values, 128);
  EXPECT_EQ(work_of(good.plan, {}, 128).target_gradients, 0);
  // Beyond the path's end the target is asked for: once to weigh, and by moves of so many leaps.
  SamplingPlan plan{2, {}, {{4, 0, 1, 3}, {0, 0, 1, 3}, {0, 0.5, 1, 5}, {0, 1, 1, 7}}};
  SamplingSettings settings;
  settings.moves = 2;
  EXPECT_EQ(work_of(plan, settings, 10).target_values, 30);
  EXPECT_EQ(work_of(plan, settings, 10).target_gradients, 10 * (2 + 2 * 12));
}

// The mean of Z over many small runs, of a flow and densities that are both wrong, with resampling in every run. False alarm of 3.5
// standard errors: 5e-4.
TEST(AnnealedFlow, MeanOfTheWeightsIsUnbiased) {
  const TwoModes problem;
  auto settings = in_legs(3);
  settings.resample_below = 1;
  constexpr int runs = 150;
  double sum = 0, squares = 0;
  for (int run = 0; run < runs; ++run) {
    const auto particles = problem.sampler(settings, 0.7, 0.5, static_cast<std::uint64_t>(100 + run)).draw(64);
    double z = 0;
    for (std::size_t i = 0; i < particles.size(); ++i) z += std::exp(particles.log_weight[i] - problem.target->log_z().value()) / 64;
    sum += z;
    squares += z * z;
  }
  const double mean = sum / runs, deviation = std::sqrt(squares / runs - mean * mean);
  EXPECT_GT(deviation, 0.02);  // there is something to average
  EXPECT_NEAR(mean, 1, 3.5 * deviation / std::sqrt(runs));
}

TEST(AnnealedFlow, ResamplingKeepsToIslandsAndItsErrorsCountLineages) {
  const TwoModes problem;
  auto settings = in_legs(3);
  settings.resample_below = 1;
  const auto particles = problem.sampler(settings, 0.7).draw(640);
  std::size_t moved_on = 0;
  for (std::size_t i = 0; i < particles.size(); ++i) {
    EXPECT_EQ(particles.id[i], static_cast<std::int64_t>(i));
    EXPECT_EQ(particles.island[i], particles.id[i] / 64);
    EXPECT_EQ(particles.ancestor[i] / 64, particles.island[i]);
    EXPECT_EQ(particles.log_weight[i], -particles.energy[i] - particles.log_density[i]);
    moved_on += particles.ancestor[i] != particles.id[i];
  }
  EXPECT_GT(moved_on, 100u);
  const auto estimate = importance_of(Communicator(MPI_COMM_SELF), particles);
  EXPECT_LT(estimate.lineage_ess, estimate.ess);
  // By hand: weights summed over the descendants of each.
  std::vector<double> of_ancestor(640, 0.0);
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < particles.size(); ++i) {
    of_ancestor[static_cast<std::size_t>(particles.ancestor[i])] += std::exp(particles.log_weight[i]);
    sum += std::exp(particles.log_weight[i]);
  }
  for (const double weight : of_ancestor) squares += weight * weight;
  EXPECT_NEAR(estimate.lineage_ess, sum * sum / (640 * squares), 1e-12);
  EXPECT_NEAR(estimate.log_z_stderr, std::sqrt((1 / estimate.lineage_ess - 1) / 639), 1e-12);
}

// Where flow and densities are exact, moves may not change the law: its moments, of 4096 particles. False alarm of 4.5 standard errors a
// number: 7e-6.
TEST(AnnealedFlow, MovesLeaveTheDensityAlone) {
  const TwoModes problem;
  auto settings = in_legs(4);
  settings.moves = 5;
  const auto particles = problem.sampler(settings, 1, 0).draw(4096);
  const double n = 4096;
  for (std::size_t k = 0; k < 2; ++k) {
    const double center[2][2] = {{-2, 0.5}, {1.5, -1}}, mean = 0.3 * center[0][k] + 0.7 * center[1][k];
    const double second = 0.3 * (center[0][k] * center[0][k] + 0.36) + 0.7 * (center[1][k] * center[1][k] + 0.81),
                 variance = second - mean * mean;
    double first = 0, square = 0, fourth = 0;
    for (std::size_t i = 0; i < particles.size(); ++i) {
      const double x = particles.x(i)[k];
      first += x / n;
      square += x * x / n;
      fourth += x * x * x * x / n;
    }
    EXPECT_NEAR(first, mean, 4.5 * std::sqrt(variance / n));
    EXPECT_NEAR(square, second, 4.5 * std::sqrt((fourth - square * square) / n));
  }
}

TEST(AnnealedFlow, ParticlesDoNotDependOnTheBatchesTheyAreDrawnIn) {
  const TwoModes problem;
  auto settings = in_legs(3);
  settings.frames = 3;
  const auto whole = problem.sampler(settings).draw(300);
  settings.block = 64;  // one island at a time
  SamplingObserver nobody;
  const auto pieces = problem.sampler(settings).draw(300, nobody).particles;
  EXPECT_EQ(pieces.position, whole.position);
  EXPECT_EQ(pieces.log_weight, whole.log_weight);
  EXPECT_EQ(pieces.frames, whole.frames);
  EXPECT_EQ(whole.frames.back(), whole.position);
}

TEST(AnnealedFlow, RefusesIslandsThatCutGranules) {
  const TwoModes problem;
  auto settings = in_legs(3);
  settings.island = 100;
  EXPECT_THROW(problem.sampler(settings), SettingError);
}

/// Two factors: a mixture of two normal laws of coordinates 0 and 2, and a normal law of coordinate 1.
std::vector<MixtureFactor> factors() {
  const NormalMixture two{{0.25, 0.75}, {1, -1, -2, 0.5}, {0.6, 0.8, -0.8, 0.6, 1, 0, 0, 1}, {0.5, 2, 1, 0.3}};
  const NormalMixture one{{1}, {3}, {1}, {0.25}};
  return {{{0, 2}, two}, {{1}, one}};
}

TEST(MixtureDensity, IsNormalizedAndItsDrawsAreOfIt) {
  const MixtureDensity law(factors(), {{-20, -20, -20}, {20, 20, 20}});
  constexpr std::size_t n = 20'000;
  HostPoints<double> host("test::draws", n, 3);
  ASSERT_TRUE(law.draw(1, 0, host));
  const Points<double> x("test::points", n, 3), out("test::energies", n, 4);
  Kokkos::deep_copy(x, host);
  law.evaluate(x, out, Wanted::gradient);
  const auto f = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out);
  // E[exp(f) g] is the integral of g, here a normal density of deviation 1/3 about (-2, 3, 0.5), and E[grad f] = 0.
  double sum = 0, squares = 0, gradient[3] = {}, of_gradient[3] = {};
  for (std::size_t i = 0; i < n; ++i) {
    double e = 0;
    const double about[3] = {-2, 3, 0.5};
    for (std::size_t k = 0; k < 3; ++k) {
      e += 4.5 * (host(i, k) - about[k]) * (host(i, k) - about[k]);
      gradient[k] += f(i, k + 1) / n;
      of_gradient[k] += f(i, k + 1) * f(i, k + 1) / n;
    }
    const double g = std::pow(4.5 / std::numbers::pi, 1.5) * std::exp(f(i, 0) - e);
    sum += g / n;
    squares += g * g / n;
  }
  EXPECT_NEAR(sum, 1, 4 * std::sqrt((squares - sum * sum) / n));  // false alarm 6e-5
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(gradient[k], 0, 4 * std::sqrt(of_gradient[k] / n));
}

TEST(MixtureDensity, GradientIsThatOfTheEnergy) {
  const MixtureDensity law(factors(), {{-20, -20, -20}, {20, 20, 20}});
  constexpr double h = 1e-5;
  const Points<double> x("test::points", 7, 3), out("test::energies", 7, 4);
  const auto host = Kokkos::create_mirror_view(x);
  for (std::size_t i = 0; i < 7; ++i)
    for (std::size_t k = 0; k < 3; ++k)
      host(i, k) = 0.3 + 0.1 * static_cast<double>(k) + (i > 0 && (i - 1) / 2 == k ? (i % 2 == 1 ? h : -h) : 0);
  Kokkos::deep_copy(x, host);
  law.evaluate(x, out, Wanted::gradient);
  const auto f = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out);
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(f(0, k + 1), (f(2 * k + 1, 0) - f(2 * k + 2, 0)) / (2 * h), 1e-8);
}

}  // namespace
}  // namespace boltzcurve

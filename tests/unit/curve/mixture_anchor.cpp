#include "curve/mixture_anchor.hpp"

#include <boltzcurve/counter_rng.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

namespace boltzcurve {
namespace {

constexpr std::size_t D = 4;
const std::vector<double> latent_mean = {0.1, -0.2, 0, 0.3};

FlowParameters flow() {
  FlowParameters flow;
  flow.dimension = D;
  flow.latent_scale = 1.3;
  return flow;
}

/// Axes by rotations in two planes.
std::vector<double> rotation(double a, double b) {
  std::vector<double> axes(D * D, 0.0);
  axes[0] = axes[D + 1] = std::cos(a);
  axes[1] = std::sin(a);
  axes[D] = -axes[1];
  axes[2 * D + 2] = axes[3 * D + 3] = std::cos(b);
  axes[2 * D + 3] = std::sin(b);
  axes[3 * D + 2] = -axes[2 * D + 3];
  return axes;
}

NormalMixture mixture(std::size_t components) {
  NormalMixture mixture;
  const std::vector<double> weights = {0.5, 0.3, 0.2};
  for (std::size_t k = 0; k < components; ++k) {
    const double shift = static_cast<double>(k);
    mixture.weight.push_back(components == 1 ? 1 : weights[k]);
    for (std::size_t i = 0; i < D; ++i) {
      mixture.mean.push_back(0.3 * shift * (i % 2 == 0 ? 1 : -1) + 0.1);
      mixture.variance.push_back(0.05 + 0.2 * static_cast<double>(i) + 0.3 * shift);
    }
    const auto axes = rotation(0.3 + shift, 1.1 - shift);
    mixture.axes.insert(mixture.axes.end(), axes.begin(), axes.end());
  }
  return mixture;
}

/// -log density of the mixture after time t of the diffusion, by its definition.
double energy_at(const NormalMixture& law, double t, const std::vector<double>& x) {
  const double variance = flow().latent_scale * flow().latent_scale, alpha = std::exp(-t / variance), s2 = variance * (1 - alpha * alpha);
  double sum = 0;
  for (std::size_t k = 0; k < law.components(); ++k) {
    double e = 0;
    for (std::size_t j = 0; j < D; ++j) {
      double p = 0;
      for (std::size_t i = 0; i < D; ++i)
        p += law.axes[(k * D + j) * D + i] * (x[i] - latent_mean[i] - alpha * (law.mean[k * D + i] - latent_mean[i]));
      const double v = alpha * alpha * law.variance[k * D + j] + s2;
      e += 0.5 * p * p / v + 0.5 * std::log(2 * std::numbers::pi * v);
    }
    sum += law.weight[k] * std::exp(-e);
  }
  return -std::log(sum);
}

/// As a law of all coordinates.
std::vector<MixtureFactor> factor(const NormalMixture& law) { return {{{0, 1, 2, 3}, law}}; }

struct Row {
  double rate;
  std::vector<double> gradient;
  double laplacian;
};

/// Of many equal points and one, which must not differ.
template <class Real>
Row row_at(const MixtureAnchor<Real>& anchor, double t, const std::vector<double>& x) {
  constexpr std::size_t n = 21;  // no multiple of any number of lanes
  const PointScalars<Real> time("test::t", n);
  const Points<Real> point("test::x", n, D), rows("test::rows", n, D + 2);
  for (std::size_t i = 0; i < n; ++i) {
    time(i) = static_cast<Real>(t);
    for (std::size_t k = 0; k < D; ++k) point(i, k) = static_cast<Real>(x[k]);
  }
  anchor.evaluate(time, point, rows);
  for (std::size_t k = 0; k < D + 2; ++k) EXPECT_EQ(rows(0, k), rows(n - 1, k));
  Row row{rows(0, 0), {}, rows(0, D + 1)};
  for (std::size_t k = 1; k <= D; ++k) row.gradient.push_back(rows(0, k));
  return row;
}

const std::vector<double> somewhere = {0.4, -0.3, 0.9, -0.6};

TEST(MixtureAnchor, DerivativesAreThoseOfItsEnergy) {
  for (const std::size_t components : {1, 2, 3})
    for (const double t : {0.02, 0.3, 1.7}) {
      const auto law = mixture(components);
      const auto row = row_at(MixtureAnchor<double>(flow(), factor(law), latent_mean), t, somewhere);
      constexpr double h = 1e-4;
      EXPECT_NEAR(row.rate, (energy_at(law, t + h, somewhere) - energy_at(law, t - h, somewhere)) / (2 * h), 1e-5);
      double laplacian = 0;
      for (std::size_t k = 0; k < D; ++k) {
        auto up = somewhere, down = somewhere;
        up[k] += h;
        down[k] -= h;
        const double high = energy_at(law, t, up), low = energy_at(law, t, down);
        EXPECT_NEAR(row.gradient[k], (high - low) / (2 * h), 1e-6);
        laplacian += (high + low - 2 * energy_at(law, t, somewhere)) / (h * h);
      }
      EXPECT_NEAR(row.laplacian, laplacian, 1e-5);
    }
}

// A product of two copies of a law of two coordinates each, in another order: energies add, each with its own derivatives.
TEST(MixtureAnchor, EnergiesOfFactorsAdd) {
  NormalMixture law{{0.7, 0.3}, {0.2, -0.5, 1.1, 0.4}, {0.6, 0.8, -0.8, 0.6, 1, 0, 0, 1}, {0.3, 0.1, 0.2, 0.6}};
  const auto value = [&](double t, const std::vector<double>& x) {
    const double variance = flow().latent_scale * flow().latent_scale, alpha = std::exp(-t / variance), s2 = variance * (1 - alpha * alpha);
    double energy = 0;
    for (const auto& [a, b] : {std::pair<std::size_t, std::size_t>{3, 1}, {0, 2}}) {
      double sum = 0;
      for (std::size_t k = 0; k < 2; ++k) {
        double e = 0;
        for (std::size_t j = 0; j < 2; ++j) {
          const double *axis = &law.axes[(k * 2 + j) * 2], *mean = &law.mean[k * 2];
          const double p = axis[0] * (x[a] - latent_mean[a] - alpha * (mean[0] - latent_mean[a])) +
                           axis[1] * (x[b] - latent_mean[b] - alpha * (mean[1] - latent_mean[b]));
          const double v = alpha * alpha * law.variance[k * 2 + j] + s2;
          e += 0.5 * p * p / v + 0.5 * std::log(2 * std::numbers::pi * v);
        }
        sum += law.weight[k] * std::exp(-e);
      }
      energy -= std::log(sum);
    }
    return energy;
  };
  const std::vector<MixtureFactor> factors = {{{3, 1}, law}, {{0, 2}, law}};
  const double t = 0.4, h = 1e-4;
  const auto row = row_at(MixtureAnchor<double>(flow(), factors, latent_mean), t, somewhere);
  EXPECT_NEAR(row.rate, (value(t + h, somewhere) - value(t - h, somewhere)) / (2 * h), 1e-6);
  double laplacian = 0;
  for (std::size_t k = 0; k < D; ++k) {
    auto up = somewhere, down = somewhere;
    up[k] += h;
    down[k] -= h;
    EXPECT_NEAR(row.gradient[k], (value(t, up) - value(t, down)) / (2 * h), 1e-6);
    laplacian += (value(t, up) + value(t, down) - 2 * value(t, somewhere)) / (h * h);
  }
  EXPECT_NEAR(row.laplacian, laplacian, 1e-5);
}

TEST(MixtureAnchor, FloatAgreesWithDouble) {
  const auto law = mixture(3);
  const auto exact = row_at(MixtureAnchor<double>(flow(), factor(law), latent_mean), 0.3, somewhere);
  const auto rounded = row_at(MixtureAnchor<float>(flow(), factor(law), latent_mean), 0.3, somewhere);
  EXPECT_NEAR(rounded.rate, exact.rate, 1e-4);
  EXPECT_NEAR(rounded.laplacian, exact.laplacian, 1e-4);
  for (std::size_t k = 0; k < D; ++k) EXPECT_NEAR(rounded.gradient[k], exact.gradient[k], 1e-5);
}

/// Points of a normal law of the target after time t, with what matching is given of them.
struct Draws {
  PointScalars<double> t;
  Points<double> x, noise, slope, goal;
  PointScalars<double> spread;

  explicit Draws(std::size_t n)
      : t("test::t", n), x("test::x", n, D), noise("test::n", n, D), slope("test::s", n, D), goal("test::g", n, D), spread("test::w", n) {}
};

Draws draw(const NormalMixture& law, std::size_t n, double t) {
  Draws draws(n);
  const double variance = flow().latent_scale * flow().latent_scale, alpha = std::exp(-t / variance);
  const MixtureAnchor<double> target(flow(), factor(law), latent_mean);
  const Points<double> x0("test::x0", n, D), rows("test::rows", n, D + 2);
  const PointScalars<double> zero("test::zero", n);
  for (std::size_t i = 0; i < n; ++i) {
    CounterRng rng(5, RandomStream::test, 0, i);
    std::size_t k = 0;
    for (double u = rng.uniform(); k + 1 < law.components() && (u -= law.weight[k]) > 0;) ++k;
    std::vector<double> p;
    for (std::size_t j = 0; j < D; ++j) p.push_back(std::sqrt(law.variance[k * D + j]) * rng.normal());
    draws.t(i) = t;
    for (std::size_t d = 0; d < D; ++d) {
      double sum = law.mean[k * D + d];
      for (std::size_t j = 0; j < D; ++j) sum += law.axes[(k * D + j) * D + d] * p[j];
      x0(i, d) = sum;
      draws.noise(i, d) = std::sqrt(variance * (1 - alpha * alpha)) * rng.normal();
      draws.x(i, d) = latent_mean[d] + alpha * (sum - latent_mean[d]) + draws.noise(i, d);
    }
  }
  target.evaluate(zero, x0, rows);  // at t = 0 the gradient of the target's energy
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t d = 0; d < D; ++d) draws.slope(i, d) = rows(i, d + 1);
  return draws;
}

TEST(MixtureAnchor, GoalsOfANormalLawAreExact) {
  const auto law = mixture(1);
  const MixtureAnchor<double> anchor(flow(), factor(law), latent_mean);
  for (const double t : {0.01, 0.5, 3.0}) {
    const auto draws = draw(law, 40, t);
    anchor.combine(draws.t, draws.x, draws.noise, draws.slope, draws.goal, draws.spread);
    const Points<double> rows("test::rows", 40, D + 2);
    anchor.evaluate(draws.t, draws.x, rows);
    for (std::size_t i = 0; i < 40; ++i)
      for (std::size_t d = 0; d < D; ++d) EXPECT_NEAR(draws.goal(i, d), rows(i, d + 1), 1e-10 * (1 + std::fabs(rows(i, d + 1))));
    double sharpness = 0;
    const double variance = flow().latent_scale * flow().latent_scale, alpha = std::exp(-t / variance);
    for (std::size_t j = 0; j < D; ++j) sharpness += 1 / (alpha * alpha * law.variance[j] + variance * (1 - alpha * alpha)) / D;
    EXPECT_NEAR(draws.spread(7), 1 / sharpness, 1e-12);
  }
}

// Against any function of x_t the error of a goal has mean 0, whatever mixture combines the estimates: 4 functions by 4 coordinates for
// each of three anchors and two times, 96 z-scores; |z| > 4.5 in any of them has a probability below 7e-4.
TEST(MixtureAnchor, GoalsHaveTheRightMeanForAnyAnchor) {
  const auto law = mixture(3);
  constexpr std::size_t n = 40000;
  const std::vector<std::function<double(const Points<double>&, std::size_t)>> functions = {
      [](const auto&, std::size_t) { return 1.0; }, [](const auto& x, std::size_t i) { return x(i, 0); },
      [](const auto& x, std::size_t i) { return std::sin(2 * x(i, 1) + x(i, 2)); },
      [](const auto& x, std::size_t i) { return std::exp(-x(i, 3) * x(i, 3)); }};
  for (const double t : {0.1, 0.8}) {
    const auto draws = draw(law, n, t);
    const Points<double> exact("test::exact", n, D + 2);
    MixtureAnchor<double>(flow(), factor(law), latent_mean).evaluate(draws.t, draws.x, exact);
    for (const std::size_t components : {1, 2, 3}) {
      MixtureAnchor<double>(flow(), factor(mixture(components)), latent_mean)
          .combine(draws.t, draws.x, draws.noise, draws.slope, draws.goal, draws.spread);
      for (const auto& function : functions)
        for (std::size_t d = 0; d < D; ++d) {
          double sum = 0, squares = 0;
          for (std::size_t i = 0; i < n; ++i) {
            const double term = (draws.goal(i, d) - exact(i, d + 1)) * function(draws.x, i);
            sum += term;
            squares += term * term;
          }
          EXPECT_LT(std::fabs(sum) / std::sqrt(squares), 4.5) << components << " " << t << " " << d;
        }
    }
  }
}

}  // namespace
}  // namespace boltzcurve

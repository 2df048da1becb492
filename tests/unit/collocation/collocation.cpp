#include <boltzcurve/collocation/collocation.hpp>
#include <boltzcurve/energy/registry.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

namespace boltzcurve {
namespace {

constexpr std::int64_t count = 40000;

std::unique_ptr<Energy> latent(double mean, double scale) {
  const auto& entry = find_latent("gaussian");
  return entry.make(
      Parameters("latent", "gaussian", entry.parameters, {{"mean", {std::to_string(mean)}}, {"scale", {std::to_string(scale)}}}), 2);
}

CollocationLaw law(CollocationKind kind) {
  CollocationLaw result;
  result.kind = kind;
  result.horizon = 3;
  result.time_power = 2;
  result.latent_share = 0.25;
  result.lower = {-2, 1};
  result.upper = {4, 2};
  result.latent_mean = {0.5, 0.5};
  result.latent_scale = 1.5;
  return result;
}

struct Drawn {
  HostScalars<double> t{"test::t", count};
  HostPoints<double> x{"test::x", count, 2};
};

Drawn draw(const CollocationLaw& from, std::int64_t step = 7) {
  Drawn points;
  draw_collocation_points<double>(from, *latent(0.5, 1.5), 3, step, count, 0, points.t, points.x);
  return points;
}

/// Mean and variance of value(i) over all points for which pick(i).
template <class Value, class Pick>
std::pair<double, double> moments(const Value& value, const Pick& pick) {
  double n = 0, sum = 0, squares = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!pick(i)) continue;
    n += 1;
    sum += value(i);
    squares += value(i) * value(i);
  }
  return {sum / n, squares / n - sum * sum / n / n};
}

const auto all = [](std::size_t) { return true; };

// Bounds are five standard errors of the mean of `count` draws: a false alarm in 2 million.
TEST(Collocation, TimesFollowTheirPowerOfAUniformNumber) {
  for (const double power : {1.0, 2.0}) {
    auto from = law(CollocationKind::uniform);
    from.time_power = power;
    const auto points = draw(from);
    // u = (t/T)^(1/power) is uniform: mean 1/2, variance 1/12; the variance of (u - 1/2)^2 is 1/180.
    const auto [mean, variance] = moments([&](std::size_t i) { return std::pow(points.t(i) / 3, 1 / power); }, all);
    EXPECT_NEAR(mean, 0.5, 5 * std::sqrt(1.0 / 12 / count));
    EXPECT_NEAR(variance, 1.0 / 12, 5 * std::sqrt(1.0 / 180 / count));
  }
}

TEST(Collocation, UniformPointsFillTheBoxAndStayInIt) {
  const auto points = draw(law(CollocationKind::uniform));
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_TRUE(points.x(i, 0) > -2 && points.x(i, 0) < 4);
    ASSERT_TRUE(points.x(i, 1) > 1 && points.x(i, 1) < 2);
  }
  EXPECT_NEAR(moments([&](std::size_t i) { return points.x(i, 0); }, all).first, 1, 5 * std::sqrt(36.0 / 12 / count));
  EXPECT_NEAR(moments([&](std::size_t i) { return points.x(i, 1); }, all).first, 1.5, 5 * std::sqrt(1.0 / 12 / count));
}

TEST(Collocation, LatentPointsHaveTheLatentMoments) {
  const auto points = draw(law(CollocationKind::latent));
  const auto [mean, variance] = moments([&](std::size_t i) { return points.x(i, 0); }, all);
  EXPECT_NEAR(mean, 0.5, 5 * 1.5 / std::sqrt(count));
  EXPECT_NEAR(variance, 2.25, 5 * 2.25 * std::sqrt(2.0 / count));
}

TEST(Collocation, AMixtureHasItsShareOfLatentPoints) {
  const auto points = draw(law(CollocationKind::mixture));
  // A latent point lies in the second interval [1, 2] of the box with probability P(1/3 < z < 1) = 0.21083.
  const double inside = 0.2108277;
  std::size_t outside = 0;
  for (std::size_t i = 0; i < count; ++i) outside += points.x(i, 1) < 1 || points.x(i, 1) > 2;
  EXPECT_NEAR(static_cast<double>(outside), 0.25 * count * (1 - inside), 5 * std::sqrt(0.25 * count * inside * (1 - inside)));
}

// Given t, x = m + a (y - m) + sqrt(1-a^2) sigma e: mean m + a (E y - m), variance a^2 var y + (1-a^2) sigma^2. Standardised, all points
// have mean 0 and variance 1; the fourth moment of such a sum is at most 3, so var(z^2) <= 2.
TEST(Collocation, BridgePointsAreTheBoxAfterTheirTimeOfDiffusion) {
  const auto points = draw(law(CollocationKind::ou_bridge));
  const auto standardised = [&](std::size_t i) {
    const double a = std::exp(-points.t(i) / 2.25);
    return (points.x(i, 0) - (0.5 + a * (1 - 0.5))) / std::sqrt(a * a * 3 + (1 - a * a) * 2.25);
  };
  for (const auto& [from, to] : {std::pair(0.0, 0.3), std::pair(0.3, 3.0)}) {
    const auto pick = [&](std::size_t i) { return points.t(i) >= from && points.t(i) < to; };
    const auto [mean, variance] = moments(standardised, pick);
    const double n = moments([&](std::size_t i) { return pick(i) ? 1.0 : 0.0; }, all).first * count;
    EXPECT_NEAR(mean, 0, 5 / std::sqrt(n));
    EXPECT_NEAR(variance, 1, 5 * std::sqrt(2 / n));
  }
}

TEST(Collocation, APointIsAFunctionOfSeedStepAndGlobalIndexOnly) {
  for (const auto kind : {CollocationKind::uniform, CollocationKind::latent, CollocationKind::mixture, CollocationKind::ou_bridge}) {
    const auto whole = draw(law(kind));
    HostScalars<double> t("test::t", 100);
    HostPoints<double> x("test::x", 100, 2);
    draw_collocation_points<double>(law(kind), *latent(0.5, 1.5), 3, 7, count, 1234, t, x);
    for (std::size_t i = 0; i < 100; ++i) {
      EXPECT_EQ(t(i), whole.t(1234 + i));
      EXPECT_EQ(x(i, 0), whole.x(1234 + i, 0));
      EXPECT_EQ(x(i, 1), whole.x(1234 + i, 1));
    }
    const auto next = draw(law(kind), 8);
    EXPECT_NE(next.t(0), whole.t(0));
    EXPECT_NE(next.x(0, 0), whole.x(0, 0));
  }
}

}  // namespace
}  // namespace boltzcurve

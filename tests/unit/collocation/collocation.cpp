#include "collocation/collocation.hpp"
#include <boltzcurve/registry.hpp>
#include "curve/gradient_flow_energies.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace boltzcurve {
namespace {

constexpr std::int64_t count = 40000;

std::unique_ptr<Energy> latent(double mean, double scale) {
  return make_latent("gaussian", 2, {{"mean", {std::to_string(mean)}}, {"scale", {std::to_string(scale)}}});
}

std::unique_ptr<Curve> curve() {
  GradientFlow result;
  result.dimension = 2;
  result.horizon = 3;
  result.clock = CurveClock::linear;
  result.latent_scale = 1.5;
  return make_curve(result, {}, CurveAnchor::standard(2));
}

const CollocationRegion region = {{{-2, 1}, {4, 2}}, {{-20, -20}, {20, 20}}};

CollocationSettings law(std::vector<CollocationShare> shares) {
  CollocationSettings result;
  result.shares = std::move(shares);
  result.points = count;
  result.time_power = 2;
  return result;
}

CollocationSettings law(CollocationKind kind) { return law({{kind, 1}}); }

/// Away from the latent end: x = 0.5 at all times would be too simple, so the velocity depends on place and time.
void outward_flow(PointScalars<const double> t, Points<const double> x, Points<double> velocity) {
  for (std::size_t i = 0; i < t.extent(0); ++i)
    for (std::size_t k = 0; k < x.extent(1); ++k) velocity(i, k) = -0.3 * x(i, k) - 0.1 * t(i);
}

struct Drawn {
  HostScalars<double> t{"test::t", count};
  HostPoints<double> x{"test::x", count, 2};
};

std::unique_ptr<Energy> target() { return make_target("gaussian-mixture", {{"preset", {"two"}}}); }

Drawn draw(const CollocationSettings& from, std::int64_t step = 7, const TimeBins& bins = {}) {
  Drawn points;
  const auto of_latent = latent(0.5, 1.5), of_target = target();
  const Communicator self(MPI_COMM_SELF);
  auto chains = std::make_shared<MalaChains>(self, MalaChains::Settings{{{-6, -6}, {6, 6}}, count}, *of_target);
  const auto along = curve();
  Collocation<double> source(from, region, *along, Shard{0, count}, 3, *of_latent, chains);
  source.prepare(0, outward_flow);
  source.draw(step, 0, points.t, points.x, bins);
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
    // u = (t/T)^(1/power) is uniform, one in each of `count` equal intervals.
    std::vector<double> u;
    for (std::size_t i = 0; i < count; ++i) u.push_back(std::pow(points.t(i) / 3, 1 / power) * count);
    std::sort(u.begin(), u.end());
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(std::floor(u[i]), static_cast<double>(i));
  }
}

// Size 0 in the first half of the clock, 1 in the second: a quarter of all times in the one, three in the other.
TEST(Collocation, TimesByTheResidualAreWhereTheBinsAreLarge) {
  TimeBins bins;
  std::fill(bins.size.begin() + TimeBins::count / 2, bins.size.end(), 1.0);
  for (const auto kind : {CollocationKind::uniform, CollocationKind::trajectory}) {
    auto from = law(kind);
    from.times = TimeDensity::residual;
    const auto points = draw(from, 7, bins);
    const auto late = [&](std::size_t i) { return points.t(i) > 1.5; };
    // Stratified, times of the box have the share to one in `count`; those of paths are random and moved by up to a step of 64.
    EXPECT_NEAR(moments(late, all).first, 0.75, kind == CollocationKind::uniform ? 1.5 / count : 0.015) << name_of(kind);
    EXPECT_NEAR(moments([&](std::size_t i) { return points.t(i); }, late).first, 2.25, 0.02) << name_of(kind);
  }
}

TEST(Collocation, EveryChunkSeesAllTimes) {
  const auto points = draw(law(CollocationKind::uniform));
  for (std::size_t chunk = 0; chunk + 128 <= count; chunk += 128) {
    std::vector<double> u;
    for (std::size_t i = chunk; i < chunk + 128; ++i) u.push_back(std::sqrt(points.t(i) / 3));
    std::sort(u.begin(), u.end());
    // 128 multiples of a golden section leave no gap above 2/128 or so; four times as much stays safe.
    for (std::size_t i = 1; i < 128; ++i) ASSERT_LT(u[i] - u[i - 1], 4.0 / 128) << "chunk at " << chunk;
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

TEST(Collocation, AMixtureHasItsShares) {
  const auto points = draw(law({{CollocationKind::latent, 1}, {CollocationKind::uniform, 3}}));
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

// The same flow by hand: dx/dt = -0.3 x - 0.1 t from t = 3 down, x(t) = c exp(-0.3 t) - (t - 1/0.3)/3.
TEST(Collocation, TrajectoryPointsLieOnPathsOfTheFlow) {
  const auto points = draw(law(CollocationKind::trajectory));
  const auto start = [&](std::size_t i, std::size_t k) {  // where the path through the point was at t = 3
    const auto free = [](double t) { return -(t - 1 / 0.3) / 3; };
    return (points.x(i, k) - free(points.t(i))) * std::exp(-0.3 * (3 - points.t(i))) + free(3);
  };
  // count / 128 chunks of 32 particles each: the draws are 10^4 independent starts, repeated.
  for (const std::size_t k : {std::size_t{0}, std::size_t{1}}) {
    const auto [mean, variance] = moments([&](std::size_t i) { return start(i, k); }, all);
    EXPECT_NEAR(mean, 0.5, 5 * 1.5 / std::sqrt(5000));
    EXPECT_NEAR(variance, 2.25, 5 * 2.25 * std::sqrt(2.0 / 5000));
  }
  const auto [mean, variance] = moments([&](std::size_t i) { return points.t(i) / 3; }, all);
  EXPECT_NEAR(mean, 0.5, 0.01);  // half a step of 64 of a bias is expected
  EXPECT_NEAR(variance, 1.0 / 12, 0.005);
}

/// Largest distance from the path by hand, from x = 0.5 at t = 3, of trajectories that all start there.
double largest_distance_from_path(double acceleration) {
  const auto of_latent = latent(0.5, 1e-6);
  const auto along = curve();
  auto settings = law(CollocationKind::trajectory);
  settings.points = 1024;
  Collocation<double> source(settings, region, *along, Shard{0, 1024}, 3, *of_latent, nullptr);
  source.prepare(0, [&](PointScalars<const double> t, Points<const double> x, Points<double> velocity) {
    for (std::size_t i = 0; i < t.extent(0); ++i)
      for (std::size_t k = 0; k < 2; ++k) velocity(i, k) = -acceleration * x(i, k);
  });
  HostScalars<double> t("test::t", 1024);
  HostPoints<double> x("test::x", 1024, 2);
  source.draw(7, 0, t, x);
  double largest = 0;
  for (std::size_t i = 0; i < 1024; ++i) largest = std::max(largest, std::abs(x(i, 1) - 0.5 * std::exp(acceleration * (3 - t(i)))));
  return largest;
}

// The clock runs from 3 to 0 in 64 steps: of order 2, (5/12) (3 a/64)^2 3 a relative error at the end at most. A rule of order 1 would be
// off by (1/2) (3 a/64) 3 a, thirty times as much at a = 0.3.
TEST(Collocation, TrajectoriesAreOfSecondOrder) {
  for (const double a : {0.3, 0.6, 1.2}) {
    const double step = 3 * a / 64, end = 0.5 * std::exp(3 * a), expected = 5.0 / 12 * step * step * 3 * a * end;
    EXPECT_LT(largest_distance_from_path(a), 1.5 * expected) << a;
    EXPECT_GT(largest_distance_from_path(a), 0.3 * expected) << a;
  }
}

TEST(Collocation, LangevinPointsAreWalkersAfterTheirTimeOfDiffusion) {
  const auto of_latent = latent(0.5, 1.5), of_target = target();
  const Communicator self(MPI_COMM_SELF);
  auto from = law(CollocationKind::langevin);
  from.points = 256;
  from.time_power = 8;  // most points near t = 0, where they are the chains themselves
  auto chains = std::make_shared<MalaChains>(self, MalaChains::Settings{{{-6, -6}, {6, 6}}, 256}, *of_target);
  chains->thermalize(50);
  const auto along = curve();
  Collocation<double> source(from, region, *along, Shard{0, 256}, 3, *of_latent, chains);
  HostScalars<double> t("test::t", 256);
  HostPoints<double> x("test::x", 256, 2);
  source.draw(7, 0, t, x);
  int early = 0;
  for (std::size_t i = 0; i < 256; ++i) {
    if (t(i) > 1e-4) continue;
    ++early;
    double nearest = 1e9;
    for (int layer = 0; layer < chains->layers(); ++layer)
      for (std::int64_t j = 0; j < 256; ++j)
        nearest = std::min(nearest, std::hypot(x(i, 0) - (*chains)(layer, j, 0), x(i, 1) - (*chains)(layer, j, 1)));
    EXPECT_LT(nearest, 6 * std::sqrt(2 * t(i)) + 1e-3);
  }
  EXPECT_GT(early, 50);
}

// From chains that all lie at y = 1, standardised by what a cold bridge has, the points' variance is the mean temperature.
TEST(Collocation, BridgesFromHotWalkersAreAsHot) {
  const auto of_latent = latent(0.5, 1.5), of_target = target();
  const auto along = curve();
  for (const double hottest : {1.0, 9.0}) {
    auto chains =
        std::make_shared<MalaChains>(Communicator(MPI_COMM_SELF), MalaChains::Settings{{{1, 1}, {1, 1}}, count, hottest}, *of_target);
    Collocation<double> source(law(CollocationKind::langevin), region, *along, Shard{0, count}, 3, *of_latent, chains);
    HostScalars<double> t("test::t", count);
    HostPoints<double> x("test::x", count, 2);
    source.draw(7, 0, t, x);
    double temperature = 0, fourth = 0;  // mean of T and of 3 T^2
    for (int i = 0; i < 1000; ++i) {
      const double place = (i + 0.5) / 1000, T = std::pow(hottest, place * place);
      temperature += T / 1000;
      fourth += 3 * T * T / 1000;
    }
    const auto [mean, variance] = moments(
        [&](std::size_t i) {
          const double a = std::exp(-t(i) / 2.25);
          return (x(i, 1) - (0.5 + a * (1 - 0.5))) / (1.5 * std::sqrt(1 - a * a));
        },
        all);
    EXPECT_NEAR(mean, 0, 5 * std::sqrt(temperature / count)) << hottest;
    EXPECT_NEAR(variance, temperature, 5 * std::sqrt((fourth - temperature * temperature) / count)) << hottest;
  }
}

TEST(Collocation, APointIsAFunctionOfSeedStepAndGlobalIndexOnly) {
  const std::vector<CollocationShare> shares = {
      {CollocationKind::uniform, 1}, {CollocationKind::latent, 1}, {CollocationKind::ou_bridge, 1}, {CollocationKind::trajectory, 1}};
  const auto whole = draw(law(shares));
  const auto of_latent = latent(0.5, 1.5);
  // A rank whose shard begins at chunk 8, asked for points from the middle of chunk 9 on.
  const auto along = curve();
  Collocation<double> part(law(shares), region, *along, Shard{8 * 128, 4 * 128}, 3, *of_latent, nullptr);
  part.prepare(0, outward_flow);
  HostScalars<double> t("test::t", 100);
  HostPoints<double> x("test::x", 100, 2);
  part.draw(7, 1234, t, x);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(t(i), whole.t(1234 + i));
    EXPECT_EQ(x(i, 0), whole.x(1234 + i, 0));
    EXPECT_EQ(x(i, 1), whole.x(1234 + i, 1));
  }
  const auto next = draw(law(shares), 8);
  EXPECT_NE(next.t(0), whole.t(0));
  EXPECT_NE(next.x(0, 0), whole.x(0, 0));
}

}  // namespace
}  // namespace boltzcurve

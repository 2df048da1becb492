// The same bits for any number of ranks: every rank also evaluates alone (MPI_COMM_SELF), which is what one rank would get.
#include <boltzcurve/counter_rng.hpp>
#include "app/commands/diagnosis.hpp"
#include "metrics/energy_distance.hpp"
#include "metrics/evaluation.hpp"
#include "metrics/importance.hpp"
#include "metrics/summary.hpp"
#include "ode/dormand_prince.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <support/mixture_flow.hpp>

namespace boltzcurve {
namespace {

constexpr std::int64_t particles = 700, samples = 333;  // neither a multiple of a block of rows nor of 2, 3, 4 ranks

HostPoints<double> normal_points(std::int64_t first, std::int64_t count, std::uint64_t step) {
  HostPoints<double> points("test::points", static_cast<std::size_t>(count), 3);
  for (std::int64_t i = 0; i < count; ++i) {
    CounterRng random(12, RandomStream::test, step, static_cast<std::uint64_t>(first + i));
    for (int d = 0; d < 3; ++d) points(i, d) = random.normal();
  }
  return points;
}

/// This rank's part of the particles.
Particles particles_of(const Communicator& ranks) {
  auto mine = room_for_particles(shard_of(particles, particle_granule, ranks.rank(), ranks.size()), 3);
  const auto position = normal_points(mine.shard.first, mine.shard.count, 1);
  for (std::size_t row = 0; row < mine.size(); ++row) {
    const auto i = mine.id[row];
    double square = 0;
    for (std::size_t d = 0; d < 3; ++d) {
      mine.position[3 * row + d] = position(row, d);
      square += position(row, d) * position(row, d);
    }
    mine.energy[row] = square / 1.9;
    mine.log_density[row] = -square / 2;
    mine.action[row] = std::sqrt(square);
    mine.time[row] = static_cast<double>(i % 50) / 50;
    mine.status[row] = i % 50 == 7 ? ParticleStatus::escaped : ParticleStatus::finished;
    mine.evaluations[row] = 20 + i % 6;
    mine.island[row] = i / 64;
    mine.ancestor[row] = i - i % 4;
  }
  return mine;
}

/// And of the exact samples.
MetricInput input_for(const Communicator& ranks, const Particles& of_rank) {
  MetricInput input(ranks, of_rank);
  const auto& mine = of_rank.shard;
  const auto mine_exact = shard_of(samples, particle_granule, ranks.rank(), ranks.size());
  input.exact = normal_points(mine_exact.first, mine_exact.count, 2);
  input.exact_again = normal_points(mine.first, mine.count, 3);
  for (auto i = mine_exact.first; i < mine_exact.first + mine_exact.count; ++i)
    input.exact_log_weight.push_back(std::sin(static_cast<double>(i)));
  static const PilotSummary pilot = [] {
    PilotSummary summary;
    summary.log_z = 1.5;
    summary.log_z_stderr = 0.01;
    summary.evaluations = 1000;
    summary.mixture = {{0.4, 0.6}, {-1, 0, 0, 1, 0, 0}, {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1}, {1, 1, 1, 1, 2, 1}};
    return summary;
  }();
  static const CurvePopulation population = [] {
    const auto points = normal_points(0, 320, 4);
    CurvePopulation of_normal{3, {}, {}, {}};
    for (std::size_t i = 0; i < 320; ++i) {
      for (std::size_t d = 0; d < 3; ++d) of_normal.position.push_back(points(i, d));
      of_normal.island.push_back(static_cast<double>(i / 32));
    }
    return of_normal;
  }();
  input.pilot = &pilot;
  input.population = &population;
  for (auto i = mine_exact.first; i < mine_exact.first + mine_exact.count; ++i)
    input.population_log_weight.push_back(std::cos(static_cast<double>(i)));
  input.target_values = 2000;
  input.target_gradients = 1000;
  input.log_z = 1.5;
  input.log_z_thermodynamic = 1.25;
  input.entropy = 4;
  input.modes = {{0.5, {-1, 0, 0}}, {0.5, {1, 0, 0}}};
  input.seconds_train = 1;
  input.seconds_sample = 1;
  return input;
}

TEST(MetricsOnRanks, GatheredPointsAreInGlobalOrderOnEveryRank) {
  const Communicator world(MPI_COMM_WORLD);
  const auto mine = shard_of(particles, 64, world.rank(), world.size());
  const auto all = gather_points(world, normal_points(mine.first, mine.count, 1)), expected = normal_points(0, particles, 1);
  ASSERT_EQ(all.extent(0), expected.extent(0));
  for (std::size_t i = 0; i < all.extent(0); ++i)
    for (std::size_t d = 0; d < 3; ++d) ASSERT_EQ(all(i, d), expected(i, d));
}

TEST(MetricsOnRanks, GatheringTheFirstPointsStopsWhereverTheyLie) {
  const Communicator world(MPI_COMM_WORLD);
  const auto mine = shard_of(particles, 64, world.rank(), world.size());
  for (const std::int64_t at_most : {0, 1, 64, 200, 351, 699, 700, 701}) {
    const auto all = gather_points(world, normal_points(mine.first, mine.count, 1), at_most);
    const auto expected = normal_points(0, std::min(at_most, particles), 1);
    ASSERT_EQ(all.extent(0), expected.extent(0)) << at_most;
    for (std::size_t i = 0; i < all.extent(0); ++i)
      for (std::size_t d = 0; d < 3; ++d) ASSERT_EQ(all(i, d), expected(i, d));
  }
}

TEST(MetricsOnRanks, AllMetricsAreTheSameBitsAsOnOneRank) {
  const Communicator world(MPI_COMM_WORLD), self(MPI_COMM_SELF);
  const auto mine = particles_of(world), all = particles_of(self);
  auto on_all = input_for(world, mine), on_one = input_for(self, all);
  on_all.distance_points = on_one.distance_points = 500;  // fewer than there are, more than a rank's of four
  const auto shared = evaluate_metrics(on_all), alone = evaluate_metrics(on_one);
  ASSERT_EQ(shared.size(), alone.size());
  for (std::size_t k = 0; k < shared.size(); ++k) {
    ASSERT_TRUE(shared[k].value && alone[k].value) << shared[k].entry->key;
    if (shared[k].entry->key == "ranks") {
      EXPECT_EQ(*shared[k].value, world.size());
    } else {
      EXPECT_EQ(*shared[k].value, *alone[k].value) << shared[k].entry->key;
      EXPECT_EQ(shared[k].standard_error, alone[k].standard_error) << shared[k].entry->key;
    }
  }
}

TEST(MetricsOnRanks, SummariesOfParametersAreTheSameBitsAsOnOneRank) {
  const Communicator world(MPI_COMM_WORLD), self(MPI_COMM_SELF);
  const auto mine = particles_of(world), all = particles_of(self);
  const auto shared = summarize(world, log_weights(mine), mine.position, 3), alone = summarize(self, log_weights(all), all.position, 3);
  ASSERT_EQ(shared.size(), 3U);
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_EQ(shared[k].mean, alone[k].mean);
    EXPECT_EQ(shared[k].deviation, alone[k].deviation);
    EXPECT_EQ(shared[k].standard_error, alone[k].standard_error);
    EXPECT_EQ(shared[k].quantiles, alone[k].quantiles);
    EXPECT_LT(shared[k].quantiles[0], shared[k].quantiles[1]);
  }
}

// Particle 7, which is on the first rank of any number, is the first of fourteen that failed; the modes at -1 and 1 have their particles,
// one at 9 has none; the action is far above E|x|^2 + 3.
TEST(MetricsOnRanks, DiagnosisIsTheSameAsOnOneRank) {
  const Communicator world(MPI_COMM_WORLD), self(MPI_COMM_SELF);
  CurveInput of_curve;
  of_curve.curve.name = CurveName::learned;
  of_curve.ends.dimension = 3;
  of_curve.ends.latent_mean = {0, 0, 0};
  of_curve.ends.latent_deviation = {1, 1, 1};
  of_curve.ends.pilot.mean = {0, 0, 0};
  of_curve.ends.pilot.deviation = {1, 1, 1};
  const auto curve = make_curve(of_curve);
  const auto diagnosis = [&](const Communicator& ranks) {
    auto mine = particles_of(ranks);
    for (double& action : mine.action) action *= 100;
    auto input = input_for(ranks, mine);
    for (std::size_t i = 0; i < input.exact_log_weight.size(); ++i)
      if (input.exact(i, 0) > 2) input.exact_log_weight[i] = std::nan("");  // of 333 normal points about 8
    input.exact_again = {};                                                 // none of them is at the third mode
    input.modes = {{0.4, {-1, 0, 0}}, {0.4, {1, 0, 0}}, {0.2, {9, 0, 0}}};
    const auto evaluation = evaluate_metrics(input);
    return diagnose({input, evaluation, CurveName::learned, *curve, {}, {{0, 0, 0}, {1, 1, 1}}, 1, {}});
  };
  const auto shared = diagnosis(world), alone = diagnosis(self);
  EXPECT_EQ(shared, alone);
  using testing::HasSubstr;
  EXPECT_THAT(alone.texts,
              testing::ElementsAre(HasSubstr("14 of 700 particles failed (escaped 14), between t = 0.14 and 0.14; the first, number 7,"),
                                   HasSubstr(" of 333 exact samples of the target do not come back"), HasSubstr("1 of 3 modes"),
                                   HasSubstr("the velocity explodes"), HasSubstr("disagree with the pilot's population"),
                                   HasSubstr("disagree with what is known of the target")));
}

TEST(MetricsOnRanks, MoreRanksThanWorkIsFine) {
  const Communicator world(MPI_COMM_WORLD), self(MPI_COMM_SELF);
  const auto x = normal_points(0, 2, 1), y = normal_points(0, 1, 2);
  EXPECT_EQ(sum_of_distances(world, x, y), sum_of_distances(self, x, y));
  EXPECT_EQ(sum_of_distances(world, y), 0);
  EXPECT_EQ(gather_points(world, HostPoints<double>("test::none", 0, 3)).extent(0), 0u);
}

// A rank integrates its own shard in blocks of its own; together they are what one rank gets.
TEST(MetricsOnRanks, PathsOfParticlesAreTheSameBitsAsOnOneRank) {
  const Communicator world(MPI_COMM_WORLD);
  const auto flow = test::correlated_flow(3);
  const test::MixtureVelocity field(flow);
  const auto end_of = [&](std::int64_t first, std::int64_t count, int block) {
    Points<double> start("test::start", static_cast<std::size_t>(count), 3);
    Kokkos::deep_copy(start, normal_points(first, count, 1));
    IntegrationOptions options;
    options.block = block;
    const auto out = integrate(field, 2, 0, start, PointScalars<double>("test::log_q", static_cast<std::size_t>(count)), options);
    return Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out.position);
  };
  const auto mine = shard_of(particles, 64, world.rank(), world.size());
  const auto together = gather_points(world, end_of(mine.first, mine.count, 50 + world.rank()));
  const auto alone = end_of(0, particles, 4096);
  for (std::size_t i = 0; i < alone.extent(0); ++i)
    for (std::size_t d = 0; d < 3; ++d) ASSERT_EQ(together(i, d), alone(i, d)) << i;
}

}  // namespace
}  // namespace boltzcurve

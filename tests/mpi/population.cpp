// The same bits for any number of ranks: every rank also runs alone (MPI_COMM_SELF), which is what one rank would get.
#include "pilot/population.hpp"
#include <boltzcurve/registry.hpp>

#include <gtest/gtest.h>

namespace boltzcurve {
namespace {

void expect_same(const Population& a, const Population& b) {
  EXPECT_EQ(a.position, b.position);
  EXPECT_EQ(a.gradient, b.gradient);
  EXPECT_EQ(a.energy, b.energy);
  EXPECT_EQ(a.island, b.island);
  EXPECT_EQ(a.log_z, b.log_z);
  EXPECT_EQ(a.log_z_stderr, b.log_z_stderr);
  EXPECT_EQ(a.island_log_z, b.island_log_z);
  EXPECT_EQ(a.run_log_z, b.run_log_z);
  EXPECT_EQ(a.temper, b.temper);
  EXPECT_EQ(a.acceptance, b.acceptance);
  EXPECT_EQ(a.moves, b.moves);
  EXPECT_EQ(a.evaluations, b.evaluations);
  EXPECT_EQ(a.disagreement, b.disagreement);
  EXPECT_EQ(a.metric, b.metric);
  EXPECT_EQ(a.step, b.step);
  EXPECT_EQ(a.leaps, b.leaps);
}

// Islands that are no multiple of a vector's length, the last one short: neither they nor the ranks' parts begin at whole vectors.
TEST(PopulationOnRanks, HasTheSameBits) {
  const Communicator world(MPI_COMM_WORLD), self(MPI_COMM_SELF);
  const auto target = make_target("many-well", {{"dimension", {"4"}}});
  PopulationSettings settings;
  settings.particles = 500;
  settings.island = 45;
  settings.runs = 2;
  auto together = run_population(world, *target, settings), alone = run_population(self, *target, settings);
  EXPECT_EQ(alone.energy.size(), 500u);
  EXPECT_EQ(alone.island_log_z.size(), 12u);
  expect_same(together, alone);
  move_population(world, *target, together, 3, 1, 7);
  move_population(self, *target, alone, 3, 1, 7);
  expect_same(together, alone);
}

}  // namespace
}  // namespace boltzcurve

// A pilot run by a population and training by matching give the same bits on any number of ranks: every rank also works alone
// (MPI_COMM_SELF), which is what one rank would get.
#include <boltzcurve/model.hpp>
#include "pilot/pilot_run.hpp"
#include "training/matching_loss.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

namespace boltzcurve {
namespace {

Communicator world() { return Communicator(MPI_COMM_WORLD); }
Communicator self() { return Communicator(MPI_COMM_SELF); }

ModelSettings funnel(std::int64_t points) {
  ModelSettings settings;
  settings.target_name = "funnel";
  settings.target_values = {{"dimension", {"3"}}};
  settings.network.width = 24;
  settings.network.hidden_layers = 2;
  settings.collocation.points = points;
  settings.pilot.particles = 1200;  // two islands, and a smaller one
  return settings;
}

std::unique_ptr<BatchLoss> loss_of(const Communicator& ranks, const Model& model, Precision precision) {
  BatchLossSettings settings;
  settings.curve = model.curve;
  settings.collocation = model.settings.collocation;
  settings.seed = model.settings.seed;
  settings.population = model.pilot->population;
  return make_matching_loss(precision, ranks, settings, model.curve_target(), *model.latent);
}

std::vector<double> parameters_at(const Model& model, std::int64_t step) {
  auto values = model.parameters;
  for (double& value : values) value *= 1 + 0.1 * static_cast<double>(step);
  return values;
}

TEST(PopulationPilotOnRanks, HasTheSameBitsAsAlone) {
  const auto together = build_model(world(), funnel(256)), alone = build_model(self(), funnel(256));
  EXPECT_EQ(together.pilot->population->position, alone.pilot->population->position);
  EXPECT_EQ(together.pilot->population->gradient, alone.pilot->population->gradient);
  auto summary = together.pilot->summary, right = alone.pilot->summary;
  EXPECT_TRUE(std::isnan(summary.disagreement) && std::isnan(right.disagreement)) << "of three islands there is none";
  summary.disagreement = right.disagreement = summary.seconds = right.seconds = 0;
  EXPECT_EQ(summary, right);
  EXPECT_TRUE(right.coordinates.is_whitening());
  EXPECT_GT(right.mixture.components(), 0u);
}

// 100 points: fewer chunks than ranks; 128: one chunk; 1000: a short last chunk; 9000: more than one block on a rank.
TEST(MatchingLossOnRanks, HasTheSameBitsAsAlone) {
  for (const std::int64_t points : {100, 128, 1000, 9000}) {
    const auto model = build_model(self(), funnel(points));
    for (const auto precision : {Precision::single_precision, Precision::double_precision}) {
      const auto together = loss_of(world(), model, precision), alone = loss_of(self(), model, precision);
      for (std::int64_t step = 0; step < 2; ++step) {
        SCOPED_TRACE(points);
        const auto shared = together->evaluate(parameters_at(model, step), step),
                   single = alone->evaluate(parameters_at(model, step), step);
        ASSERT_TRUE(shared.finite && single.finite);
        EXPECT_EQ(shared.loss, single.loss);
        EXPECT_EQ(shared.gradient, single.gradient);
        const auto worst = together->worst_point(parameters_at(model, step), step),
                   worst_alone = alone->worst_point(parameters_at(model, step), step);
        EXPECT_EQ(worst.index, worst_alone.index);
        EXPECT_EQ(worst.t, worst_alone.t);
        EXPECT_EQ(worst.residual, worst_alone.residual);
        EXPECT_EQ(worst.x, worst_alone.x);
      }
      EXPECT_EQ(together->state().sum_exponents, alone->state().sum_exponents);
    }
  }
}

TEST(MatchingLossOnRanks, GoesOnFromAStateWithTheSameBits) {
  const auto model = build_model(world(), funnel(1000));
  const auto alone = loss_of(self(), model, Precision::single_precision), together = loss_of(world(), model, Precision::single_precision);
  for (std::int64_t step = 0; step <= 2; ++step) {
    alone->evaluate(parameters_at(model, step), step);
    together->evaluate(parameters_at(model, step), step);
  }
  const auto state = alone->state(), shared = together->state();
  EXPECT_EQ(shared.collocation, world().is_root() ? state.collocation : std::vector<NamedArray>());

  const auto known = build_model(world(), funnel(1000), model.pilot->summary);
  const auto resumed = loss_of(world(), known, Precision::single_precision);
  resumed->restore(state);  // every rank has all of it
  const auto right = alone->evaluate(parameters_at(model, 3), 3), found = resumed->evaluate(parameters_at(model, 3), 3);
  EXPECT_EQ(found.loss, right.loss);
  EXPECT_EQ(found.gradient, right.gradient);
}

}  // namespace
}  // namespace boltzcurve

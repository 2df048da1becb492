#include "io/training_checkpoint.hpp"
#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "unit/io/example_provenance.hpp"
#include "unit/io/scratch_folder.hpp"

namespace boltzcurve {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const PilotSummary pilot{0.3, -2, {1, -1}, {0.5, 2}, {}, {}, {}};

CurveNetworks small_networks() { return {{{"psi", {3, 8, 2}}, {"normalizer", {1, 4, 1}}}, {0, 0, 0}, {1, 1, 1}}; }

std::unique_ptr<Optimizer> optimizer_of(OptimizerName name, const CurveNetworks& networks) {
  return make_optimizer({.name = name, .precondition_every = 3}, networks.tensors());
}

/// Updates number [begin, end) along gradients that depend on their number only.
void update(TrainingState& state, const Optimizer& optimizer, std::uint64_t begin, std::uint64_t end) {
  for (auto n = begin; n < end; ++n) {
    std::vector<double> gradient(state.parameters.size());
    CounterRng rng(1, RandomStream::test, n, 0);
    for (double& entry : gradient) entry = rng.normal();
    optimizer.update(state.optimizer, state.parameters, gradient, 1e-2);
    update_average(state.average, state.parameters, 0.9, state.optimizer.updates);
    ++state.step;
  }
}

TEST(TrainingState, OfEveryOptimizerSurvivesTheFileAndGoesOnWithTheSameBits) {
  const auto networks = small_networks();
  for (const auto& choice : choices<OptimizerName>) {
    SCOPED_TRACE(choice.name);
    const testing::ScratchFolder folder;
    const auto optimizer = optimizer_of(choice.value, networks);
    TrainingState state = initial_training_state(networks.initial_parameters(1), *optimizer, pilot);
    state.loss.sum_exponents = {3, 1, 4};
    state.loss.time_bins.size[3] = 0.25;
    state.loss.time_bins.level[31] = -7.5;
    state.loss.time_bins.seen[0] = 12;
    state.window = {0.125, 3.5, 6, 7};
    state.left_out_points = 5;
    state.loss.collocation = {{"walkers/position", 2, 3, {1, 2, 3, 4, 5, 6}}, {"anything/else", 1, 1, {-0.5}}};
    update(state, *optimizer, 0, 7);
    write_checkpoint(folder / "checkpoint.h5", to_checkpoint(state, networks, testing::example_provenance()));
    TrainingState read = from_checkpoint(read_checkpoint(folder / "checkpoint.h5"), networks, *optimizer);
    EXPECT_EQ(read, state);
    update(state, *optimizer, 7, 20);
    update(read, *optimizer, 7, 20);
    EXPECT_EQ(read, state);
  }
}

TEST(TrainingState, OfAnotherOptimizerIsRefusedByTheNameOfWhatIsMissing) {
  const auto networks = small_networks();
  const auto adam = optimizer_of(OptimizerName::adam, networks), soap = optimizer_of(OptimizerName::soap, networks);
  auto checkpoint =
      to_checkpoint(initial_training_state(networks.initial_parameters(1), *adam, pilot), networks, testing::example_provenance());
  checkpoint.source = "checkpoint.h5";
  EXPECT_THAT([&] { from_checkpoint(checkpoint, networks, *soap); },
              ThrowsMessage<InputError>(
                  ::testing::AllOf(HasSubstr("optimizer/left_factor/psi/layer0/weight in checkpoint.h5"), HasSubstr("is missing"))));
}

// Times are drawn by them: a number that is none would lead out of the clock.
TEST(TrainingState, RefusesTimeBinsThatAreNoNumbersAndDoesWithoutAny) {
  const auto networks = small_networks();
  const auto adam = optimizer_of(OptimizerName::adam, networks);
  auto state = initial_training_state(networks.initial_parameters(1), *adam, pilot);
  const auto read_back = [&] {
    auto checkpoint = to_checkpoint(state, networks, testing::example_provenance());
    checkpoint.source = "checkpoint.h5";
    return from_checkpoint(checkpoint, networks, *adam);
  };
  state.loss.time_bins.size[3] = -1;
  EXPECT_THAT(read_back, ThrowsMessage<InputError>("dataset time_bins/size in checkpoint.h5 should hold finite numbers, none below 0"));
  state.loss.time_bins.size[3] = 0;
  state.loss.time_bins.level[7] = INFINITY;
  EXPECT_THAT(read_back, ThrowsMessage<InputError>("dataset time_bins/level in checkpoint.h5 should hold finite numbers"));
  state.loss.time_bins.level[7] = -1;
  EXPECT_EQ(read_back().loss.time_bins, state.loss.time_bins);

  auto older = to_checkpoint(state, networks, testing::example_provenance());
  std::erase_if(older.datasets, [](const auto& dataset) { return dataset.name.starts_with("time_bins/"); });
  EXPECT_EQ(from_checkpoint(older, networks, *adam).loss.time_bins, TimeBins());
}

/// In the coordinates of a population with a driver, of which two normal laws are known.
PilotSummary of_a_population() {
  auto of = pilot;
  of.coordinates = {{0.5, 1}, {0, 0.25}, {0, 0, 0.5, 0}, {0, 0, -1, 0}, {0, 0, 2, 0}, {1, 0}, {3, -4}, {2, 0, -0.5, 0.125}};
  of.mixture = {{0.25, 0.75}, {1, 2, 3, 4}, {1, 0, 0, 1, 0.6, 0.8, -0.8, 0.6}, {0.5, 0.25, 2, 3}};
  of.factors = {{{1}, {{1}, {0.5}, {1}, {2}}}, {{0}, {{0.4, 0.6}, {1, -1}, {1, 1}, {0.3, 0.2}}}};
  of.log_z = -31.5;
  of.log_z_stderr = 0.125;
  of.disagreement = 1.5;
  of.evaluations = 40000;
  of.seconds = 2.5;
  return of;
}

class PopulationCheckpoint : public ::testing::Test {
 protected:
  Checkpoint checkpoint_of(const PilotSummary& summary) const {
    auto state = initial_training_state(networks.initial_parameters(1), *adam, summary);
    state.loss.collocation = {{"population/position", 3, 2, {1, 2, 3, 4, 5, 6}}, {"population/gradient", 3, 2, {6, 5, 4, 3, 2, 1}}};
    auto checkpoint = to_checkpoint(state, networks, testing::example_provenance());
    checkpoint.source = "checkpoint.h5";
    return checkpoint;
  }
  TrainingState state_of(const Checkpoint& checkpoint) const { return from_checkpoint(checkpoint, networks, *adam); }

  const CurveNetworks networks = small_networks();
  const std::unique_ptr<Optimizer> adam = optimizer_of(OptimizerName::adam, networks);
};

TEST_F(PopulationCheckpoint, SurvivesTheFile) {
  const testing::ScratchFolder folder;
  write_checkpoint(folder / "checkpoint.h5", checkpoint_of(of_a_population()));
  const auto read = read_checkpoint(folder / "checkpoint.h5");
  EXPECT_EQ(pilot_summary_of(read), of_a_population());
  const auto state = state_of(read);
  EXPECT_EQ(state.pilot, of_a_population());
  ASSERT_EQ(state.loss.collocation.size(), 2u);
  EXPECT_EQ(state.loss.collocation[0].name, "population/position");
  EXPECT_EQ(state.loss.collocation[1].values, (std::vector<double>{6, 5, 4, 3, 2, 1}));

  // Without drivers and, of few particles, without a measure of their disagreement.
  auto few = of_a_population();
  few.coordinates = {{}, {}, {}, {}, {}, {}, {3, -4}, {2, 0, -0.5, 0.125}};
  few.disagreement = few.log_z_stderr = std::nan("");
  write_checkpoint(folder / "few.h5", checkpoint_of(few));
  auto summary = pilot_summary_of(read_checkpoint(folder / "few.h5"));
  EXPECT_TRUE(std::isnan(summary.disagreement) && std::isnan(summary.log_z_stderr));
  summary.disagreement = few.disagreement = summary.log_z_stderr = few.log_z_stderr = 0;
  EXPECT_EQ(summary, few);
}

// Nothing is driven but by scales: what versions before places that follow wrote.
TEST_F(PopulationCheckpoint, IsReadWithoutPlacesThatFollow) {
  auto older = of_a_population();
  older.coordinates.linear = older.coordinates.square = older.coordinates.order = {};
  EXPECT_EQ(pilot_summary_of(checkpoint_of(older)), older);
}

// What versions before the population wrote, and what chains leave.
TEST_F(PopulationCheckpoint, OfChainsHasNothingOfAPopulation) {
  const auto chains = checkpoint_of(pilot);
  for (const auto& dataset : chains.datasets)
    EXPECT_FALSE(dataset.name.starts_with("survey/mixture") || dataset.name.starts_with("survey/coordinates")) << dataset.name;
  for (const auto& [name, scalar] : chains.scalars) EXPECT_FALSE(name.starts_with("population")) << name;
  EXPECT_EQ(pilot_summary_of(chains), pilot);
  EXPECT_FALSE(pilot_summary_of(chains).has_population());
}

TEST_F(PopulationCheckpoint, IsRefusedWithoutOneOfItsArrays) {
  for (const std::string name : {"coordinates/center", "coordinates/offset", "coordinates/slope", "coordinates/shift", "coordinates/factor",
                                 "mixture/weight", "mixture/mean", "mixture/axes", "mixture/variance"}) {
    auto checkpoint = checkpoint_of(of_a_population());
    ASSERT_EQ(std::erase_if(checkpoint.datasets, [&](const auto& dataset) { return dataset.name == "survey/" + name; }), 1u);
    EXPECT_THAT([&] { pilot_summary_of(checkpoint); }, ThrowsMessage<InputError>(HasSubstr("survey/" + name))) << name;
  }
}

TEST_F(PopulationCheckpoint, IsRefusedWithNumbersThatAreNone) {
  const auto refused = [&](auto change, const std::string& message) {
    auto summary = of_a_population();
    change(summary);
    EXPECT_THAT([&] { pilot_summary_of(checkpoint_of(summary)); }, ThrowsMessage<InputError>(message));
  };
  refused([](auto& of) { of.mixture.weight[1] = std::nan(""); },
          "dataset survey/mixture/weight in checkpoint.h5 should hold finite numbers, none below 0");
  refused([](auto& of) { of.mixture.weight[1] = -0.5; },
          "dataset survey/mixture/weight in checkpoint.h5 should hold finite numbers, none below 0");
  refused([](auto& of) { of.mixture.mean[3] = INFINITY; }, "dataset survey/mixture/mean in checkpoint.h5 should hold finite numbers");
  refused([](auto& of) { of.mixture.axes[0] = INFINITY; }, "dataset survey/mixture/axes in checkpoint.h5 should hold finite numbers");
  refused([](auto& of) { of.mixture.variance[2] = 0; },
          "dataset survey/mixture/variance in checkpoint.h5 should hold finite numbers, all above 0");
  refused([](auto& of) { of.coordinates.shift[0] = std::nan(""); },
          "dataset survey/coordinates/shift in checkpoint.h5 should hold finite numbers");
  refused([](auto& of) { of.coordinates.order[1] = 1; },
          "dataset survey/coordinates/order in checkpoint.h5 should hold the number of every coordinate once");
  refused([](auto& of) { of.coordinates.factor[3] = -1; },
          "dataset survey/coordinates/factor in checkpoint.h5 should be positive on its diagonal");
}

// Samples are those of a training where averaged parameters, coordinates and the known normal laws are.
TEST_F(PopulationCheckpoint, EveryNumberThatParticlesFollowFromCountsForWhatWasLearned) {
  const auto learned = [&](auto change) {
    auto summary = of_a_population();
    change(summary);
    return learned_crc32(initial_training_state(networks.initial_parameters(1), *adam, summary));
  };
  const auto right = learned([](auto&) {});
  EXPECT_EQ(right, learned([](auto& of) { of.seconds = 3; }));
  EXPECT_NE(right, learned([](auto& of) { of.coordinates.linear[2] += 1; }));
  EXPECT_NE(right, learned([](auto& of) { of.coordinates.square[2] += 1; }));
  EXPECT_NE(right, learned([](auto& of) { of.coordinates.order = {0, 1}; }));
  EXPECT_NE(right, learned([](auto& of) { of.coordinates.shift[1] += 1; }));
  EXPECT_NE(right, learned([](auto& of) { of.coordinates.factor[2] += 1; }));
  EXPECT_NE(right, learned([](auto& of) { of.mixture.weight[0] += 1; }));
  EXPECT_NE(right, learned([](auto& of) { of.mixture.mean[0] += 1; }));
  EXPECT_NE(right, learned([](auto& of) { of.mixture.axes[0] += 1; }));
  EXPECT_NE(right, learned([](auto& of) { of.mixture.variance[0] += 1; }));
}

}  // namespace
}  // namespace boltzcurve

#include "app/commands/training_state.hpp"
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

const PilotSummary pilot{0.3, -2, {1, -1}, {0.5, 2}, {}};

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
    TrainingState state = initial_training_state(networks, *optimizer, pilot, 1);
    state.sum_exponents = {3, 1, 4};
    state.time_bins.size[3] = 0.25;
    state.time_bins.level[31] = -7.5;
    state.time_bins.seen[0] = 12;
    state.window = {0.125, 3.5, 6, 7};
    state.left_out_points = 5;
    state.collocation = {{"walkers/position", 2, 3, {1, 2, 3, 4, 5, 6}}, {"anything/else", 1, 1, {-0.5}}};
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
  auto checkpoint = to_checkpoint(initial_training_state(networks, *adam, pilot, 1), networks, testing::example_provenance());
  checkpoint.source = "checkpoint.h5";
  EXPECT_THAT([&] { from_checkpoint(checkpoint, networks, *soap); },
              ThrowsMessage<InputError>(
                  ::testing::AllOf(HasSubstr("optimizer/left_factor/psi/layer0/weight in checkpoint.h5"), HasSubstr("is missing"))));
}

// Times are drawn by them: a number that is none would lead out of the clock.
TEST(TrainingState, RefusesTimeBinsThatAreNoNumbersAndDoesWithoutAny) {
  const auto networks = small_networks();
  const auto adam = optimizer_of(OptimizerName::adam, networks);
  auto state = initial_training_state(networks, *adam, pilot, 1);
  const auto read_back = [&] {
    auto checkpoint = to_checkpoint(state, networks, testing::example_provenance());
    checkpoint.source = "checkpoint.h5";
    return from_checkpoint(checkpoint, networks, *adam);
  };
  state.time_bins.size[3] = -1;
  EXPECT_THAT(read_back, ThrowsMessage<InputError>("dataset time_bins/size in checkpoint.h5 should hold finite numbers, none below 0"));
  state.time_bins.size[3] = 0;
  state.time_bins.level[7] = INFINITY;
  EXPECT_THAT(read_back, ThrowsMessage<InputError>("dataset time_bins/level in checkpoint.h5 should hold finite numbers"));
  state.time_bins.level[7] = -1;
  EXPECT_EQ(read_back().time_bins, state.time_bins);

  auto older = to_checkpoint(state, networks, testing::example_provenance());
  std::erase_if(older.datasets, [](const auto& dataset) { return dataset.name.starts_with("time_bins/"); });
  EXPECT_EQ(from_checkpoint(older, networks, *adam).time_bins, TimeBins());
}

}  // namespace
}  // namespace boltzcurve

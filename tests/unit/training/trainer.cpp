#include <boltzcurve/training.hpp>
#include "training/training_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

namespace boltzcurve {
namespace {

const Communicator& self() {
  static const Communicator communicator(MPI_COMM_SELF);
  return communicator;
}

/// Trained by matching from a population, or by the residual at points from chains.
ModelSettings two_modes(CurveForm form = CurveForm::automatic) {
  ModelSettings settings;
  settings.curve.form = form;
  settings.pilot.particles = 256;
  settings.target_name = "gaussian-mixture";
  settings.target_values = {{"mode", {"0.3 | -1 0 | 0.6", "0.7 | 1 0.5 | 0.9"}}};
  settings.network.width = 16;
  settings.network.hidden_layers = 2;
  settings.collocation.points = 256;
  settings.collocation.refresh_every = 3;
  return settings;
}

TrainerSettings steps(std::int64_t count) {
  TrainerSettings settings;
  settings.training.steps = count;
  settings.training.log_every = 4;
  return settings;
}

/// Keeps what it is shown.
class Recorder final : public TrainingObserver {
 public:
  void begin(Trainer& trainer) override { began_at = trainer.steps_done(); }
  void after_step(Trainer&) override { ++steps_seen; }
  void row(Trainer&, const TrainingRow& row) override { rows.push_back(row); }
  void keep(Trainer&, const TrainingState& state, Occasion occasion, Stop ends) override {
    (occasion == Occasion::end ? last : due).push_back(state);
    ended_by = ends;
  }

  std::int64_t began_at = -1, steps_seen = 0;
  std::vector<TrainingRow> rows;
  std::vector<TrainingState> due, last;
  Stop ended_by = Stop::time_limit;
};

TEST(Trainer, ShowsObserversStepsRowsAndTheState) {
  Model model = build_model(self(), two_modes());
  auto settings = steps(10);
  settings.training.checkpoint_steps = 3;
  Trainer trainer(self(), model, settings);
  Recorder recorder;
  trainer.observe(recorder);
  EXPECT_EQ(trainer.run(), Stop::no);
  EXPECT_EQ(recorder.began_at, 0);
  EXPECT_EQ(recorder.steps_seen, 10);
  std::vector<std::int64_t> at;
  for (const auto& row : recorder.rows) at.push_back(row.step);
  EXPECT_THAT(at, testing::ElementsAre(4, 8, 10)) << "every log_every steps and after the last";
  ASSERT_EQ(recorder.due.size(), 3u) << "after 3, 6 and 9 steps";
  EXPECT_EQ(recorder.due[1].step, 6);
  ASSERT_EQ(recorder.last.size(), 1u);
  EXPECT_EQ(recorder.last[0].checkpoints, 4);
  EXPECT_EQ(recorder.ended_by, Stop::no);
  EXPECT_EQ(model.parameters, trainer.state().average) << "what particles are drawn with";
}

class TrainerEitherWay : public testing::TestWithParam<CurveForm> {};
INSTANTIATE_TEST_SUITE_P(Forms, TrainerEitherWay, testing::Values(CurveForm::automatic, CurveForm::contracted));

TEST_P(TrainerEitherWay, LowersTheLoss) {
  auto of = two_modes(GetParam());
  of.target_values = {{"mode", {"0.3 | -2 0 | 0.4", "0.7 | 2 1 | 0.6"}}};
  of.network.width = 32;
  Model model = build_model(self(), of);
  Trainer trainer(self(), model, steps(400));
  Recorder recorder;
  trainer.observe(recorder);
  trainer.run();
  // Means over a hundred steps. Untrained, the curve is that of one normal density between two far modes.
  const auto mean_of = [&](std::size_t first) {
    double sum = 0;
    for (std::size_t k = first; k < first + 25; ++k) sum += recorder.rows[k].loss;
    return sum / 25;
  };
  // By matching, it is that of two, and what noise and target say of the slope differs however well its mean is known: 0.155 becomes 0.140.
  EXPECT_LT(mean_of(75), (GetParam() == CurveForm::contracted ? 0.5 : 0.95) * mean_of(0));
}

TEST_P(TrainerEitherWay, GoesOnFromASnapshotToTheSameBits) {
  const auto of = two_modes(GetParam());
  Model whole_model = build_model(self(), of);
  Trainer whole(self(), whole_model, steps(12));
  for (int step = 0; step < 7; ++step) whole.one_step();
  const auto middle = whole.snapshot();
  for (int step = 7; step < 12; ++step) whole.one_step();

  Model resumed_model = build_model(self(), of, middle.pilot);
  Trainer resumed(self(), resumed_model, steps(12), middle);
  EXPECT_EQ(resumed.steps_done(), 7);
  EXPECT_EQ(resumed.run(), Stop::no);
  EXPECT_EQ(resumed.state().parameters, whole.state().parameters);
  EXPECT_EQ(resumed.state().average, whole.state().average);
  EXPECT_EQ(resumed.state().optimizer, whole.state().optimizer);

  Model fresh_model = build_model(self(), of);
  Trainer fresh(self(), fresh_model, steps(7));
  fresh.run();
  EXPECT_NE(fresh.state().parameters, whole.state().parameters) << "the bits depend on the steps";
}

TEST(Trainer, EndsWhereItsBorderSaysSo) {
  Model model = build_model(self(), two_modes());
  Trainer trainer(self(), model, steps(100));
  Recorder recorder;
  trainer.observe(recorder);
  const auto stop = trainer.run([&] { return StepDecision{trainer.steps_done() == 5 ? Stop::file : Stop::no, trainer.steps_done() == 2}; });
  EXPECT_EQ(stop, Stop::file);
  EXPECT_EQ(trainer.steps_done(), 5);
  ASSERT_EQ(recorder.due.size(), 1u);
  EXPECT_EQ(recorder.due[0].step, 2);
  ASSERT_EQ(recorder.last.size(), 1u) << "the state at the interruption";
  EXPECT_EQ(recorder.ended_by, Stop::file);
}

TEST(Trainer, EndsInGoodOrderWhenItsTimeIsUp) {
  Model model = build_model(self(), two_modes());
  auto settings = steps(1000000000);
  settings.training.max_seconds = 0.2;
  Trainer trainer(self(), model, settings);
  EXPECT_EQ(trainer.run(), Stop::no) << "which is no interruption";
  EXPECT_GE(trainer.state().seconds, 0.2);
  EXPECT_FALSE(trainer.has_steps_left());
}

}  // namespace
}  // namespace boltzcurve

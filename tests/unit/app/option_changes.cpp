#include "app/options/option_changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace boltzcurve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Options resolve(const std::string& text) { return resolve_options(std::vector{parse_config(text, "file")}); }

struct Texts {
  std::vector<std::string> of_training, others;
};

Texts changes(const std::string& before, const std::string& after) {
  Texts texts;
  for (const auto& change : option_changes(resolve(before), resolve(after)))
    (change.of_training ? texts.of_training : texts.others).push_back(change.text());
  return texts;
}

const std::string target = "[target]\nname = gaussian-mixture\nmode = 1 | 0 0 | 1\nmode = 2 | 3 3 | 1\n";

TEST(OptionChanges, OfEqualOptionsAreNone) { EXPECT_THAT(option_changes(resolve(target), resolve(target)), IsEmpty()); }

TEST(OptionChanges, TellTrainingFromWhatLeavesItAlone) {
  const auto found = changes(target, target +
                                         "[optimizer]\nlearning-rate = 0.5\n[training]\nmax-seconds = 9\nlog-every = 7\naverage = 0.5\n"
                                         "[sampling]\nparticles = 5\n[evaluation]\nexact-samples = 3\n[run]\nseed = 2\n");
  EXPECT_THAT(found.of_training,
              ElementsAre("optimizer.learning-rate = 0.5 (was 0.01)", "training.average = 0.5 (was 0.999)", "run.seed = 2 (was 1)"));
  EXPECT_THAT(found.others, ElementsAre("training.max-seconds = 9 (was 0)", "training.log-every = 7 (was 100)",
                                        "sampling.particles = 5 (was 10000)", "evaluation.exact-samples = 3 (was 10000)"));
}

TEST(OptionChanges, ShowKeysOfTargetsAndWhatIsGone) {
  EXPECT_THAT(changes(target, "[target]\nname = gaussian-mixture\nmode = 1 | 0 0 | 1\n[collocation]\nbox = -1:1\n").of_training,
              ElementsAre("target.mode = 1 | 0 0 | 1 (was 1 | 0 0 | 1; 2 | 3 3 | 1)", "collocation.box = -1:1 (was nothing)"));
  EXPECT_THAT(changes(target, "[target]\nname = funnel\n").of_training,
              ElementsAre("target.name = funnel (was gaussian-mixture)", "target.dimension = 10 (was nothing)",
                          "target.mode = nothing (was 1 | 0 0 | 1; 2 | 3 3 | 1)"));
}

TEST(OptionChanges, OfTheNumberOfStepsCountWhereTheLearningRateIsPlannedOverThem) {
  const std::string more = "[training]\nsteps = 30000\n", constant = "[optimizer]\ndecay = constant\n";
  EXPECT_THAT(changes(target, target + more).of_training, ElementsAre("training.steps = 30000 (was 6000)"));
  EXPECT_THAT(changes(target + constant, target + constant + more).others, ElementsAre("training.steps = 30000 (was 6000)"));
}

}  // namespace
}  // namespace boltzcurve

// Files of several trainings in one folder: what comes of one is never taken for another's.
#include "io/checkpoint.hpp"
#include "io/metrics_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/small_run.hpp"

namespace boltzcurve {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing_support::alone;
using testing_support::boltzcurve;
using testing_support::difference;
using testing_support::Outcome;
using testing_support::run_program;
using testing_support::small_config;
using testing_support::TemporaryFolder;

class Lineage : public testing::Test {
 protected:
  Lineage() { folder.write("small.ini", small_config() + "[optimizer]\ndecay = constant\n"); }

  Outcome train(std::vector<std::string> more, int ranks = 1, const std::string& output = "out") const {
    std::vector<std::string> arguments = {"train", "--config", "small.ini", "--output", output};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return ranks == 1 ? alone(folder, arguments) : boltzcurve(folder, ranks, arguments);
  }

  void damage(const std::string& file) const { std::ofstream(folder.path() / file) << "no checkpoint"; }
  bool exists(const std::string& file) const { return std::filesystem::exists(folder.path() / file); }
  std::string training_of(const std::string& checkpoint) const { return read_checkpoint(folder.path() / checkpoint).provenance.training; }

  const TemporaryFolder folder;
  const std::vector<std::string> keep = {"--training.checkpoint-steps=10", "--training.keep-every=1"};
};

TEST_F(Lineage, IsOneWordInAllFilesOfATrainingHoweverOftenItIsResumed) {
  ASSERT_EQ(train({"--training.steps=10"}).exit_code, 0);
  const auto word = training_of("out/checkpoint.h5");
  EXPECT_THAT(word, testing::MatchesRegex("[0-9a-f]{16}"));
  ASSERT_EQ(train({"--resume", "--training.steps=20"}, 2).exit_code, 0);
  ASSERT_EQ(alone(folder, {"sample", "--output", "out"}).exit_code, 0);
  EXPECT_EQ(training_of("out/checkpoint.h5"), word);
  EXPECT_EQ(read_metrics_provenance(folder.path() / "out/metrics.h5").training, word);
  ASSERT_EQ(train({"--resume", "--training.steps=30", "--optimizer.learning-rate=0.02", "--accept-changes"}).exit_code, 0);
  EXPECT_EQ(training_of("out/checkpoint.h5"), word);
  // Accepting changes where there is nothing left to train leaves all files of one training.
  ASSERT_EQ(train({"--resume", "--training.steps=30", "--optimizer.learning-rate=0.03", "--accept-changes"}).exit_code, 0);
  ASSERT_EQ(alone(folder, {"sample", "--output", "out"}).exit_code, 0);
  EXPECT_EQ(alone(folder, {"evaluate", "--output", "out"}).exit_code, 0);
  ASSERT_EQ(train({}, 1, "elsewhere").exit_code, 0);
  EXPECT_NE(training_of("elsewhere/checkpoint.h5"), word);
}

TEST_F(Lineage, DecidesWhichKeptCheckpointsARunMayFallBackTo) {
  auto first = keep;
  first.emplace_back("--training.steps=40");
  ASSERT_EQ(train(first).exit_code, 0);
  for (const char* file : {"out/checkpoint.step10.h5", "out/checkpoint.step40.h5"}) ASSERT_TRUE(exists(file));
  const auto second = train({"--seed=9", "--training.steps=15"}, 2);
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("warning: 4 checkpoints kept by another training are now out/checkpoint.earlier1.h5 to "
                                    "checkpoint.earlier4.h5\n"));
  damage("out/checkpoint.h5");
  damage("out/checkpoint.previous.h5");
  const auto resumed = train({"--seed=9", "--training.steps=15", "--resume"});
  EXPECT_EQ(resumed.exit_code, 3);
  EXPECT_THAT(resumed.err, AllOf(HasSubstr("there is no valid checkpoint to resume from"), Not(HasSubstr("falling back"))));
}

TEST_F(Lineage, LeavesKeptCheckpointsOfTheSameTrainingAndOfTheWayToWhereItBranchesOff) {
  auto first = keep;
  first.emplace_back("--training.steps=40");
  ASSERT_EQ(train(first).exit_code, 0);
  // Back to step 20 and on as before: the later ones will be the same again.
  auto again = keep;
  again.insert(again.end(), {"--training.steps=25", "--resume=out/checkpoint.step20.h5"});
  const auto same = train(again);
  ASSERT_EQ(same.exit_code, 0) << same.err;
  EXPECT_THAT(same.err, Not(HasSubstr("kept by another training")));
  EXPECT_TRUE(exists("out/checkpoint.step40.h5"));
  // And with a change: those beyond are of the other branch.
  auto other = keep;
  other.insert(other.end(),
               {"--training.steps=25", "--resume=out/checkpoint.step20.h5", "--optimizer.learning-rate=0.02", "--accept-changes"});
  const auto branch = train(other);
  ASSERT_EQ(branch.exit_code, 0) << branch.err;
  EXPECT_THAT(branch.err, HasSubstr("checkpoints kept by another training are now "));
  EXPECT_TRUE(exists("out/checkpoint.step10.h5"));
  EXPECT_FALSE(exists("out/checkpoint.step40.h5"));
}

TEST_F(Lineage, GoesWithTheMetricsOfTheCheckpointThatIsResumed) {
  ASSERT_EQ(train({"--seed=2", "--training.steps=40"}, 1, "whole").exit_code, 0);
  ASSERT_EQ(train({"--seed=2", "--training.steps=20"}).exit_code, 0);
  ASSERT_EQ(train({"--seed=3", "--training.steps=30"}).exit_code, 0);
  const auto back = train({"--seed=2", "--resume=out/checkpoint.earlier1.h5", "--training.steps=40"}, 2);
  ASSERT_EQ(back.exit_code, 0) << back.err;
  EXPECT_THAT(back.err, HasSubstr("warning: out/metrics.h5 is of another training, and is now out/metrics.previous.h5\n"));
  EXPECT_EQ(difference(folder, "whole/metrics.h5", "out/metrics.h5", "/training/loss"), "");
  EXPECT_EQ(read_metrics(folder.path() / "out/metrics.previous.h5", "training").provenance.seed, 3u);
  // Where the history is gone, a new one begins.
  const auto gone = train({"--seed=3", "--resume=out/checkpoint.earlier2.h5", "--training.steps=40"});
  ASSERT_EQ(gone.exit_code, 0) << gone.err;
  ASSERT_EQ(train({"--seed=2", "--resume=out/checkpoint.earlier1.h5", "--training.steps=50"}).exit_code, 0);
}

TEST_F(Lineage, KeepsParticlesOfOtherParametersFromBeingMeasured) {
  auto first = keep;
  first.insert(first.begin(), {"run", "--config", "small.ini", "--output", "out", "--training.steps=20"});
  ASSERT_EQ(alone(folder, first).exit_code, 0);
  ASSERT_EQ(alone(folder, {"evaluate", "--output", "out"}).exit_code, 0);
  // Back at step 10, where there is nothing left to train: the particles of step 20 are out of the way.
  const auto back = train({"--training.steps=10", "--resume=out/checkpoint.step10.h5"});
  ASSERT_EQ(back.exit_code, 0) << back.err;
  EXPECT_FALSE(exists("out/samples.h5md"));
  ASSERT_TRUE(exists("out/samples.previous.h5md"));
  std::filesystem::rename(folder.path() / "out/samples.previous.h5md", folder.path() / "out/samples.h5md");
  const auto refused = boltzcurve(folder, 2, {"evaluate", "--output", "out"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, HasSubstr("boltzcurve: error: out/samples.h5md was drawn with other parameters than out/checkpoint.h5 holds; "
                                     "draw again with `boltzcurve sample`"));
  ASSERT_EQ(alone(folder, {"sample", "--output", "out"}).exit_code, 0);
  EXPECT_EQ(boltzcurve(folder, 2, {"evaluate", "--output", "out"}).exit_code, 0);
}

TEST_F(Lineage, KeepsMeasurementsOutOfTheMetricsOfAnotherTraining) {
  ASSERT_EQ(train({}, 1, "out").exit_code, 0);
  ASSERT_EQ(train({"--seed=2"}, 1, "other").exit_code, 0);
  std::filesystem::copy_file(folder.path() / "other/metrics.h5", folder.path() / "out/metrics.h5",
                             std::filesystem::copy_options::overwrite_existing);
  const auto refused = boltzcurve(folder, 2, {"evaluate", "--output", "out"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, HasSubstr("out/metrics.h5 is of another training than out/checkpoint.h5; move it away"));
  EXPECT_EQ(difference(folder, "other/metrics.h5", "out/metrics.h5", "/"), "");
  EXPECT_FALSE(exists("out/evaluation.json"));
}

// A run that goes on makes the last checkpoint again, to the bit; particles of the one before would only look like the last's.
TEST_F(Lineage, SamplingTakesNoOtherCheckpointForTheLastAndSaysHowToMakeThatAgain) {
  ASSERT_EQ(train({"--training.steps=20"}).exit_code, 0);
  ASSERT_EQ(train({"--training.steps=30", "--resume"}).exit_code, 0);
  ASSERT_EQ(alone(folder, {"sample", "--output", "out"}).exit_code, 0);
  std::filesystem::rename(folder.path() / "out/samples.h5md", folder.path() / "of30.h5md");
  damage("out/checkpoint.h5");
  const auto refused = boltzcurve(folder, 2, {"sample", "--output", "out"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, HasSubstr("; `boltzcurve train --resume --output out` makes it again from checkpoint.previous.h5\n"));
  EXPECT_FALSE(exists("out/samples.h5md"));
  const auto again = alone(folder, {"train", "--resume", "--output", "out", "--training.steps=30"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  ASSERT_EQ(boltzcurve(folder, 2, {"sample", "--output", "out"}).exit_code, 0);
  EXPECT_EQ(difference(folder, "of30.h5md", "out/samples.h5md", "/samples"), "");
}

// A file of modes that differs from host to host: two folders stand for two local disks.
TEST_F(Lineage, RanksThatReadDifferentModesDoNotTrainTogether) {
  std::vector<std::string> command = {MPIRUN, "--oversubscribe"};
  for (const std::string host : {"a", "b"}) {
    std::filesystem::create_directory(folder.path() / host);
    folder.write(host + "/modes.csv", "weight,mean_1,mean_2,sd\n1,0,0,1\n1," + std::string(host == "a" ? "3" : "4") + ",0,1\n");
    if (host == "b") command.emplace_back(":");
    command.insert(command.end(),
                   {"-n", "1", "-wdir", (folder.path() / host).string(), BOLTZCURVE_EXECUTABLE, "train", "--target.name=gaussian-mixture",
                    "--target.modes=modes.csv", "--output", (folder.path() / "out").string()});
  }
  const auto outcome = run_program(command, folder.path());
  EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("boltzcurve: error: configuration differs from that of rank 0: "), HasSubstr("4 0"),
                                 HasSubstr("start every rank with the same arguments and files")));
  EXPECT_FALSE(exists("out"));
}

}  // namespace
}  // namespace boltzcurve

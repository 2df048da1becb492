// Training that goes on: to the same bits, from the checkpoint that can be trusted, with the options that it had.
#include "io/checkpoint.hpp"
#include "io/hdf5.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "support/small_run.hpp"

namespace boltzcurve {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing_support::alone;
using testing_support::boltzcurve;
using testing_support::by_matching;
using testing_support::by_residual;
using testing_support::difference;
using testing_support::small_config;
using testing_support::TemporaryFolder;

class Resume : public testing::Test {
 protected:
  // Trajectories are renewed between the interruptions, and chains move: the points after them follow from those before. The learning rate
  // stays, so that the number of steps is no more than where to stop.
  explicit Resume(const std::string& form = by_matching) {
    folder.write("small.ini", small_config(form) + "[optimizer]\nprecondition-every = 4\ndecay = constant\n");
    folder.write("points.ini", "[collocation]\nrefresh-every = 11\n");
  }

  std::vector<std::string> train(const std::string& output, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"train", "--config", "small.ini", "--config", "points.ini", "--output", output};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  void expect_equal(const std::string& first, const std::string& second) const {
    for (const char* object : {"/parameters", "/average", "/optimizer", "/reduction", "/collocation", "/survey", "/time_bins"})
      EXPECT_EQ(difference(folder, first + "/checkpoint.h5", second + "/checkpoint.h5", object), "") << object;
    for (const char* object : {"/training/step", "/training/loss", "/training/gradient_norm", "/training/learning_rate",
                               "/training/left_out_points", "/evaluation/step", "/evaluation/ess", "/evaluation/log_z"})
      EXPECT_EQ(difference(folder, first + "/metrics.h5", second + "/metrics.h5", object), "") << object;
  }

  void damage(const std::string& file) const {
    const auto path = folder.path() / file;
    std::fstream bytes(path, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path) / 2));
    bytes.write("damaged!", 8);
  }

  bool exists(const std::string& file) const { return std::filesystem::exists(folder.path() / file); }

  const TemporaryFolder folder;
};

class ResumeEitherWay : public Resume, public testing::WithParamInterface<const char*> {
 protected:
  ResumeEitherWay() : Resume(GetParam()) {}
};
INSTANTIATE_TEST_SUITE_P(Forms, ResumeEitherWay, testing::Values(by_matching, by_residual));

// 25 steps on one rank, to 43 on three, to 60 on two: between rows of the log, and within a round of trajectories.
TEST_P(ResumeEitherWay, WithOtherNumbersOfRanksGivesTheBitsOfARunThatNeverStopped) {
  const std::vector<std::string> quick = {"--training.evaluate-every=20", "--training.log-every=8"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), quick.begin(), quick.end());
    return more;
  };
  ASSERT_EQ(alone(folder, train("whole", with({"--training.steps=60"}))).exit_code, 0);
  ASSERT_EQ(alone(folder, train("parts", with({"--training.steps=25"}))).exit_code, 0);
  const auto second = boltzcurve(folder, 3, train("parts", with({"--training.steps=43", "--resume"})));
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.out, HasSubstr("resuming from parts/checkpoint.h5 at step 25\n  changed: training.steps = 43 (was 25)\n"));
  const auto third = boltzcurve(folder, 2, train("parts", with({"--training.steps=60", "--resume=auto"})));
  ASSERT_EQ(third.exit_code, 0) << third.err;
  expect_equal("whole", "parts");
  // The comparison can fail.
  const std::string other = GetParam() == std::string(by_residual) ? "--collocation.refresh-every=12" : "--pilot.particles=601";
  ASSERT_EQ(boltzcurve(folder, 2, train("other", with({"--training.steps=60", other}))).exit_code, 0);
  EXPECT_NE(difference(folder, "whole/checkpoint.h5", "other/checkpoint.h5", "/parameters"), "");
}

// The schedule's network is in the checkpoint beside psi: training goes on with it, and sampling uses it.
TEST_F(Resume, OfALearnedScheduleGivesTheBitsOfARunThatNeverStopped) {
  const std::vector<std::string> learned = {"--curve.schedule=learned", "--training.steps=30"};
  ASSERT_EQ(alone(folder, train("whole", learned)).exit_code, 0);
  ASSERT_EQ(alone(folder, train("parts", {learned[0], "--training.steps=15"})).exit_code, 0);
  const auto second = boltzcurve(folder, 2, train("parts", {"--resume", learned[0], learned[1]}));
  ASSERT_EQ(second.exit_code, 0) << second.err;
  expect_equal("whole", "parts");
  EXPECT_NE(difference(folder, "whole/checkpoint.h5", "whole/checkpoint.previous.h5", "/parameters/schedule"), "");
  for (const std::string output : {"whole", "parts"}) {
    const auto sampled = boltzcurve(folder, output == "whole" ? 1 : 3, {"sample", "--output", output});
    ASSERT_EQ(sampled.exit_code, 0) << sampled.err;
  }
  EXPECT_EQ(difference(folder, "whole/samples.h5md", "parts/samples.h5md", "/samples"), "");
}

// On one rank, and with a stop on three.
TEST_P(ResumeEitherWay, OfAnAdditiveNetworkGivesTheBitsOfARunThatNeverStopped) {
  const std::vector<std::string> additive = {"--network.kind=additive", "--training.steps=30"};
  ASSERT_EQ(alone(folder, train("whole", additive)).exit_code, 0);
  ASSERT_EQ(alone(folder, train("parts", {additive[0], "--training.steps=15"})).exit_code, 0);
  const auto second = boltzcurve(folder, 3, train("parts", {"--resume", additive[1]}));
  ASSERT_EQ(second.exit_code, 0) << second.err;
  expect_equal("whole", "parts");
  EXPECT_NE(difference(folder, "whole/checkpoint.h5", "whole/checkpoint.previous.h5", "/parameters/psi/head1"), "");
  for (const std::string output : {"whole", "parts"}) {
    const auto sampled = boltzcurve(folder, output == "whole" ? 1 : 3, {"sample", "--output", output});
    ASSERT_EQ(sampled.exit_code, 0) << sampled.err;
  }
  EXPECT_EQ(difference(folder, "whole/samples.h5md", "parts/samples.h5md", "/samples"), "");
}

// What the residuals so far have left decides times and C_t of the steps to come.
TEST_F(Resume, WithTimesAndNormalizerByTheResidualGivesTheBitsOfARunThatNeverStopped) {
  folder.write("residual.ini", "[curve]\nname = linear\n[normalizer]\nkind = batch\n[collocation]\ntimes = residual\n");
  ASSERT_EQ(alone(folder, train("whole", {"--config", "residual.ini", "--training.steps=30"})).exit_code, 0);
  ASSERT_EQ(alone(folder, train("parts", {"--config", "residual.ini", "--training.steps=15"})).exit_code, 0);
  const auto second = boltzcurve(folder, 2, train("parts", {"--config", "residual.ini", "--training.steps=30", "--resume"}));
  ASSERT_EQ(second.exit_code, 0) << second.err;
  expect_equal("whole", "parts");
  EXPECT_NE(difference(folder, "whole/checkpoint.h5", "parts/checkpoint.previous.h5", "/time_bins"), "");
}

TEST_P(ResumeEitherWay, TakesOptionsFromTheCheckpoint) {
  ASSERT_EQ(alone(folder, train("whole", {"--training.steps=30", "--seed=5"})).exit_code, 0);
  ASSERT_EQ(alone(folder, train("parts", {"--training.steps=10", "--seed=5"})).exit_code, 0);
  const auto outcome = alone(folder, {"train", "--resume", "--output", "parts", "--training.steps=30"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_equal("whole", "parts");
}

TEST_F(Resume, OfAFinishedRunHasNothingToDoAndLeavesTheFilesAlone) {
  ASSERT_EQ(alone(folder, train("out")).exit_code, 0);
  const auto written = std::filesystem::last_write_time(folder.path() / "out/checkpoint.h5");
  const auto outcome = boltzcurve(folder, 2, train("out", {"--resume"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(std::filesystem::last_write_time(folder.path() / "out/checkpoint.h5"), written);
}

TEST_P(ResumeEitherWay, RefusesOptionsThatMakeAnotherTrainingUnlessTheyAreAccepted) {
  ASSERT_EQ(alone(folder, train("out", {"--training.steps=10"})).exit_code, 0);
  const std::vector<std::string> changes = {"--resume", "--training.steps=20", "--optimizer.learning-rate=0.02", "--collocation.points=500",
                                            "--training.log-every=5"};
  const auto refused = boltzcurve(folder, 2, train("out", changes));
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("boltzcurve: error: cannot resume from out/checkpoint.h5, whose training was another: "
                                     "collocation.points = 500 (was 700), optimizer.learning-rate = 0.02 (was 0.01); leave out what is "
                                     "changed, or go on nevertheless with --accept-changes\n"));
  auto accepted = changes;
  accepted.emplace_back("--accept-changes");
  const auto outcome = boltzcurve(folder, 2, train("out", accepted));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("  changed: collocation.points = 500 (was 700)\n"),
                                 HasSubstr("  changed: training.log-every = 5 (was 10)\n")));
}

TEST_F(Resume, SaysThatAChangedNetworkCannotBeAccepted) {
  ASSERT_EQ(alone(folder, train("out", {"--training.steps=10"})).exit_code, 0);
  const auto outcome = alone(folder, train("out", {"--resume", "--accept-changes", "--network.width=8"}));
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("boltzcurve: error: cannot resume: dataset parameters/psi/layer0/weight in out/checkpoint.h5 "
                                           "has the shape 16 x 3, expected 8 x 3"),
                                 HasSubstr("with these changes only a new training will do")));
  EXPECT_EQ(alone(folder, train("out", {"--resume"})).exit_code, 0) << "the checkpoint must be as it was";
}

TEST_F(Resume, WithoutACheckpointIsAnErrorAndWithAutoABeginning) {
  const auto error = boltzcurve(folder, 2, train("out", {"--resume"}));
  EXPECT_EQ(error.exit_code, 3);
  EXPECT_THAT(error.err, HasSubstr("there is no checkpoint to resume from at out/checkpoint.h5; --resume=auto begins where there is none"));
  EXPECT_FALSE(exists("out"));
  const auto outcome = boltzcurve(folder, 2, train("out", {"--resume=auto"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("no checkpoint to resume from: beginning at step 0\n"));
  const auto missing = alone(folder, train("out", {"--resume=elsewhere/checkpoint.h5"}));
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_THAT(missing.err, HasSubstr("cannot read elsewhere/checkpoint.h5: No such file or directory"));
}

// Of a checkpoint with the other form curve and points would be others.
TEST_P(ResumeEitherWay, IsRefusedWithTheOtherForm) {
  ASSERT_EQ(alone(folder, train("out", {"--training.steps=10"})).exit_code, 0);
  const bool is_residual = GetParam() == std::string(by_residual);
  const auto other = std::string("--curve.form=") + (is_residual ? "network" : "contracted");
  EXPECT_EQ(alone(folder, train("out", {"--resume", "--training.steps=20", other})).exit_code, 2);
  const auto accepted = boltzcurve(folder, 2, train("out", {"--resume", "--training.steps=20", other, "--accept-changes"}));
  EXPECT_EQ(accepted.exit_code, 3) << accepted.out;
  EXPECT_THAT(accepted.err, HasSubstr(std::string("cannot resume: the checkpoint's pilot run was by ") +
                                      (is_residual ? "chains, this one is by smc" : "smc, this one is by chains") +
                                      "; with these changes only a new training will do"));
  EXPECT_EQ(alone(folder, train("out", {"--resume", "--training.steps=20"})).exit_code, 0) << "the checkpoint must be as it was";
}

TEST_P(ResumeEitherWay, FallsBackToThePreviousCheckpointAndNamesTheDamage) {
  ASSERT_EQ(alone(folder, train("whole", {"--training.steps=40"})).exit_code, 0);
  ASSERT_EQ(alone(folder, train("out", {"--training.steps=20"})).exit_code, 0);
  ASSERT_EQ(alone(folder, train("out", {"--training.steps=30", "--resume"})).exit_code, 0);
  damage("out/checkpoint.h5");
  const auto outcome = boltzcurve(folder, 2, train("out", {"--training.steps=40", "--resume"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("boltzcurve: warning: "), HasSubstr("out/checkpoint.h5 is damaged: its checksum is "),
                                 HasSubstr("boltzcurve: warning: falling back to out/checkpoint.previous.h5\n")));
  EXPECT_THAT(outcome.out, HasSubstr("resuming from out/checkpoint.previous.h5 at step 20\n"));
  EXPECT_TRUE(exists("out/checkpoint.damaged.h5"));
  expect_equal("whole", "out");
}

TEST_F(Resume, WhereEveryCheckpointIsDamagedBeginsWithAutoAndElseStops) {
  ASSERT_EQ(alone(folder, train("out")).exit_code, 0);
  damage("out/checkpoint.h5");
  damage("out/checkpoint.previous.h5");
  const auto error = alone(folder, train("out", {"--resume"}));
  EXPECT_EQ(error.exit_code, 3);
  EXPECT_THAT(error.err, AllOf(HasSubstr("out/checkpoint.h5 is damaged"), HasSubstr("out/checkpoint.previous.h5 is damaged"),
                               HasSubstr("there is no valid checkpoint to resume from at out/checkpoint.h5")));
  const auto outcome = alone(folder, train("out", {"--resume=auto"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(exists("out/checkpoint.damaged.h5"));
}

// A newer program's checkpoint is no damage: to begin anew, or from an older one, would lose it.
TEST_F(Resume, DoesNotGoPastACheckpointOfANewerProgram) {
  ASSERT_EQ(alone(folder, train("out")).exit_code, 0);
  {
    auto file = hdf5::open_file(folder.path() / "out/checkpoint.h5", hdf5::Mode::read_write, hdf5::file_access());
    hdf5::write_attribute(file, "format_version", checkpoint_format_version + 1);
    file.close();
  }
  const auto outcome = boltzcurve(folder, 2, train("out", {"--resume=auto"}));
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err,
              HasSubstr("out/checkpoint.h5 is a boltzcurve checkpoint of format version 4; this program reads versions 1 to 3: "
                        "use the newer program that wrote it"));
}

TEST_F(Resume, FromAnotherFolderLeavesThatOneAloneAndTakesItsRowsAlong) {
  ASSERT_EQ(alone(folder, train("whole", {"--training.steps=40"})).exit_code, 0);
  ASSERT_EQ(alone(folder, train("first", {"--training.steps=20"})).exit_code, 0);
  for (const auto& [from, output] : {std::pair("first", "a"), std::pair("first/checkpoint.h5", "b")}) {
    const auto outcome = alone(folder, train(output, {"--training.steps=40", std::string("--resume=") + from}));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    expect_equal("whole", output);
  }
  const auto again = alone(folder, train("first", {"--resume", "--training.steps=20"}));
  EXPECT_THAT(again.out, HasSubstr("resuming from first/checkpoint.h5 at step 20\n"));
}

TEST_F(Resume, NeverLosesTheCheckpointOfAnEarlierRunThatANewOneReplaces) {
  ASSERT_EQ(alone(folder, train("out", {"--training.steps=20"})).exit_code, 0);
  const auto outcome = alone(folder, train("out", {"--seed=2"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err,
              HasSubstr("warning: a checkpoint that was here and that this run does not go on from is now out/checkpoint.earlier1.h5"));
  ASSERT_EQ(alone(folder, train("out", {"--seed=3"})).exit_code, 0);
  EXPECT_TRUE(exists("out/checkpoint.earlier2.h5"));
  const auto back = alone(folder, train("out", {"--resume=out/checkpoint.earlier1.h5", "--training.steps=20"}));
  ASSERT_EQ(back.exit_code, 0) << back.err;
  EXPECT_THAT(back.out, HasSubstr("resuming from out/checkpoint.earlier1.h5 at step 20\n"));
  EXPECT_TRUE(exists("out/checkpoint.earlier3.h5"));
}

TEST_F(Resume, WithMetricsThatCannotBeReadBeginsNewOnesAndSaysSo) {
  ASSERT_EQ(alone(folder, train("out", {"--training.steps=20"})).exit_code, 0);
  folder.write("out/metrics.h5", "step,loss\n");
  const auto outcome = boltzcurve(folder, 2, train("out", {"--resume", "--training.steps=40"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("out/metrics.h5"), HasSubstr("it is now out/metrics.damaged.h5, and a new one begins")));
  EXPECT_TRUE(exists("out/metrics.h5"));
}

TEST_F(Resume, GoesOnWithMetricsThatAnotherProgramIsReading) {
  ASSERT_EQ(alone(folder, train("out", {"--training.steps=20"})).exit_code, 0);
  const int reader = ::open((folder.path() / "out/metrics.h5").c_str(), O_RDONLY);
  ASSERT_EQ(::flock(reader, LOCK_SH | LOCK_NB), 0);
  const auto outcome = alone(folder, train("out", {"--resume", "--training.steps=40"}));
  ::close(reader);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_FALSE(exists("out/metrics.damaged.h5"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("now")));
}

TEST_F(Resume, IsRefusedWhereItMeansNothing) {
  const auto list = alone(folder, {"list", "--resume"});
  EXPECT_EQ(list.exit_code, 2);
  EXPECT_THAT(list.err, HasSubstr("command line: --resume is for a run that was interrupted, not for list"));
  for (const char* command : {"sample", "evaluate"}) {
    const auto outcome = alone(folder, {command, "--resume=elsewhere"});
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.err, HasSubstr(std::string("command line: --resume=elsewhere: ") + command +
                                       " goes on with what is in the --output folder; leave the path out"));
  }
  const auto outcome = alone(folder, train("out", {"--accept-changes"}));
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("command line: --accept-changes is for a run that goes on: give --resume too, or leave it out"));
}

}  // namespace
}  // namespace boltzcurve

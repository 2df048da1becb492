// Runs that are asked to stop: they finish the step, write, say why, and go on later to the bits of a run that was left alone.
#include "io/checkpoint.hpp"
#include "io/metrics_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "support/small_run.hpp"

namespace boltzcurve {
namespace {

using testing::HasSubstr;
using testing_support::alone;
using testing_support::boltzcurve;
using testing_support::by_matching;
using testing_support::by_residual;
using testing_support::command_on;
using testing_support::difference;
using testing_support::Outcome;
using testing_support::Program;
using testing_support::small_config;
using testing_support::TemporaryFolder;
using testing_support::wait_for;

class Stopping : public testing::Test {
 protected:
  explicit Stopping(const std::string& form = by_matching) { folder.write("small.ini", small_config(form)); }

  static constexpr const char* endless = "--training.steps=100000000";

  std::vector<std::string> train(const std::string& output, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"train",        "--config", "small.ini", "--output", output, "--training.log-every=1000000",
                                          "--resume=auto"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  bool exists(const std::string& file) const { return std::filesystem::exists(folder.path() / file); }

  /// The processes of the ranks, once they train.
  std::vector<int> training_ranks(const Program& program, const std::string& output) const {
    EXPECT_TRUE(wait_for([&] { return exists(output + "/checkpoint.h5"); }));
    return program.ranks("boltzcurve");
  }

  void expect_stopped(const Outcome& outcome, const std::string& why) const {
    EXPECT_EQ(outcome.exit_code, 75) << outcome.err;
    EXPECT_THAT(outcome.out, testing::ContainsRegex("stopped by " + why + " after step [0-9]+; --resume goes on from out/checkpoint.h5"));
    EXPECT_EQ(read_checkpoint(folder.path() / "out/checkpoint.h5").scalar<std::string>("state"), "stopped: " + why);
    EXPECT_EQ(read_metrics(folder.path() / "out/metrics.h5", "training").state, "stopped: " + why);
  }

  /// However rare rows are, the last step has one.
  void expect_a_row_of_the_last_step() const {
    const auto step = read_checkpoint(folder.path() / "out/checkpoint.h5").scalar<std::int64_t>("step");
    const auto metrics = read_metrics(folder.path() / "out/metrics.h5", "training");
    EXPECT_THAT(metrics.integer("step"), testing::ElementsAre(step));
    EXPECT_THAT(metrics.real("loss"), testing::ElementsAre(testing::Gt(0)));
  }

  /// The interrupted run, taken some steps further, against one that does them all at once.
  void expect_same_bits_after_the_rest() const {
    const auto step = read_checkpoint(folder.path() / "out/checkpoint.h5").scalar<std::int64_t>("step");
    const auto steps = "--training.steps=" + std::to_string(step + 20);
    ASSERT_EQ(alone(folder, train("whole", {steps, "--optimizer.decay=constant"})).exit_code, 0);
    const auto rest = boltzcurve(folder, 3, train("out", {steps, "--optimizer.decay=constant"}));
    ASSERT_EQ(rest.exit_code, 0) << rest.err;
    for (const char* object : {"/parameters", "/average", "/optimizer", "/collocation"})
      EXPECT_EQ(difference(folder, "whole/checkpoint.h5", "out/checkpoint.h5", object), "") << object;
    for (const char* object : {"/training/step", "/training/loss"})
      EXPECT_EQ(difference(folder, "whole/metrics.h5", "out/metrics.h5", object), "") << object;
    EXPECT_EQ(read_checkpoint(folder.path() / "out/checkpoint.h5").scalar<std::string>("state"), "finished");
    EXPECT_EQ(read_metrics(folder.path() / "out/metrics.h5", "training").state, "finished");
  }

  const TemporaryFolder folder;
};

class StoppingEitherWay : public Stopping, public testing::WithParamInterface<const char*> {
 protected:
  StoppingEitherWay() : Stopping(GetParam()) {}
};
INSTANTIATE_TEST_SUITE_P(Forms, StoppingEitherWay, testing::Values(by_matching, by_residual));

TEST_P(StoppingEitherWay, BySignalUsr1ToOneOfThreeRanks) {
  Program program(command_on(3, train("out", {endless, "--optimizer.decay=constant"})), folder.path());
  const auto ranks = training_ranks(program, "out");
  ASSERT_EQ(ranks.size(), 3u);
  EXPECT_EQ(read_checkpoint(folder.path() / "out/checkpoint.h5").scalar<std::string>("state"), "running");
  kill(ranks.back(), SIGUSR1);
  expect_stopped(program.wait(), "SIGUSR1");
  expect_a_row_of_the_last_step();
  expect_same_bits_after_the_rest();
}

// Its budget is up before the first row is due. A larger one goes on from there, and takes back the row of the half window.
TEST_F(Stopping, WhenTheBudgetOfTrainingIsUpIsAnEndInGoodOrder) {
  const auto outcome = boltzcurve(folder, 2, train("out", {endless, "--training.max-seconds=1", "--optimizer.decay=constant"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(read_metrics(folder.path() / "out/metrics.h5", "training").state, "finished");
  expect_a_row_of_the_last_step();
  ASSERT_EQ(boltzcurve(folder, 2, train("out", {endless, "--training.max-seconds=1", "--optimizer.decay=constant"})).exit_code, 0);
  expect_a_row_of_the_last_step();  // nothing was left to do
  ASSERT_EQ(boltzcurve(folder, 2, train("out", {endless, "--training.max-seconds=2", "--optimizer.decay=constant"})).exit_code, 0);
  expect_a_row_of_the_last_step();
}

TEST_F(Stopping, ByAFileWhichIsThenRemoved) {
  Program program(command_on(2, train("out", {endless, "--optimizer.decay=constant"})), folder.path());
  training_ranks(program, "out");
  folder.write("out/STOP", "");
  expect_stopped(program.wait(), "the file STOP");
  EXPECT_FALSE(exists("out/STOP"));
  expect_same_bits_after_the_rest();
}

TEST_F(Stopping, ByAFileThatComesTooLateIsNotForTheNextRun) {
  ASSERT_EQ(alone(folder, train("out", {"--training.steps=5", "--optimizer.decay=constant"})).exit_code, 0);
  folder.write("out/STOP", "");
  ASSERT_EQ(alone(folder, train("out", {"--training.steps=5", "--optimizer.decay=constant"})).exit_code, 0)
      << "nothing was left to be stopped";
  EXPECT_FALSE(exists("out/STOP"));
  // A folder of that name is no request.
  std::filesystem::create_directory(folder.path() / "out/STOP");
  EXPECT_EQ(alone(folder, train("out", {"--training.steps=10", "--optimizer.decay=constant"})).exit_code, 0);
}

TEST_F(Stopping, WhenTheWalltimeIsUp) {
  const auto outcome = boltzcurve(folder, 2, train("out", {endless, "--max-walltime=0:00:03", "--optimizer.decay=constant"}));
  expect_stopped(outcome, "--max-walltime");
  EXPECT_LT(outcome.seconds, 60);
}

TEST_F(Stopping, BySignalsTermAndInt) {
  for (const auto& [signal, why] : {std::pair(SIGTERM, "SIGTERM"), std::pair(SIGINT, "SIGINT")}) {
    std::filesystem::remove_all(folder.path() / "out");
    Program program({BOLTZCURVE_EXECUTABLE, "train", "--config", "small.ini", "--output", "out", endless}, folder.path());
    ASSERT_TRUE(wait_for([&] { return exists("out/checkpoint.h5"); }));
    program.send(signal);
    expect_stopped(program.wait(), why);
  }
}

// Before there is anything to stop, a signal must not kill: the run stops at its first chance.
TEST_F(Stopping, ByASignalThatComesWhileTheRunStarts) {
  Program program({BOLTZCURVE_EXECUTABLE, "train", "--config", "small.ini", "--output", "out", endless}, folder.path());
  ASSERT_TRUE(wait_for([&] { return !program.descendants("").empty() || exists("out"); }));  // MPI's own helper: main has begun
  program.send(SIGUSR1);
  expect_stopped(program.wait(), "SIGUSR1");
}

TEST_F(Stopping, SignalUsr2WritesACheckpointAndGoesOn) {
  Program program(command_on(2, train("out", {endless})), folder.path());
  const auto ranks = training_ranks(program, "out");
  ASSERT_EQ(ranks.size(), 2u);
  const auto step = [&] { return read_checkpoint(folder.path() / "out/checkpoint.h5").scalar<std::int64_t>("step"); };
  ASSERT_EQ(step(), 0);
  for (int round = 0; round < 2; ++round) {
    const auto before = step();
    kill(ranks.back(), SIGUSR2);
    EXPECT_TRUE(wait_for([&] { return step() > before; }));
    EXPECT_TRUE(program.is_running());
  }
  kill(ranks.front(), SIGUSR1);
  expect_stopped(program.wait(), "SIGUSR1");
}

TEST_F(Stopping, LeavesTheReasonOfAFailureInTheFiles) {
  folder.write("far.ini",
               "[target]\nname = many-well\ndimension = 2\n[curve]\nform = anchored\n[network]\nwidth = 8\n[collocation]\nkind = uniform\n"
               "points = 256\nbox = -1e12:1e12\n[training]\nmax-skipped-steps = 3\n");
  const auto outcome = alone(folder, {"train", "--config", "far.ini", "--output", "out"});
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_THAT(read_metrics(folder.path() / "out/metrics.h5", "training").state,
              HasSubstr("stopped: loss or gradient was not finite in 4 steps in a row"));
}

TEST_F(Stopping, ATimeThatIsNoneIsRefused) {
  for (const char* time : {"0", "soon", "1:2", "-5", "1e3", "1:2:3:4", "5-"}) {
    const auto outcome = alone(folder, {"train", "--config", "small.ini", std::string("--max-walltime=") + time});
    EXPECT_EQ(outcome.exit_code, 2) << time;
    EXPECT_EQ(outcome.err, std::string("boltzcurve: error: command line: --max-walltime = ") + time +
                               ": must be seconds, or hours:minutes:seconds with or without days- before, for example 5400 or 1:30:00\n");
  }
}

TEST_F(Stopping, ATrainingThatHasEndedStaysEndedAndSamplingIsLeft) {
  auto run = train("out", {"--max-walltime=0.01"});
  run[0] = "run";
  const auto stopped = boltzcurve(folder, 2, run);
  EXPECT_EQ(stopped.exit_code, 75) << stopped.err;
  run.pop_back();
  const auto outcome = boltzcurve(folder, 2, run);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(exists("out/evaluation.json"));
  EXPECT_EQ(read_metrics(folder.path() / "out/metrics.h5", "training").state, "finished");
}

}  // namespace
}  // namespace boltzcurve

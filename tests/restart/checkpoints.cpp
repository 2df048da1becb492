// Which checkpoints a run leaves, and that nobody else writes where it does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "support/small_run.hpp"

namespace boltzcurve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::alone;
using testing_support::boltzcurve;
using testing_support::command_on;
using testing_support::difference;
using testing_support::Program;
using testing_support::small_config;
using testing_support::TemporaryFolder;
using testing_support::wait_for;

class Checkpoints : public testing::Test {
 protected:
  Checkpoints() { folder.write("small.ini", small_config()); }

  std::vector<std::string> train(const std::string& output, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"train", "--config", "small.ini", "--output", output};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  std::set<std::string> files(const std::string& output) const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() / output)) names.insert(entry.path().filename().string());
    return names;
  }

  const TemporaryFolder folder;
};

// Written at steps 0, 10, 20, 30 and 40; the 2nd and the 4th are kept.
TEST_F(Checkpoints, EveryKthIsKeptAndCanBeResumedFrom) {
  ASSERT_EQ(alone(folder, train("out", {"--training.checkpoint-steps=10", "--training.keep-every=2"})).exit_code, 0);
  EXPECT_THAT(files("out"), ElementsAre("checkpoint.h5", "checkpoint.previous.h5", "checkpoint.step10.h5", "checkpoint.step30.h5",
                                        "config.ini", "metrics.h5"));
  const auto resumed = boltzcurve(folder, 2, train("again", {"--resume=out/checkpoint.step10.h5"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(difference(folder, "out/checkpoint.h5", "again/checkpoint.h5", "/parameters"), "");
}

TEST_F(Checkpoints, ThatAreReadBackAreTheSame) {
  ASSERT_EQ(alone(folder, train("out")).exit_code, 0);
  const auto outcome = boltzcurve(folder, 2, train("verified", {"--training.verify-checkpoints=yes", "--training.checkpoint-steps=5"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(difference(folder, "out/checkpoint.h5", "verified/checkpoint.h5", "/parameters"), "");
}

TEST_F(Checkpoints, OfOneRunAreOutOfReachOfAnother) {
  const auto endless = train("out", {"--resume=auto", "--training.steps=100000000", "--training.log-every=1000000"});
  Program first(command_on(2, endless), folder.path());
  ASSERT_TRUE(wait_for([&] { return std::filesystem::exists(folder.path() / "out/checkpoint.h5"); }));
  for (const auto& second : {train("out"), endless, {"sample", "--output", "out"}, {"evaluate", "--output", "out"}}) {
    const auto outcome = alone(folder, second);
    EXPECT_EQ(outcome.exit_code, 3);
    EXPECT_THAT(outcome.err,
                testing::MatchesRegex("(.*\n)?boltzcurve: error: cannot use folder out: another run is at work in it \\(process [0-9]+ on "
                                      "[^ ]+, since [^ ]+\\); wait for it, stop it, or choose another --output\n"));
  }
  // A killed run leaves no lock behind, and what it was writing goes.
  for (const int rank : first.descendants("boltzcurve")) kill(rank, SIGKILL);
  first.wait();
  folder.write("out/checkpoint.partial-0123456789abcdef.h5", "half");
  const auto outcome = alone(folder, train("out", {"--resume", "--training.steps=10", "--accept-changes"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(files("out"), ElementsAre("checkpoint.h5", "checkpoint.previous.h5", "config.ini", "metrics.h5"));
}

}  // namespace
}  // namespace boltzcurve

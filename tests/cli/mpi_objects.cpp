// What a run makes of MPI's objects (communicators, types, files, hints: its own and those of HDF5) it frees.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/small_run.hpp"

namespace boltzcurve {
namespace {

using testing_support::alone;
using testing_support::Outcome;
using testing_support::run_program;
using testing_support::small_config;
using testing_support::TemporaryFolder;

class MpiObjects : public testing::Test {
 protected:
  MpiObjects() { folder.write("small.ini", small_config()); }

  void SetUp() override {
    if (std::string(MPI_OBJECTS_AT_THE_END).empty()) GTEST_SKIP() << "the sanitizers must be loaded before anything else";
  }

  Outcome counted(const std::vector<std::string>& arguments) const {
    std::vector<std::string> command = {
        MPIRUN, "--oversubscribe", "-n", "2", "env", "LD_PRELOAD=" MPI_OBJECTS_AT_THE_END, BOLTZCURVE_EXECUTABLE};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run_program(command, folder.path());
  }

  static void expect_all_freed(const Outcome& outcome) {
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, testing::ContainsRegex("MPI objects made: [1-9][0-9]*; left: none\n"));
    EXPECT_EQ(outcome.err.find("left: "), outcome.err.find("left: none")) << outcome.err;
    EXPECT_EQ(outcome.err.rfind("left: "), outcome.err.rfind("left: none")) << outcome.err;
  }

  const TemporaryFolder folder;
};

TEST_F(MpiObjects, OfARunAreFreed) { expect_all_freed(counted({"run", "--config", "small.ini", "--output", "out"})); }

TEST_F(MpiObjects, OfAPackedSweepAreFreed) {
  folder.write("rows.csv", "network.width,training.steps\n8,10\n12,10\n16,10\n");
  ASSERT_EQ(alone(folder, {"sweep", "plan", "rows.csv", "--config", "small.ini", "--output", "all"}).exit_code, 0);
  expect_all_freed(counted({"sweep", "run", "--output", "all", "--ranks-per-run=1"}));
}

TEST_F(MpiObjects, OfAFailedRunAreFreed) {
  const auto outcome = counted({"train", "--config", "small.ini", "--output", "out", "--resume=nothing.h5"});
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
  EXPECT_THAT(outcome.err, testing::ContainsRegex("MPI objects made: [1-9][0-9]*; left: none\n"));
}

}  // namespace
}  // namespace boltzcurve

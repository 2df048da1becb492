// How a job of several processes ends when some of them fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/process.hpp>

#include <string>
#include <vector>

namespace {

using boltzcurve::testing_support::Outcome;
using boltzcurve::testing_support::run_program;
using boltzcurve::testing_support::TemporaryFolder;
using testing::HasSubstr;
using testing::Not;

Outcome three_ranks(const std::string& who, const std::string& what) {
  const TemporaryFolder folder;
  return run_program({MPIRUN, "-n", "3", FAILING_RANKS, who, what}, folder.path());
}

int count(const std::string& text, const std::string& word) {
  int found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

// The patience is 2 s, start and end take less than a second; 30 s tell a loaded machine from a job that hangs.
constexpr double seconds_of_a_job_that_ends = 30;

TEST(FailingRanks, OneThatFailsAloneEndsTheJobWithItsCodeAndItsMessage) {
  const Outcome outcome = three_ranks("1", "numerical");
  EXPECT_EQ(outcome.exit_code, 4) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("boltzcurve: error: diverged (on rank 1)"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("all ranks met")));
  EXPECT_LT(outcome.seconds, seconds_of_a_job_that_ends);
}

TEST(FailingRanks, RootThatFailsAloneEndsTheJobToo) {
  const Outcome outcome = three_ranks("0", "input");
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("boltzcurve: error: cannot read modes.csv (on rank 0)"));
}

TEST(FailingRanks, OfTwoThatFailTheLowestSpeaks) {
  const Outcome outcome = three_ranks("12", "input");
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("cannot read modes.csv (on rank 1)"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("on rank 2")));
}

TEST(FailingRanks, AllThatFailLeaveInOrderAndSpeakOnce) {
  const Outcome outcome = three_ranks("all", "config");
  EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  EXPECT_EQ(count(outcome.err, "boltzcurve: error: network.width = 0"), 1) << outcome.err;
  EXPECT_THAT(outcome.err, Not(HasSubstr("MPI_ABORT")));
}

// HDF5 cannot close such a file, tries again in MPI_Finalize and crashes there.
TEST(FailingRanks, AFileThatCannotBeWrittenEndsTheJobWithItsMessageInsteadOfACrash) {
  const TemporaryFolder folder;
  const std::vector<std::string> alone = {FAILING_RANKS, "all", "disk"}, many = {MPIRUN, "-n", "3", FAILING_RANKS, "all", "disk"};
  for (const auto& command : {alone, many}) {
    SCOPED_TRACE(command[0]);
    const Outcome outcome = run_program(command, folder.path());
    EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
    EXPECT_EQ(count(outcome.err, "boltzcurve: error: cannot write the dataset /x in full.h5: HDF5: "), 1) << outcome.err;
    EXPECT_LT(outcome.seconds, seconds_of_a_job_that_ends);
  }
}

TEST(FailingRanks, NoneThatFailsPassesOnTheCodeOfTheWork) {
  const Outcome outcome = three_ranks("none", "config");
  EXPECT_EQ(outcome.exit_code, 75) << outcome.err;
  EXPECT_EQ(count(outcome.out, "all ranks met"), 3);
}

TEST(FailingRanks, ErrorsThatNobodyForesawAreInternalOnesAndAreNamed) {
  const TemporaryFolder folder;
  const auto alone = [&](const std::string& what) { return run_program({FAILING_RANKS, "all", what}, folder.path()); };
  for (const auto& [what, text] :
       {std::pair{"memory", "boltzcurve: error: out of memory"}, std::pair{"int", "an exception of unknown type"},
        std::pair{"bug", "boltzcurve: error: internal error: a bug"}}) {
    SCOPED_TRACE(what);
    const Outcome outcome = alone(what);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_THAT(outcome.err, HasSubstr(text));
  }
}

}  // namespace

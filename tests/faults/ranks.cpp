// Faults of ranks and of what they compute: the job ends within seconds, with the cause told once and the documented exit code.
#include "io/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "faults/tally.hpp"
#include "support/small_run.hpp"

namespace boltzcurve {
namespace {

using testing::HasSubstr;
using testing_support::alone;
using testing_support::boltzcurve;
using testing_support::command_on;
using testing_support::Fault;
using testing_support::Outcome;
using testing_support::Program;
using testing_support::run_program;
using testing_support::small_config;
using testing_support::TemporaryFolder;
using testing_support::wait_for;

constexpr double seconds_of_a_job_that_ends = 30;  // start and end of a job and the patience of 2 s, on a loaded machine

class Ranks : public testing::Test {
 protected:
  Ranks() { folder.write("small.ini", small_config()); }

  static int count(const std::string& text, const std::string& word) {
    int found = 0;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
    return found;
  }

  /// Two ranks with these arguments, the third with others.
  Outcome three_ranks(const std::vector<std::string>& two, const std::vector<std::string>& third) const {
    std::vector<std::string> command = {MPIRUN, "--oversubscribe", "-n", "2"};
    command.insert(command.end(), two.begin(), two.end());
    for (const char* word : {":", "-n", "1"}) command.emplace_back(word);
    command.insert(command.end(), third.begin(), third.end());
    return run_program(command, folder.path());
  }

  static void expect_that_rank_1_was_waited_for(const Outcome& outcome) {
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    char host[256] = {};
    ASSERT_EQ(gethostname(host, sizeof host), 0);
    EXPECT_THAT(outcome.out,
                testing::ContainsRegex("imbalance: rank 1 on " + std::string(host) +
                                       " was busy for [0-9.]+ s, the 2 ranks for [0-9.]+ s on average: the others waited for it\n"));
    EXPECT_EQ(count(outcome.out, "imbalance:"), 1) << outcome.out;
  }

  const TemporaryFolder folder;
};

TEST_F(Ranks, OneThatCannotReadItsConfigurationEndsAll) {
  const Fault fault;
  std::filesystem::create_directory(folder.path() / "elsewhere");
  const std::vector<std::string> train = {BOLTZCURVE_EXECUTABLE, "train", "--config", "small.ini", "--output", "out"};
  auto lost = train;
  for (const char* word : {"elsewhere", "-wdir"}) lost.insert(lost.begin(), word);
  const auto outcome = three_ranks(train, lost);
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
  EXPECT_EQ(count(outcome.err, "boltzcurve: error: cannot read config file small.ini: No such file or directory (on rank 2)"), 1)
      << outcome.err;
  EXPECT_EQ(count(outcome.err, "boltzcurve: error:"), 1) << outcome.err;
  EXPECT_LT(outcome.seconds, seconds_of_a_job_that_ends);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "out"));
}

TEST_F(Ranks, OneThatWasAskedForSomethingElseEndsAll) {
  const Fault fault;
  const std::vector<std::string> train = {BOLTZCURVE_EXECUTABLE, "train", "--config", "small.ini", "--output", "out"};
  auto other = train;
  other.emplace_back("--seed=2");
  const auto outcome = three_ranks(train, other);
  EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  EXPECT_EQ(count(outcome.err, "boltzcurve: error: request differs from that of rank 0"), 1) << outcome.err;
  EXPECT_LT(outcome.seconds, seconds_of_a_job_that_ends);
}

// Stopped like this, a rank keeps its connections: MPI waits for it for ever. Rank 0 watches over the others, and they over it.
TEST_F(Ranks, ThatStandStillEndTheJobAndAreNamed) {
  for (const std::size_t rank : {1, 0}) {
    SCOPED_TRACE("rank " + std::to_string(rank));
    const Fault fault;
    const auto output = "out" + std::to_string(rank);
    Program program(
        command_on(3, {"train", "--config", "small.ini", "--output", output, "--training.steps=100000000", "--run.watchdog-seconds=3"}),
        folder.path());
    ASSERT_TRUE(wait_for([&] { return std::filesystem::exists(folder.path() / output / "checkpoint.h5"); }));
    const auto ranks = program.ranks("boltzcurve");
    ASSERT_EQ(ranks.size(), 3u);
    kill(ranks[rank], SIGSTOP);
    const auto start = std::chrono::steady_clock::now();
    const auto outcome = program.wait();
    const std::chrono::duration<double> end = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
    EXPECT_LT(end.count(), seconds_of_a_job_that_ends);
    EXPECT_THAT(outcome.err,
                testing::ContainsRegex("boltzcurve: error: rank " + std::to_string(rank) +
                                       " on [^ ]+ has made no progress for [0-9.]+ s while [a-z ]+ and does not answer: it was "
                                       "stopped, or its node or the network is down; the job ends. --resume goes on from"));
    EXPECT_EQ(count(outcome.err, "boltzcurve: error:"), 1) << outcome.err;
    const auto resumed = boltzcurve(folder, 2, {"train", "--output", output, "--resume", "--training.steps=20", "--accept-changes"});
    EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  }
}

TEST_F(Ranks, ThatAreAllSuspendedForAWhileGoOn) {
  const Fault fault;
  Program program(
      command_on(2, {"train", "--config", "small.ini", "--output", "out", "--training.steps=100000000", "--run.watchdog-seconds=2"}),
      folder.path());
  ASSERT_TRUE(wait_for([&] { return std::filesystem::exists(folder.path() / "out/checkpoint.h5"); }));
  const auto ranks = program.ranks("boltzcurve");
  for (const int rank : ranks) kill(rank, SIGSTOP);
  std::this_thread::sleep_for(std::chrono::seconds(5));
  for (const int rank : ranks) kill(rank, SIGCONT);
  std::this_thread::sleep_for(std::chrono::seconds(3));
  EXPECT_TRUE(program.is_running());
  kill(ranks.front(), SIGUSR1);
  EXPECT_EQ(program.wait().exit_code, 75);
}

// One rank computes for a third of the time only, as on a core that it shares with others: it is the one that the rest waits for.
TEST_F(Ranks, ThatOthersWaitForAreNamedWithTheirHostAfterTraining) {
  const Fault fault;
  // Training tells from ten seconds on.
  Program program(command_on(2, {"train", "--config", "small.ini", "--output", "out", "--collocation.points=20000",
                                 "--training.steps=100000000", "--training.max-seconds=12"}),
                  folder.path());
  ASSERT_TRUE(wait_for([&] { return std::filesystem::exists(folder.path() / "out/checkpoint.h5"); }));
  const auto ranks = program.ranks("boltzcurve");
  ASSERT_EQ(ranks.size(), 2u);
  while (program.is_running()) {
    kill(ranks[1], SIGSTOP);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    kill(ranks[1], SIGCONT);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  expect_that_rank_1_was_waited_for(program.wait());
}

// One rank stands still for longer than it takes until sampling tells. Not at once: the first time may be in what ranks do together at the
// start, where none waits for another that is only slow to leave.
TEST_F(Ranks, ThatOthersWaitForAreNamedWithTheirHostAfterSampling) {
  const Fault fault;
  ASSERT_EQ(boltzcurve(folder, 2, {"train", "--config", "small.ini", "--output", "out"}).exit_code, 0);
  Program program(command_on(2, {"sample", "--output", "out", "--sampling.particles=200000"}), folder.path());
  ASSERT_TRUE(wait_for([&] { return std::filesystem::exists(folder.path() / "out/samples.unfinished"); }));
  const auto ranks = program.ranks("boltzcurve");
  ASSERT_EQ(ranks.size(), 2u);
  for (int time = 0; time < 2; ++time) {
    kill(ranks[1], SIGSTOP);
    std::this_thread::sleep_for(std::chrono::seconds(6));
    kill(ranks[1], SIGCONT);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  expect_that_rank_1_was_waited_for(program.wait());
}

// Single precision overflows where |u| > 4e9, so that the energy there is infinity minus infinity.
TEST_F(Ranks, WhereTheEnergyIsNoNumberTrainingStopsAndSaysAtWhichPoint) {
  const Fault fault;
  folder.write("far.ini",
               "[target]\nname = many-well\ndimension = 2\n[curve]\nform = anchored\n[network]\nwidth = 8\n[collocation]\nkind = uniform\n"
               "points = 256\nbox = -1e12:1e12\n[training]\nmax-skipped-steps = 3\n");
  const auto outcome = boltzcurve(folder, 2, {"train", "--config", "far.ini", "--output", "out"});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.err;
  EXPECT_EQ(count(outcome.err, "boltzcurve: error: loss or gradient was not finite in 4 steps in a row"), 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("worst point: t = "));
  EXPECT_NO_THROW((void)read_checkpoint(folder.path() / "out/checkpoint.h5")) << "the last good checkpoint is kept";
}

TEST_F(Ranks, OfASecondRunInTheSameFolderAreTurnedAway) {
  const Fault fault;
  const std::vector<std::string> endless = {"train", "--config", "small.ini", "--output", "out", "--training.steps=100000000"};
  Program first(command_on(2, endless), folder.path());
  ASSERT_TRUE(wait_for([&] { return std::filesystem::exists(folder.path() / "out/checkpoint.h5"); }));
  const auto second = boltzcurve(folder, 2, endless);
  EXPECT_EQ(second.exit_code, 3);
  EXPECT_EQ(count(second.err, "cannot use folder out: another run is at work in it (process "), 1) << second.err;
  kill(first.descendants("boltzcurve").front(), SIGUSR1);
  EXPECT_EQ(first.wait().exit_code, 75);
}

}  // namespace
}  // namespace boltzcurve

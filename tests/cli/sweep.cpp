// Sweeps through the real executable: many runs in one MPI job, with the bits of runs of their own, whatever becomes of their neighbors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "support/small_run.hpp"

namespace boltzcurve {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing_support::alone;
using testing_support::boltzcurve;
using testing_support::command_on;
using testing_support::difference;
using testing_support::Outcome;
using testing_support::Program;
using testing_support::small_config;
using testing_support::TemporaryFolder;
using testing_support::wait_for;

class Sweeps : public testing::Test {
 protected:
  Sweeps() { folder.write("small.ini", small_config()); }

  Outcome plan(const std::string& text, const std::vector<std::string>& more = {}) const {
    folder.write("sweep.ini", "[sweep]\nbase = small.ini\n" + text);
    std::vector<std::string> arguments = {"sweep", "plan", "sweep.ini", "--output", "all"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return alone(folder, arguments);
  }

  Outcome sweep(const std::string& action, const std::vector<std::string>& more = {}, int ranks = 1) const {
    std::vector<std::string> arguments = {"sweep", action, "--output", "all"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return ranks == 1 ? alone(folder, arguments) : boltzcurve(folder, ranks, arguments);
  }

  std::string content_of(const std::string& file) const {
    std::ostringstream text;
    text << std::ifstream(folder.path() / file).rdbuf();
    return text.str();
  }

  /// The folders of rows, by the manifest.
  std::vector<std::string> folders() const {
    std::istringstream lines(content_of("all/manifest.csv"));
    std::vector<std::string> found;
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      const auto begin = line.find(',') + 1;
      found.push_back("all/" + line.substr(begin, line.find(',', begin) - begin));
    }
    return found;
  }

  /// A run of its own, with the options that were planned for the row.
  void expect_bits_of_a_direct_run(const std::string& row, int ranks) const {
    std::filesystem::remove_all(folder.path() / "direct");
    const std::vector<std::string> run = {"run", "--config", row + "/config.ini", "--output", "direct", "--quiet"};
    const auto outcome = ranks == 1 ? alone(folder, run) : boltzcurve(folder, ranks, run);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    for (const char* object : {"/parameters", "/average", "/optimizer"})
      EXPECT_EQ(difference(folder, "direct/checkpoint.h5", row + "/checkpoint.h5", object), "") << row << object;
    EXPECT_EQ(difference(folder, "direct/samples.h5md", row + "/samples.h5md", "/samples"), "") << row;
    for (const char* object : {"/training/loss", "/evaluation/ess", "/evaluation/energy_distance"})
      EXPECT_EQ(difference(folder, "direct/metrics.h5", row + "/metrics.h5", object), "") << row << object;
  }

  /// Of two ranks, the one that works on the only row at work and the one that waits for it.
  std::pair<int, int> worker_and_idler(const Program& program) const {
    const auto ranks = program.ranks("boltzcurve");
    if (ranks.size() != 2) throw std::runtime_error(std::to_string(ranks.size()) + " ranks found, not 2");
    const bool first_works = sweep("status").out.find("process " + std::to_string(ranks[0]) + " ") != std::string::npos;
    return first_works ? std::pair(ranks[0], ranks[1]) : std::pair(ranks[1], ranks[0]);
  }

  const TemporaryFolder folder;
};

TEST_F(Sweeps, PackedIntoOneJobGiveTheBitsOfRunsOfTheirOwnAndOneTable) {
  const auto planned = plan("ranks-per-run = 2\n[grid]\nnetwork.width = 8, 16\nrun.seed = integers(1, 2)\n", {"--training.steps=20"});
  ASSERT_EQ(planned.exit_code, 0) << planned.err;
  EXPECT_THAT(planned.out, HasSubstr("4 rows: 4 pending\nto be run: 0-3\n"));

  const auto ran = sweep("run", {}, 4);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("4 of 4 rows, 2 at a time, 2 ranks for each"), HasSubstr("4 rows worked on, 0 failed")));
  EXPECT_THAT(ran.out, ContainsRegex("row 3 network.width=16 run.seed=2: done after"));
  for (const auto& row : folders()) expect_bits_of_a_direct_run(row, 2);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "all"))
    EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("claims")));

  EXPECT_THAT(sweep("status").out, AllOf(ContainsRegex("\n1 +done +8 +2 +runs/"), HasSubstr("4 rows: 4 done")));
  ASSERT_EQ(sweep("collect").exit_code, 0);
  EXPECT_THAT(content_of("all/sweep.csv"), AllOf(HasSubstr("row,state,detail,folder,network.width,run.seed,step,loss,particles,ess,"),
                                                 ContainsRegex("\n2,done,,runs/[0-9a-f]+,16,1,20,")));
  const auto dumped = testing_support::run_program({"h5dump", "-d", "/sweep/network.width", "all/sweep.h5"}, folder.path());
  EXPECT_THAT(dumped.out, HasSubstr("(0): 8, 8, 16, 16"));

  // Another look does nothing; more seeds add rows, and what is done stays done.
  EXPECT_THAT(sweep("run").out, HasSubstr("no row is left to be run"));
  const auto more = plan("[grid]\nnetwork.width = 16\nrun.seed = integers(1, 3)\n", {"--training.steps=20"});
  EXPECT_THAT(more.out, AllOf(HasSubstr("2 folders of runs that the sweep no longer asks for stay"), HasSubstr("3 rows: 1 pending, 2 done"),
                              HasSubstr("to be run: 2\n")));
}

TEST_F(Sweeps, OfATableRunItsRows) {
  folder.write("rows.csv", "network.width,training.steps\n8,20\n16,30\n");
  const auto planned = alone(folder, {"sweep", "plan", "rows.csv", "--config", "small.ini", "--output", "all"});
  ASSERT_EQ(planned.exit_code, 0) << planned.err;
  EXPECT_THAT(planned.out, HasSubstr("2 rows: 2 pending\nto be run: 0-1\n"));
  const auto ran = sweep("run", {}, 2);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("2 of 2 rows, 2 at a time"), HasSubstr("2 rows worked on, 0 failed")));
  expect_bits_of_a_direct_run(folders()[1], 1);

  folder.write("rows.csv", "network.width,training.steps\n8,20\n0,30\n");
  const auto refused = alone(folder, {"sweep", "plan", "rows.csv", "--config", "small.ini", "--output", "other"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("rows.csv:3: network.width = 0: must be a whole number from 1 to"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "other"));
}

TEST_F(Sweeps, GoOnWhereARowDivergesAndNameIt) {
  folder.write("small.ini",
               "[target]\nname = many-well\ndimension = 2\n[curve]\nform = anchored\n[network]\nwidth = 8\n[collocation]\n"
               "kind = uniform\npoints = 256\n[training]\nsteps = 10\nmax-skipped-steps = 3\n[sampling]\nparticles = 100\n"
               "[evaluation]\nexact-samples = 100\n");
  ASSERT_EQ(plan("[grid]\ncollocation.box = -3:3, -1e12:1e12, -4:4, -2:2\n").exit_code, 0);
  const auto ran = sweep("run", {}, 2);
  EXPECT_EQ(ran.exit_code, 4) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("4 rows worked on, 1 failed"));
  const auto status = sweep("status").out;
  EXPECT_THAT(status, AllOf(ContainsRegex("\n1 +failed +-1e12:1e12 +runs/[0-9a-f]+ +loss or gradient was not finite in 4 steps in a row"),
                            HasSubstr("4 rows: 3 done, 1 failed")));
  const auto rows = folders();
  expect_bits_of_a_direct_run(rows[0], 1);
  expect_bits_of_a_direct_run(rows[2], 1);

  EXPECT_THAT(sweep("run").out, HasSubstr("no row is left"));
  const auto again = sweep("plan", {"--failed"});
  EXPECT_THAT(again.out, AllOf(HasSubstr("1 failed rows are to be run again"), HasSubstr("4 rows: 1 pending, 3 done\nto be run: 1\n")));
  EXPECT_EQ(sweep("run").exit_code, 4);
}

TEST_F(Sweeps, GoOnAfterAKilledRankWithTheRowsThatAreLeft) {
  ASSERT_EQ(plan("[zip]\nrun.seed = 1, 2, 3, 4\ntraining.steps = 20, 100000000, 20, 30\n", {"--optimizer.decay=constant"}).exit_code, 0);
  const auto rows = folders();
  const auto exists = [&](const std::string& file) { return std::filesystem::exists(folder.path() / file); };
  {
    Program program(command_on(2, {"sweep", "run", "--output", "all"}), folder.path());
    ASSERT_TRUE(wait_for([&] {
      return exists(rows[1] + "/checkpoint.h5") && exists(rows[0] + "/outcome.json") && exists(rows[2] + "/outcome.json") &&
             exists(rows[3] + "/outcome.json");
    }));
    EXPECT_THAT(sweep("status").out, AllOf(ContainsRegex("\n1 +running .*process"), HasSubstr("4 rows: 1 running, 3 done")));
    kill(worker_and_idler(program).first, SIGKILL);
    EXPECT_NE(program.wait().exit_code, 0);
  }
  EXPECT_THAT(sweep("status").out, AllOf(ContainsRegex("\n1 +killed "), HasSubstr("4 rows: 3 done, 1 killed\nto be run: 1\n")));
  expect_bits_of_a_direct_run(rows[3], 1);

  // The other rank is killed: the launcher ends the one at work, by SIGKILL or by a SIGTERM that leaves it the time to stop in good order.
  {
    Program program(command_on(2, {"sweep", "run", "--output", "all"}), folder.path());
    ASSERT_TRUE(wait_for([&] { return sweep("status").out.find("1 running") != std::string::npos; }));
    kill(worker_and_idler(program).second, SIGKILL);
    EXPECT_NE(program.wait().exit_code, 0);
  }
  EXPECT_THAT(sweep("status").out, AllOf(ContainsRegex("\n1 +(killed|stopped .* SIGTERM)"),
                                         ContainsRegex("4 rows: 3 done, 1 (killed|stopped)\nto be run: 1\n")));

  // It goes on, is told that time is short, and stops in good order.
  Program program(command_on(2, {"sweep", "run", "--output", "all", "--rows", "1"}), folder.path());
  ASSERT_TRUE(wait_for([&] { return sweep("status").out.find("1 running") != std::string::npos; }));
  program.send(SIGUSR1);
  const auto stopped = program.wait();
  EXPECT_EQ(stopped.exit_code, 75) << stopped.err;
  EXPECT_THAT(stopped.out, AllOf(ContainsRegex("row 1 .*: stopped after"), HasSubstr("run the sweep again to go on")));
  EXPECT_THAT(sweep("status").out, AllOf(ContainsRegex("\n1 +stopped .* SIGUSR1"), HasSubstr("4 rows: 3 done, 1 stopped\nto be run: 1\n")));
}

// One job has a long first row; the other does the rest meanwhile, which the first must not do again.
TEST_F(Sweeps, OfTwoJobsDoEveryRowOnce) {
  ASSERT_EQ(plan("[grid]\ntraining.max-seconds = 10, 0.2, 0.3\n", {"--training.steps=1000000"}).exit_code, 0);
  testing_support::Program first(testing_support::command_on(1, {"sweep", "run", "--output", "all"}), folder.path());
  const auto rows = folders();
  ASSERT_TRUE(testing_support::wait_for([&] { return std::filesystem::exists(folder.path() / rows[0] / "checkpoint.h5"); }));
  const auto second = sweep("run");
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.out, AllOf(HasSubstr("2 of 3 rows"), ContainsRegex("row 2 [^:]*: done after [0-9.]+ s\n")));
  const auto written = std::filesystem::last_write_time(folder.path() / rows[2] / "checkpoint.h5");
  const auto outcome = first.wait();
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, ContainsRegex("row 2 [^:]*: done after [0-9.]+ s: by another job"));
  EXPECT_EQ(std::filesystem::last_write_time(folder.path() / rows[2] / "checkpoint.h5"), written);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / rows[2] / "checkpoint.earlier1.h5"));
  EXPECT_THAT(sweep("status").out, HasSubstr("3 rows: 3 done"));
}

TEST_F(Sweeps, AreCollectedWithoutWhatIsDamagedWhichIsNamed) {
  ASSERT_EQ(plan("[grid]\nrun.seed = 1, 2, 3\n", {"--training.steps=10"}).exit_code, 0);
  ASSERT_EQ(sweep("run").exit_code, 0);
  const auto rows = folders();
  folder.write(rows[0] + "/metrics.h5", "no metrics");
  folder.write(rows[1] + "/evaluation.json", "no json");
  folder.write(rows[2] + "/outcome.json", "{\"state\": \"done\", \"detail\": 5}");
  EXPECT_THAT(sweep("status").out, HasSubstr("3 rows: 3 done"));
  ASSERT_EQ(sweep("collect").exit_code, 0);
  const auto table = content_of("all/sweep.csv");
  EXPECT_THAT(table,
              AllOf(ContainsRegex("\n0,done,[^\n]*metrics.h5"), ContainsRegex("\n1,done,[^\n]*evaluation.json: it is no JSON object"),
                    ContainsRegex("\n2,done,,runs/[0-9a-f]+,3,10,")));
}

TEST_F(Sweeps, EndRunsThatAreWorseThanTheMedianOfTheOthers) {
  ASSERT_EQ(plan("stop-early = median-loss\nstop-early-from = 20\nstop-early-rows = 2\n[grid]\n"
                 "optimizer.learning-rate = 0.01, 0.02, 1e-12\n",
                 {"--optimizer.warm-up-steps=0", "--optimizer.decay=constant"})
                .exit_code,
            0);
  const auto ran = sweep("run");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(sweep("status").out, AllOf(ContainsRegex("\n2 +ended-early +1e-12 .* loss [0-9.]+ at step 20, the median of 2 others is"),
                                         HasSubstr("3 rows: 2 done, 1 ended-early")));
  ASSERT_EQ(sweep("collect").exit_code, 0);
  EXPECT_THAT(content_of("all/sweep.csv"), ContainsRegex("\n2,ended-early,\"loss"));
}

TEST_F(Sweeps, RefuseWhatMakesNoSenseAndLeaveNothingBehind) {
  const auto refused = [&](const std::vector<std::string>& arguments, int code, const std::string& why) {
    const auto outcome = alone(folder, arguments);
    EXPECT_EQ(outcome.exit_code, code) << arguments[1];
    EXPECT_THAT(outcome.err, HasSubstr(why));
  };
  refused({"sweep"}, 2, "command line: sweep needs an action: plan, run, status, collect");
  refused({"sweep", "stats"}, 2, "command line: unknown action 'stats' of sweep; did you mean status?");
  refused({"sweep", "plan"}, 2, "command line: sweep plan needs a FILE");
  refused({"sweep", "plan", "none.ini", "--output", "all"}, 3, "cannot read sweep file none.ini: No such file or directory");
  refused({"sweep", "run", "--output", "all"}, 3, "there is no sweep in all: no manifest.csv; plan one there");
  refused({"sweep", "status", "sweep.ini"}, 2, "a FILE and --failed are for sweep plan, not for sweep status");
  refused({"sweep", "run", "--training.steps=3"}, 2, "command line: training.steps: options of runs are settled when they are planned");
  refused({"train", "--rows=3"}, 2, "command line: --rows is for sweep, not for train");
  refused({"sweep", "status", "--rows=3"}, 2, "--rows and --ranks-per-run are for sweep run, not for sweep status");
  refused({"sweep", "run", "--ranks-per-run=none"}, 2, "--ranks-per-run = none: must be a whole number from 1 on");
  EXPECT_EQ(plan("[grid]\nnetwork.width = 8, 0\n").exit_code, 2);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "all"));
  ASSERT_EQ(plan("ranks-per-run = 3\n[grid]\nnetwork.width = 8, 16\n").exit_code, 0);
  refused({"sweep", "run", "--output", "all"}, 2,
          "a run of the sweep wants 3 ranks, and there are 1: start more, or give --ranks-per-run=1");
  refused({"sweep", "run", "--output", "all", "--rows=2"}, 2, "--rows = 2: must be rows from 0 to 1");
}

}  // namespace
}  // namespace boltzcurve

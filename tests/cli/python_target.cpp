// A target written in Python through the real executable: what becomes of the run where its process dies, and of the process where the run
// does. The rest is tested with the tools (tests/tools/test_target.py, test_sampling.py) and in unit/energy/python_worker.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/process.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace {

using boltzcurve::testing_support::Outcome;
using boltzcurve::testing_support::Program;
using boltzcurve::testing_support::run_program;
using boltzcurve::testing_support::TemporaryFolder;
using testing::HasSubstr;

/// A normal law that dies while a file `die` is there, and hangs while `hang` is; when it is asked for the first time, it leaves the number
/// of its process in `worker`.
constexpr auto model =
    "import os, signal, time\n"
    "HERE = os.path.dirname(__file__)\n"
    "asked = []\n"
    "def log_density_and_gradient(x):\n"
    "    if not asked:\n"
    "        asked.append(True)\n"
    "        with open(HERE + '/worker', 'w') as file: file.write(str(os.getpid()) + '\\n')\n"
    "    if os.path.exists(HERE + '/die'): os.kill(os.getpid(), signal.SIGKILL)\n"
    "    if os.path.exists(HERE + '/hang'): time.sleep(1000)\n"
    "    return -0.5 * (x[:, 0] ** 2 + x[:, 1] ** 2), -x\n";

constexpr auto configuration =
    "[target]\nname = python\nfunction = model.py:log_density_and_gradient\ndimension = 2\ninterpreter = " PYTHON_WITH_NUMPY
    "\n[network]\nwidth = 8\nhidden-layers = 1\n[pilot]\nparticles = 256\n[collocation]\npoints = 128\n"
    "[training]\nsteps = 20\n[sampling]\nparticles = 256\n[evaluation]\npilot-samples = 64\n";

class PythonTarget : public testing::Test {
 protected:
  void SetUp() override {
    if (std::string(PYTHON_WITH_NUMPY).empty()) GTEST_SKIP() << "no Python here has numpy: tools/install_dependencies.sh";
    folder.write("model.py", model);
    folder.write("model.ini", configuration);
  }

  static std::vector<std::string> command(const std::string& name, const std::string& output, std::vector<std::string> more = {}) {
    std::vector<std::string> words = {BOLTZCURVE_EXECUTABLE, name, "--config", "model.ini", "--quiet", "--output", output};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Outcome run(const std::string& name, const std::string& output, const std::vector<std::string>& more = {}) const {
    return run_program(command(name, output, more), folder.path());
  }
  std::string content(const std::string& file) const { return (std::ostringstream() << std::ifstream(folder.path() / file).rdbuf()).str(); }

  /// Until `done`, or for too long.
  static bool wait_until(const auto& done) {
    constexpr int tries = 2000;
    for (int i = 0; i < tries; ++i, std::this_thread::sleep_for(std::chrono::milliseconds(10)))
      if (done()) return true;
    return false;
  }
  int worker() const { return std::stoi(content("worker")); }
  static bool is_there(int process) { return kill(process, 0) == 0; }

  TemporaryFolder folder;
};

TEST_F(PythonTarget, WhoseProcessDiesLosesNothingThatWasLearned) {
  const auto whole = run("run", "whole");
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  ASSERT_EQ(run("train", "broken").exit_code, 0);
  const auto checkpoint = content("broken/checkpoint.h5");

  folder.write("die", "");
  const auto dead = run("run", "broken", {"--resume"});
  EXPECT_EQ(dead.exit_code, 4);
  EXPECT_EQ(dead.err, "boltzcurve: error: the process of the target's Python function was ended by signal 9 (Killed)\n");
  EXPECT_EQ(content("broken/checkpoint.h5"), checkpoint);

  std::filesystem::remove(folder.path() / "die");
  const auto again = run("run", "broken", {"--resume"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(content("broken/summary.csv"), content("whole/summary.csv"));
  EXPECT_FALSE(is_there(worker()));
}

TEST_F(PythonTarget, WhoseProcessDiesDuringTrainingNamesTheCheckpoint) {
  Program program(command("train", "out", {"--training.steps=100000000", "--training.evaluate-every=50", "--training.checkpoint-steps=50"}),
                  folder.path());
  ASSERT_TRUE(
      wait_until([&] { return std::filesystem::exists(folder.path() / "out/checkpoint.previous.h5"); }));  // the second one is there
  folder.write("die", "");
  const auto outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_THAT(outcome.err,
              HasSubstr("was ended by signal 9 (Killed). The last good checkpoint is kept: out/checkpoint.h5; --resume goes on"));
}

TEST_F(PythonTarget, EndsWithAProgramThatIsKilled) {
  folder.write("hang", "");
  Program program(command("run", "out"), folder.path());
  ASSERT_TRUE(wait_until([&] { return content("worker").ends_with('\n'); }));
  const int process = worker();
  EXPECT_TRUE(is_there(process));
  program.send(SIGKILL);
  EXPECT_TRUE(wait_until([&] { return !is_there(process); }));
}

TEST_F(PythonTarget, IsLeftAloneByTheSignalThatStopsTheRun) {
  Program program(command("train", "out", {"--training.steps=100000000", "--training.evaluate-every=1"}), folder.path());
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(folder.path() / "out/metrics.h5"); }));
  const int process = worker();
  kill(process, SIGTERM);  // as a scheduler sends it to all processes of a job
  program.send(SIGTERM);
  const auto outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 75) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_FALSE(is_there(process));
}

}  // namespace

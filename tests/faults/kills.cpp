// SIGKILL to one rank or to all at random moments of training, of writing checkpoints and of sampling: the run goes on to the bits of one
// that was left alone.
#include <boltzcurve/error.hpp>
#include "io/checkpoint.hpp"
#include "io/samples_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "faults/tally.hpp"
#include "support/small_run.hpp"

namespace boltzcurve {
namespace {

using testing_support::alone;
using testing_support::boltzcurve;
using testing_support::by_matching;
using testing_support::by_residual;
using testing_support::command_on;
using testing_support::difference;
using testing_support::Fault;
using testing_support::Program;
using testing_support::small_config;
using testing_support::tally;
using testing_support::TemporaryFolder;

enum class During { training, checkpoint, sampling, writing };

/// An undisturbed run in "whole", and runs of the same in other folders.
class Kills : public testing::TestWithParam<const char*> {
 protected:
  Kills() {
    folder.write("small.ini", small_config(GetParam()));
    const auto outcome = boltzcurve(folder, 2, run("whole"));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  }

  static std::vector<std::string> run(const std::string& output) {
    return {"run",
            "--config",
            "small.ini",
            "--output",
            output,
            "--resume=auto",
            "--training.steps=120",
            "--training.checkpoint-steps=10",
            "--training.log-every=20",
            "--sampling.particles=3000",
            "--sampling.relative-tolerance=1e-9",
            "--sampling.absolute-tolerance=1e-9",
            "--sampling.frames=30"};
  }

  bool exists(const std::string& file) const {
    std::error_code missing;
    return std::filesystem::exists(folder.path() / file, missing);
  }

  bool checkpoint_is_being_written(const std::string& output) const {
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() / output, missing))
      if (entry.path().filename().string().find(".partial-") != std::string::npos) return true;
    return false;
  }

  /// Looks without a pause, because some of what it waits for lasts a millisecond.
  template <class Condition>
  static void await(Program& program, const Condition& condition) {
    while (program.is_running() && !condition()) std::this_thread::yield();
  }

  void expect_same_as_whole(const std::string& output) const {
    for (const char* object : {"/parameters", "/average", "/optimizer", "/collocation"})
      EXPECT_EQ(difference(folder, "whole/checkpoint.h5", output + "/checkpoint.h5", object), "") << object;
    EXPECT_EQ(difference(folder, "whole/metrics.h5", output + "/metrics.h5", "/training/loss"), "");
    for (const char* object : {"/samples", "/particles"})
      EXPECT_EQ(difference(folder, "whole/samples.h5md", output + "/samples.h5md", object), "") << object;
    EXPECT_EQ(evaluation("whole"), evaluation(output));
  }

  nlohmann::json evaluation(const std::string& output) const {
    auto json = nlohmann::json::parse(std::ifstream(folder.path() / output / "evaluation.json"), nullptr, false);
    for (const char* not_the_samples : {"ranks", "seconds_train", "seconds_sample"}) json.erase(not_the_samples);
    return json;
  }

  /// What a killed run has left must be whole as far as it goes.
  void expect_whole_leavings(const std::string& output) const {
    for (const char* file : {"/checkpoint.h5", "/checkpoint.previous.h5"}) {
      if (!exists(output + file)) continue;
      EXPECT_NO_THROW((void)read_checkpoint(folder.path() / (output + file)));
    }
    if (!exists(output + "/samples.h5md")) return;
    try {
      const auto left = read_trajectory(folder.path() / output / "samples.h5md");
      ++tally().samples;
      const auto whole = read_trajectory(folder.path() / "whole/samples.h5md");
      ASSERT_LE(left.frames, whole.frames);
      if (left.frames == 0) return;
      const auto flushed = static_cast<std::ptrdiff_t>(left.coordinates.size());
      EXPECT_EQ(left.coordinates, std::vector<double>(whole.coordinates.begin(), whole.coordinates.begin() + flushed));
      tally().frames += static_cast<int>(left.frames);
    } catch (const InputError&) {
      // Killed before its first flush: there is no frame to lose.
    }
  }

  void wait_for_the_moment(Program& program, const std::string& output, During during, std::chrono::microseconds delay, int skip) const {
    if (during == During::training) await(program, [&] { return exists(output + "/checkpoint.h5"); });
    if (during == During::sampling) await(program, [&] { return exists(output + "/samples.unfinished"); });
    if (during == During::writing) await(program, [&] { return exists(output + "/samples.h5md"); });
    if (during != During::checkpoint) std::this_thread::sleep_for(delay);
    for (; during == During::checkpoint && skip >= 0; --skip) {
      await(program, [&] { return checkpoint_is_being_written(output); });
      if (skip > 0) await(program, [&] { return !checkpoint_is_being_written(output); });
    }
  }

  void kill_and_go_on(unsigned seed) const {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
    const auto during = static_cast<During>(seed % 4);
    const bool one_only = pick(2) == 0;
    const auto output = "killed" + std::to_string(seed);
    const int ranks_of_run = 2 + pick(2), skip = pick(8), victim = pick(ranks_of_run);
    const auto delay = std::chrono::microseconds(pick(during == During::writing ? 50'000 : 300'000));
    const Fault fault;
    // Where a quick machine is done before the fault, it comes sooner.
    constexpr int attempts = 8;
    bool killed = false;
    for (int haste = 0; !killed; ++haste) {
      ASSERT_LT(haste, attempts) << "every run was over before the fault";
      std::filesystem::remove_all(folder.path() / output);
      Program program(command_on(ranks_of_run, run(output)), folder.path());
      wait_for_the_moment(program, output, during, delay / (1 << haste), skip >> haste);
      const auto ranks = program.ranks("boltzcurve");
      const auto start = std::chrono::steady_clock::now();
      for (std::size_t r = 0; r < ranks.size(); ++r)
        if (!one_only || static_cast<int>(r) == victim) kill(ranks[r], SIGKILL);
      killed = program.wait().exit_code != 0;
      const std::chrono::duration<double> end = std::chrono::steady_clock::now() - start;
      if (!killed || !one_only) continue;
      ++tally().killed_alone;
      tally().slowest_end = std::max(tally().slowest_end, end.count());
      EXPECT_LT(end.count(), 10) << "the other ranks hang";
    }
    expect_whole_leavings(output);
    const auto resumed = pick(2) == 0 ? alone(folder, run(output)) : boltzcurve(folder, 2, run(output));
    ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
    expect_same_as_whole(output);
    if (!HasFailure()) std::filesystem::remove_all(folder.path() / output);
  }

  const TemporaryFolder folder;
};

TEST_P(Kills, LoseNothing) {
  for (unsigned seed = 0; seed < 10; ++seed) kill_and_go_on(seed);
}

using ManyKills = Kills;
TEST_P(ManyKills, LoseNothing) {
  for (unsigned seed = 0; seed < 50; ++seed) kill_and_go_on(seed);
}

INSTANTIATE_TEST_SUITE_P(EitherWay, Kills, testing::Values(by_matching, by_residual));
INSTANTIATE_TEST_SUITE_P(EitherWay, ManyKills, testing::Values(by_matching, by_residual));

}  // namespace
}  // namespace boltzcurve

// Sampling that is stopped or killed: what is finished is not drawn again, and the file is that of a run left alone.
#include "io/samples_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "support/small_run.hpp"

namespace boltzcurve {
namespace {

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

/// A trained curve in "out" and "whole", and sampling of a second or two.
class Sampling : public testing::Test {
 protected:
  Sampling() {
    folder.write("small.ini", small_config());
    EXPECT_EQ(alone(folder, {"train", "--config", "small.ini", "--output", "out"}).exit_code, 0);
    std::filesystem::copy(folder.path() / "out", folder.path() / "whole");
  }

  static std::vector<std::string> sample(const std::string& output, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"sample",
                                          "--output",
                                          output,
                                          "--sampling.particles=60000",
                                          "--sampling.relative-tolerance=1e-10",
                                          "--sampling.absolute-tolerance=1e-10"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  std::filesystem::path unfinished() const { return folder.path() / "out/samples.unfinished"; }

  /// Waits until some particles, but not nearly all, are finished.
  bool some_are_finished() const {
    constexpr std::uintmax_t bytes_of_some = 100'000;
    std::error_code not_yet;
    return wait_for([&] {
      return std::filesystem::exists(unfinished(), not_yet) && std::filesystem::file_size(unfinished(), not_yet) > bytes_of_some;
    });
  }

  void expect_same_bits_as_whole() const {
    ASSERT_EQ(alone(folder, sample("whole")).exit_code, 0);
    for (const char* object : {"/samples", "/particles"})
      EXPECT_EQ(difference(folder, "whole/samples.h5md", "out/samples.h5md", object), "") << object;
    EXPECT_TRUE(read_samples(folder.path() / "out/samples.h5md").complete);
    EXPECT_FALSE(std::filesystem::exists(unfinished()));
  }

  const TemporaryFolder folder;
};

TEST_F(Sampling, StoppedByASignalGoesOnWithTheParticlesThatAreLeft) {
  Program program(command_on(2, sample("out")), folder.path());
  ASSERT_TRUE(some_are_finished());
  kill(program.descendants("boltzcurve").back(), SIGUSR1);
  const auto stopped = program.wait();
  EXPECT_EQ(stopped.exit_code, 75) << stopped.err;
  EXPECT_THAT(stopped.out, testing::ContainsRegex("stopped by SIGUSR1 after [0-9]+ of 60000 particles; --resume goes on"));
  const auto resumed = boltzcurve(folder, 3, sample("out", {"--resume", "--sampling.block=256", "--run.watchdog-seconds=100"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.out, testing::ContainsRegex("sampling goes on: [0-9]+ of 60000 particles are finished\n"));
  EXPECT_THAT(resumed.out, Not(HasSubstr("goes on: 60000 of"))) << "the signal came too late to show anything";
  expect_same_bits_as_whole();
}

TEST_F(Sampling, KilledGoesOnPastRecordsThatAreDamaged) {
  Program program(command_on(2, sample("out")), folder.path());
  ASSERT_TRUE(some_are_finished());
  for (const int rank : program.descendants("boltzcurve")) kill(rank, SIGKILL);
  program.wait();
  {
    constexpr std::streamoff in_the_first_record = 1000;
    std::fstream bytes(unfinished(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(in_the_first_record);
    bytes.write("damaged!", 8);
  }
  const auto resumed = alone(folder, sample("out", {"--resume=auto"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.out, testing::ContainsRegex("sampling goes on: [0-9]+ of 60000 particles are finished\n"));
  expect_same_bits_as_whole();
}

TEST_F(Sampling, ThatWouldGiveOtherParticlesBeginsAnew) {
  Program program(command_on(2, sample("out")), folder.path());
  ASSERT_TRUE(some_are_finished());
  kill(program.descendants("boltzcurve").back(), SIGUSR1);
  program.wait();
  for (const auto& more : {std::vector<std::string>{"--resume", "--seed=9"}, {}}) {
    auto arguments = sample("out", more);
    arguments.emplace_back("--sampling.particles=500");
    const auto outcome = alone(folder, arguments);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, Not(HasSubstr("sampling goes on")));
    // What was there is not lost where it was to be gone on from.
    if (!more.empty()) {
      EXPECT_THAT(outcome.err, HasSubstr("warning: out/samples.unfinished held particles that do not follow from these options and this "
                                         "checkpoint; it is now out/samples.previous.unfinished\n"));
      EXPECT_TRUE(std::filesystem::exists(folder.path() / "out/samples.previous.unfinished"));
    }
  }
}

// A flipped bit of a position or of a weight gives another weight than the file has.
TEST_F(Sampling, WhoseBytesHaveChangedIsNotMeasured) {
  ASSERT_EQ(alone(folder, {"sample", "--output", "out"}).exit_code, 0);
  const auto file = folder.path() / "out/samples.h5md";
  ASSERT_EQ(alone(folder, {"evaluate", "--output", "out"}).exit_code, 0);
  const auto samples = read_samples(file);
  const auto bytes = [&] { return (std::ostringstream() << std::ifstream(file, std::ios::binary).rdbuf()).str(); }();
  constexpr std::size_t particle = 250;  // of the second rank of two
  for (const double value : {samples.log_weight[particle], samples.log_density[particle], samples.position[2 * particle]}) {
    std::string as_bytes(reinterpret_cast<const char*>(&value), sizeof value);
    // The last place: a position stands among the frames as well.
    const auto at = bytes.rfind(as_bytes);
    ASSERT_NE(at, std::string::npos);
    auto changed = bytes;
    changed[at + 6] = static_cast<char>(changed[at + 6] ^ 4);  // of the mantissa, a sixteenth of the value or so
    std::ofstream(file, std::ios::binary) << changed;
    const auto outcome = boltzcurve(folder, 2, {"evaluate", "--output", "out"});
    EXPECT_EQ(outcome.exit_code, 3) << outcome.out;
    EXPECT_THAT(outcome.err, testing::ContainsRegex("error: out/samples.h5md: particle 250 has the log weight [-0-9.e]+, but its position "
                                                    "and log density give [-0-9.e]+: the file is damaged, or of another target"));
  }
}

TEST_F(Sampling, OfARunThatIsStoppedGoesOnAndIsMeasuredAlike) {
  auto run = sample("out", {"--config", "small.ini", "--resume"});
  run[0] = "run";
  Program program(command_on(2, run), folder.path());
  ASSERT_TRUE(some_are_finished());
  folder.write("out/STOP", "");
  const auto stopped = program.wait();
  EXPECT_EQ(stopped.exit_code, 75) << stopped.err;
  EXPECT_THAT(stopped.out, testing::ContainsRegex("stopped by the file STOP after [0-9]+ of 60000 particles"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "out/evaluation.json"));
  const auto resumed = boltzcurve(folder, 2, run);
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "out/evaluation.json"));
  expect_same_bits_as_whole();
}

}  // namespace
}  // namespace boltzcurve

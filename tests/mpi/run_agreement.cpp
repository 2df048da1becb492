// What ranks agree on: how they end, when they stop, that they were asked the same, and where results go.
#include "app/process/exit.hpp"
#include "app/process/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

namespace boltzcurve {
namespace {

using ThisRun = Run;  // inside a test, Run is a member of GoogleTest
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

const Communicator& world() {
  static const Communicator ranks(MPI_COMM_WORLD);
  return ranks;
}
bool is_last() { return world().rank() == world().size() - 1; }

TEST(RunExit, EveryRankEndsWithTheCodeOfTheLowestThatFailed) {
  testing::internal::CaptureStderr();
  const int code = exit_code_of(
      world(),
      [&]() -> ExitCode {
        world().barrier();
        if (is_last()) throw InputError("cannot read modes.csv");  // behind the last collective: the others end well
        return ExitCode::done;
      },
      60);
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_EQ(code, 3);
  const std::string where = world().size() > 1 ? " (on rank " + std::to_string(world().rank()) + ")" : "";
  EXPECT_EQ(told, is_last() ? "boltzcurve: error: cannot read modes.csv" + where + "\n" : "");
}

TEST(RunExit, OnlyTheLowestOfManyFailuresIsTold) {
  testing::internal::CaptureStderr();
  const int code = exit_code_of(
      world(),
      [&]() -> ExitCode {
        if (world().is_root()) throw NumericalError("diverged");
        throw InputError("something that follows from it");
      },
      60);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), world().is_root() ? "boltzcurve: error: diverged\n" : "");
  EXPECT_EQ(code, 4);
}

TEST(RunExit, WorkThatSucceedsPassesOnItsCode) {
  EXPECT_EQ(exit_code_of(world(), [] { return ExitCode::stopped_resumable; }), 75);
}

TEST(RunStop, ASignalOnAnyRankStopsAll) {
  StopRequest request(world());
  EXPECT_EQ(request.agree().stop, Stop::no);
  if (is_last()) std::raise(SIGUSR1);
  EXPECT_EQ(request.agree().stop, Stop::user_signal);
}

TEST(RunStop, ACheckpointAskedOfAnyRankIsWrittenByAll) {
  StopRequest request(world());
  if (is_last()) std::raise(SIGUSR2);
  EXPECT_TRUE(request.agree().checkpoint);
  EXPECT_FALSE(request.agree().checkpoint);
}

TEST(RunStop, OfTheClocksOnlyTheRootsCounts) {
  double now = 0;
  StopRequest request(world(), {}, [&] { return now; });
  request.start_clock(10, 5);
  if (!world().is_root()) now = 1000;
  const auto before = request.agree();
  EXPECT_EQ(before.stop, Stop::no);
  EXPECT_FALSE(before.checkpoint);
  now = world().is_root() ? 10 : 0;
  const auto after = request.agree();
  EXPECT_EQ(after.stop, Stop::time_limit);
  EXPECT_TRUE(after.checkpoint);
}

TEST(RunAgreement, SameTextPassesAndAnotherIsNamedOnEveryRank) {
  EXPECT_NO_THROW(require_same(world(), "request", "a\nb\n"));
  if (world().size() == 1) GTEST_SKIP() << "needs 2 ranks";
  const std::string advice = "; start every rank with the same arguments and files (on rank " + std::to_string(world().size() - 1) + ")";
  EXPECT_THAT([&] { require_same(world(), "request", is_last() ? "a\nc\n" : "a\nb\n"); },
              ThrowsMessage<Error>("request differs from that of rank 0: 'c' in place of 'b'" + advice));
  EXPECT_THAT([&] { require_same(world(), "request", is_last() ? "a\nb\nc" : "a\nb\n"); },
              ThrowsMessage<Error>("request differs from that of rank 0: 'c' in place of ''" + advice));
}

Request request_into(const std::filesystem::path& folder) {
  Request request;
  request.output = folder;
  request.command_line = "boltzcurve train";
  return request;
}

TEST(RunRun, AllRanksCarryTheSameProvenance) {
  Options options;
  options.target.name = "funnel";
  options.run.seed = 7;
  const ThisRun run(world(), request_into("."), options);
  const auto& provenance = run.provenance();
  EXPECT_EQ(provenance.seed, 7u);
  EXPECT_EQ(provenance.command_line, "boltzcurve train");
  EXPECT_EQ(resolve_options(std::vector<OptionSource>{parse_config(provenance.options, "")}).run.seed, 7u);
  EXPECT_THAT(provenance.build, HasSubstr("Kokkos"));
  EXPECT_THAT(provenance.start_utc, testing::MatchesRegex("20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"));
  EXPECT_EQ(provenance.hosts.size(), 1u) << "these tests run on one machine";
  const auto starts = world().all_gather(provenance.start_utc);
  for (const auto& start : starts) EXPECT_EQ(start, starts[0]);
}

TEST(RunRun, OutputFolderIsMadeWithItsParentsAndAFileInItsPlaceIsAnErrorOnEveryRank) {
  std::string name = (std::filesystem::temp_directory_path() / ("boltzcurve-run-" + std::to_string(getpid()))).string();
  world().broadcast(name);
  const std::filesystem::path folder = name;
  ThisRun run(world(), request_into(folder / "a" / "b"), Options());
  run.take_output_folder();
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a" / "b"));
  EXPECT_EQ(run.output("checkpoint.h5"), folder / "a" / "b" / "checkpoint.h5");

  if (world().is_root()) std::fclose(std::fopen((folder / "file").c_str(), "w"));
  ThisRun bad(world(), request_into(folder / "file"), Options());
  EXPECT_THAT([&] { bad.take_output_folder(); },
              ThrowsMessage<Error>(HasSubstr("cannot use output folder " + (folder / "file").string() + ": ")));
  world().barrier();
  if (world().is_root()) std::filesystem::remove_all(folder);
}

TEST(RunRun, KeepsOthersOutOfItsFolderUntilItEnds) {
  std::string name = (std::filesystem::temp_directory_path() / ("boltzcurve-lock-" + std::to_string(getpid()))).string();
  world().broadcast(name);
  {
    ThisRun first(world(), request_into(name), Options());
    first.take_output_folder();
    ThisRun second(world(), request_into(name), Options());
    EXPECT_THAT([&] { second.take_output_folder(); },
                ThrowsMessage<Error>(AllOf(HasSubstr("cannot use folder " + name + ": another run is at work in it (process "),
                                           HasSubstr("; wait for it, stop it, or choose another --output"))));
  }
  ThisRun third(world(), request_into(name), Options());
  EXPECT_NO_THROW(third.take_output_folder());
  world().barrier();
  if (world().is_root()) std::filesystem::remove_all(name);
}

// Another run had the folder between the reading of a checkpoint and the lock.
TEST(RunRun, DoesNotGoOnFromACheckpointThatWasReplacedAfterItWasRead) {
  std::string name = (std::filesystem::temp_directory_path() / ("boltzcurve-replaced-" + std::to_string(getpid()))).string();
  world().broadcast(name);
  const std::filesystem::path folder = name, file = folder / "checkpoint.h5";
  const auto write = [&](std::int64_t step) {
    on_root(world(), [&] {
      std::filesystem::create_directories(folder);
      Checkpoint checkpoint;
      checkpoint.scalars["step"] = step;
      write_checkpoint(file, checkpoint);
    });
  };
  write(100);
  {
    ThisRun good(world(), request_into(folder), Options(), read_checkpoint(world(), file));
    EXPECT_NO_THROW(good.take_output_folder());
  }
  ThisRun late(world(), request_into(folder), Options(), read_checkpoint(world(), file));
  write(200);
  EXPECT_THAT([&] { late.take_output_folder(); },
              ThrowsMessage<Error>(HasSubstr("another run was at work there and has replaced checkpoint.h5 after it was read")));
  world().barrier();
  if (world().is_root()) std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace boltzcurve

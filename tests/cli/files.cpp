// What the program makes in its output folder, and what it leaves alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/process.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/stat.h>

namespace {

using boltzcurve::testing_support::Outcome;
using boltzcurve::testing_support::run_program;
using boltzcurve::testing_support::TemporaryFolder;

const std::string small_run =
    "exec '" BOLTZCURVE_EXECUTABLE
    "' run --output out --target.name=funnel --target.dimension=2 --network.width=4 --network.hidden-layers=1 --collocation.points=64 "
    "--collocation.kind=uniform --training.steps=2 --sampling.particles=64 --evaluation.exact-samples=64 --quiet";

std::string content_of(const std::filesystem::path& file) { return (std::ostringstream() << std::ifstream(file).rdbuf()).str(); }

TEST(Files, HaveTheRightsThatTheUmaskLeaves) {
  for (const mode_t umask : {0022, 0077, 0002}) {
    const TemporaryFolder folder;
    std::ostringstream mask;
    mask << std::oct << umask;
    const Outcome outcome = run_program({"sh", "-c", "umask 0" + mask.str() + "; " + small_run}, folder.path());
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "out")) {
      struct stat status {};
      ASSERT_EQ(lstat(entry.path().c_str(), &status), 0);
      constexpr mode_t all_of_a_file = 0666;
      EXPECT_EQ(status.st_mode & 0777, all_of_a_file & ~umask) << entry.path();
      ++files;
    }
    EXPECT_GE(files, 5);
    struct stat status {};
    ASSERT_EQ(stat((folder.path() / "out").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0777 & ~umask);
  }
}

// In a folder that others may write to, they may leave links under the names that a run is known to write.
TEST(Files, AreNeverWrittenThroughALink) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "out");
  for (const std::string name : {"checkpoint.h5", "checkpoint.previous.h5", "config.ini", "metrics.h5", "metrics.previous.h5",
                                 "samples.h5md", "samples.previous.h5md", "evaluation.json", "summary.csv"}) {
    folder.write("precious-" + name, "precious");
    std::filesystem::create_symlink("../precious-" + name, folder.path() / "out" / name);
  }
  const Outcome outcome = run_program({"sh", "-c", small_run}, folder.path());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  int precious = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    if (!entry.path().filename().string().starts_with("precious-")) continue;
    EXPECT_EQ(content_of(entry.path()), "precious") << entry.path();
    ++precious;
  }
  EXPECT_EQ(precious, 9);
}

// Open MPI 4.1 writes beyond its memory where the absolute path of a file that all ranks write has 248 letters or more.
TEST(Files, MayHaveLongPaths) {
  const TemporaryFolder folder;
  const auto deep = folder.path() / std::string(230, 'a');
  std::filesystem::create_directory(deep);
  for (const std::string& launcher : {std::string(), std::string(MPIRUN) + " --oversubscribe -n 2 "}) {
    const Outcome outcome = run_program({"sh", "-c", launcher + small_run.substr(std::string("exec ").size())}, deep);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_TRUE(std::filesystem::exists(deep / "out/evaluation.json"));
    std::filesystem::remove_all(deep / "out");
  }
}

TEST(Files, StandInTheOutputFolderAlone) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "work");
  const Outcome outcome = run_program({"sh", "-c", small_run}, folder.path() / "work");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  int entries = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    const auto place = std::filesystem::relative(entry.path(), folder.path()).string();
    EXPECT_TRUE(place == "work" || place == "work/out" || place.starts_with("work/out/")) << place;
    ++entries;
  }
  EXPECT_GT(entries, 5);
}

}  // namespace

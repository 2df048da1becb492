#include "io/metrics_file.hpp"
#include <boltzcurve/error.hpp>
#include "io/durable_file.hpp"
#include "io/hdf5.hpp"

#include <csignal>
#include <limits>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/io/example_provenance.hpp"
#include "unit/io/scratch_folder.hpp"
#include "unit/io/small_disk.hpp"

namespace boltzcurve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::example_provenance;
using ::testing::HasSubstr;
using testing::ScratchFolder;
using testing::SmallDisk;
using ::testing::ThrowsMessage;

const std::vector<Column> training{{.name = "step", .unit = "1", .values = Integers()},
                                   {.name = "loss", .unit = "nats^2/time^2"},
                                   {.name = "points_per_second", .unit = "points/s"}};
const std::vector<Column> evaluation{{.name = "ess", .unit = "1"}, {.name = "particles", .unit = "1", .values = Integers()}};

std::vector<Cell> row(std::int64_t step, double loss) { return {step, loss, std::int64_t{7}}; }

/// What another program does to a file that it has open: h5py reading, or writing.
class Lock {
 public:
  Lock(const std::filesystem::path& path, int kind) : file_(::open(path.c_str(), O_RDWR)) { EXPECT_EQ(::flock(file_, kind | LOCK_NB), 0); }
  ~Lock() { ::close(file_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int file_;
};

TEST(MetricsFile, GrowsWhileAnotherProgramReadsItAndCanBeReadWhileItGrows) {
  const ScratchFolder folder;
  const auto path = folder / "metrics.h5";
  {
    MetricsFile file(path, example_provenance());
    file.declare("training", training);
    file.append("training", row(0, 1));
  }
  const Lock reader(path, LOCK_SH);
  MetricsFile file(path, example_provenance());
  file.declare("training", training);
  file.append("training", row(1, 0.5));
  const Lock second(path, LOCK_SH);  // nothing of ours stands in its way
  EXPECT_THAT(read_metrics(path, "training").integer("step"), ElementsAre(0, 1));
}

// Samples are read with a lock: one that is held elsewhere is no damage.
TEST(OpenFile, CallsALockedFileLockedAndNotDamaged) {
  const ScratchFolder folder;
  const auto path = folder / "metrics.h5";
  MetricsFile(path, example_provenance()).close();
  const Lock writer(path, LOCK_EX);
  EXPECT_THAT([&] { hdf5::open_file(path, hdf5::Mode::read_only, hdf5::file_access()); },
              ThrowsMessage<NotDamaged>(AllOf(HasSubstr("metrics.h5"), HasSubstr("another program holds it open"))));
}

TEST(MetricsFile, GivesBackRowsColumnsUnitsAndProvenance) {
  const ScratchFolder folder;
  const auto path = folder / "metrics.h5";
  MetricsFile file(path, example_provenance());
  file.declare("training", training);
  file.declare("evaluation", evaluation);
  constexpr std::int64_t count = 1030;  // more than a chunk of 1024
  for (std::int64_t i = 0; i < count; ++i) file.append("training", row(i, 1.0 / static_cast<double>(i + 1)));
  EXPECT_EQ(file.rows("training"), count);
  EXPECT_EQ(file.rows("evaluation"), 0);
  file.close();

  const auto table = read_metrics(path, "training");
  ASSERT_EQ(table.series.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(table.series[i].name, training[i].name);
    EXPECT_EQ(table.series[i].unit, training[i].unit);
    EXPECT_EQ(table.series[i].values.index(), training[i].values.index());
  }
  ASSERT_EQ(table.integer("step").size(), static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    EXPECT_EQ(table.integer("step")[static_cast<std::size_t>(i)], i);
    EXPECT_EQ(table.real("loss")[static_cast<std::size_t>(i)], 1.0 / static_cast<double>(i + 1));
    EXPECT_EQ(table.real("points_per_second")[static_cast<std::size_t>(i)], 7.0);
  }
  EXPECT_EQ(table.provenance.command_line, example_provenance().command_line);
  EXPECT_EQ(table.provenance.format, "boltzcurve metrics");
  EXPECT_THAT(read_metrics(path, "evaluation").real("ess"), ElementsAre());
}

TEST(MetricsFile, GoesOnWhereAnotherRunStopped) {
  const ScratchFolder folder;
  const auto path = folder / "metrics.h5";
  {
    MetricsFile file(path, example_provenance());
    file.declare("training", training);
    file.append("training", row(1, 0.5));
    file.append("training", row(2, std::numeric_limits<double>::infinity()));
  }
  auto later = example_provenance();
  later.command_line = "boltzcurve evaluate";
  MetricsFile file(path, later);
  file.declare("evaluation", evaluation);
  file.append("evaluation", std::vector<Cell>{0.97, std::int64_t{10000}});
  file.declare("training", training);
  EXPECT_EQ(file.rows("training"), 2);
  file.append("training", row(3, 0.25));
  file.close();
  EXPECT_THAT(read_metrics(path, "training").integer("step"), ElementsAre(1, 2, 3));
  EXPECT_THAT(read_metrics(path, "training").real("loss"), ElementsAre(0.5, std::numeric_limits<double>::infinity(), 0.25));
  EXPECT_THAT(read_metrics(path, "evaluation").real("ess"), ElementsAre(0.97));
  EXPECT_EQ(read_metrics(path, "evaluation").provenance.command_line, example_provenance().command_line);
}

TEST(MetricsFile, TakesBackTheRowsAfterACheckpoint) {
  const ScratchFolder folder;
  MetricsFile file(folder / "metrics.h5", example_provenance());
  file.declare("training", training);
  for (std::int64_t step = 10; step <= 50; step += 10) file.append("training", row(step, 1.0));
  file.remove_after("training", "step", 60);
  EXPECT_EQ(file.rows("training"), 5);
  file.remove_after("training", "step", 30);
  EXPECT_EQ(file.rows("training"), 3);
  file.append("training", row(40, 2.0));
  file.remove_after("training", "step", 40);
  file.close();
  EXPECT_THAT(read_metrics(folder / "metrics.h5", "training").integer("step"), ElementsAre(10, 20, 30, 40));
  EXPECT_THAT(read_metrics(folder / "metrics.h5", "training").real("loss"), ElementsAre(1.0, 1.0, 1.0, 2.0));
}

TEST(MetricsFile, RemovesRowsThatAreNotWhole) {
  const ScratchFolder folder;
  const auto path = folder / "metrics.h5";
  {
    MetricsFile file(path, example_provenance());
    file.declare("training", training);
    file.append("training", row(1, 0.5));
  }
  {
    auto file = hdf5::open_file(path, hdf5::Mode::read_write, hdf5::file_access());
    hdf5::resize(hdf5::open_dataset(file, "training/step"), {2});
    file.close();
  }
  EXPECT_THAT(read_metrics(path, "training").integer("step"), ElementsAre(1));
  MetricsFile file(path, example_provenance());
  file.declare("training", training);
  file.append("training", row(7, 0.25));
  file.close();
  EXPECT_THAT(read_metrics(path, "training").integer("step"), ElementsAre(1, 7));
}

TEST(MetricsFile, RefusesOtherColumnsByName) {
  const ScratchFolder folder;
  const auto path = folder / "metrics.h5";
  { MetricsFile(path, example_provenance()).declare("training", training); }
  const auto declare = [&](std::vector<Column> columns) { MetricsFile(path, example_provenance()).declare("training", columns); };
  auto other = training;
  other[1].unit = "1";
  EXPECT_THAT([&] { declare(other); },
              ThrowsMessage<InputError>(
                  "cannot append to " + path.string() +
                  " /training: its column 2 is loss [float64, nats^2/time^2], this program writes loss [float64, 1]; move the file away"));
  other = training;
  other[0].values = Reals();
  EXPECT_THAT([&] { declare(other); },
              ThrowsMessage<InputError>(HasSubstr("column 1 is step [int64, 1], this program writes step [float64, 1]")));
  other = training;
  other.pop_back();
  EXPECT_THAT([&] { declare(other); },
              ThrowsMessage<InputError>(HasSubstr("column 3 is points_per_second [float64, points/s], this program writes none there")));
  other = training;
  other.push_back({.name = "ess", .unit = "1"});
  EXPECT_THAT([&] { declare(other); }, ThrowsMessage<InputError>(HasSubstr("column 4 is missing, this program writes ess [float64, 1]")));
}

TEST(MetricsFile, RefusesRowsThatDoNotFit) {
  const ScratchFolder folder;
  MetricsFile file(folder / "metrics.h5", example_provenance());
  EXPECT_THAT([&] { file.append("training", row(1, 1.0)); }, ThrowsMessage<Error>("metrics: table training is not declared"));
  file.declare("training", training);
  EXPECT_THAT([&] { file.append("training", std::vector<Cell>{1.0}); },
              ThrowsMessage<Error>("metrics: table training has 3 columns, a row of 1 values was given"));
  EXPECT_THAT(
      [&] {
        file.append("training", std::vector<Cell>{1.5, 1.0, 1.0});
      },
      ThrowsMessage<Error>("metrics: column step of table training holds integers, 1.5 was given"));
  EXPECT_EQ(file.rows("training"), 0);
}

TEST(MetricsFile, SaysWhatIsWrongWithAFile) {
  const ScratchFolder folder;
  const auto path = folder / "metrics.h5";
  EXPECT_THAT([&] { read_metrics(path, "training"); },
              ThrowsMessage<InputError>(AllOf(HasSubstr(path.string()), HasSubstr("No such file or directory"))));
  EXPECT_THAT(
      [&] { MetricsFile(folder / "none/metrics.h5", example_provenance()); },
      ThrowsMessage<InputError>(AllOf(HasSubstr("cannot write"), HasSubstr("none/metrics.h5"), HasSubstr("No such file or directory"))));
  replace_file(path, "step,loss\n");
  EXPECT_THAT([&] { MetricsFile(path, example_provenance()); }, ThrowsMessage<InputError>(HasSubstr("file signature not found")));
  EXPECT_EQ(read_file(path).size(), 10u);
  std::filesystem::remove(path);
  MetricsFile file(path, example_provenance());
  file.declare("training", training);
  file.close();
  EXPECT_THAT([&] { read_metrics(path, "evaluation"); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("/evaluation in " + path.string()), HasSubstr("doesn't exist"))));
  EXPECT_THAT([&] { (void)read_metrics(path, "training").real("step"); },
              ThrowsMessage<InputError>(HasSubstr("no column step of real numbers")));
}

// The kill is real: a child process appends and dies by SIGKILL without closing.
TEST(MetricsFile, OfAKilledProcessHasEveryAppendedRow) {
  const ScratchFolder folder;
  const auto path = folder / "metrics.h5";
  constexpr int count = 20;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    MetricsFile file(path, example_provenance());
    file.declare("training", training);
    for (int i = 0; i < count; ++i) file.append("training", row(i, 0.5));
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT_EQ(read_metrics(path, "training").integer("step").size(), static_cast<std::size_t>(count));
  MetricsFile file(path, example_provenance());
  file.declare("training", training);
  file.append("training", row(count, 0.5));
  file.close();
  EXPECT_EQ(read_metrics(path, "training").integer("step").back(), count);
}

TEST(MetricsFile, SaysThatTheDiskIsFull) {
  const ScratchFolder folder;
  const SmallDisk disk(folder.path(), 256);
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a small file system here: " << disk.reason();
  const auto before = hdf5::open_files();
  const auto write_much = [&] {
    MetricsFile file(folder / "metrics.h5", example_provenance());
    file.declare("training", training);
    for (std::int64_t i = 0; i < 100'000; ++i) file.append("training", row(i, 0.5));
  };
  EXPECT_THAT(write_much, ThrowsMessage<InputError>(AllOf(HasSubstr("metrics.h5"), HasSubstr("No space left on device"))));
  EXPECT_EQ(hdf5::open_files(), before);
  const auto rows = read_metrics(folder / "metrics.h5", "training").integer("step").size();
  EXPECT_GE(rows, 1024u);
  EXPECT_EQ(rows % 1024, 0u);  // it ended where a new chunk found no room
}

}  // namespace
}  // namespace boltzcurve

#include "io/checkpoint_series.hpp"
#include <boltzcurve/error.hpp>
#include "io/durable_file.hpp"
#include "io/hdf5.hpp"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include "unit/io/scratch_folder.hpp"

namespace boltzcurve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ScratchFolder;

const Communicator& self() {
  static const Communicator ranks(MPI_COMM_SELF);
  return ranks;
}

struct CheckpointSeries : ::testing::Test {
  const ScratchFolder folder;
  const std::filesystem::path path = folder / "checkpoint.h5";

  void write(const std::filesystem::path& file, std::int64_t step) const {
    Checkpoint checkpoint;
    checkpoint.scalars["step"] = step;
    write_checkpoint(file, checkpoint);
  }
  void damage(const std::filesystem::path& file) const { replace_file(file, "no checkpoint"); }
  std::filesystem::path aside(const std::filesystem::path& file) const {
    const auto put = put_checkpoint_aside(file, path);
    return put ? put->path : std::filesystem::path();
  }
  std::optional<std::int64_t> newest_step() const {
    const auto newest = newest_checkpoint(self(), path).checkpoint;
    return newest ? std::optional(newest->scalar<std::int64_t>("step")) : std::nullopt;
  }
};

TEST_F(CheckpointSeries, TakesTheCurrentThenThePreviousThenTheLatestThatWasKept) {
  for (const std::int64_t step : {100, 1000, 900}) write(kept_path(path, step), step);
  write(folder / "checkpoint.stepping.h5", 7);  // no number: none of ours
  write(folder / "checkpoint.step12x.h5", 7);
  write(path, 2000);
  write(path, 2100);
  EXPECT_EQ(newest_step(), 2100);
  damage(path);
  EXPECT_EQ(newest_step(), 2000);
  std::filesystem::remove(path);
  EXPECT_EQ(newest_step(), 2000);
  damage(previous_path(path));
  EXPECT_EQ(newest_step(), 1000);
  damage(kept_path(path, 1000));
  EXPECT_EQ(newest_step(), 900);
}

TEST_F(CheckpointSeries, NamesEveryDamage) {
  write(path, 1);
  write(path, 2);
  EXPECT_THAT(newest_checkpoint(self(), path).damages, IsEmpty());
  damage(path);
  damage(previous_path(path));
  const auto newest = newest_checkpoint(self(), path);
  EXPECT_FALSE(newest.checkpoint);
  EXPECT_THAT(newest.damages, ElementsAre(HasSubstr(path.string() + " is not an HDF5 file: its 13 bytes"),
                                          HasSubstr(previous_path(path).string() + " is not an HDF5 file: its 13 bytes")));
}

TEST_F(CheckpointSeries, InNoFolderIsEmpty) {
  const auto newest = newest_checkpoint(self(), folder / "none" / "checkpoint.h5");
  EXPECT_FALSE(newest.checkpoint);
  EXPECT_THAT(newest.damages, IsEmpty());
}

TEST_F(CheckpointSeries, StopsAtOneOfANewerProgram) {
  write(path, 1);
  write(path, 2);
  auto file = hdf5::open_file(path, hdf5::Mode::read_write, hdf5::file_access());
  hdf5::write_attribute(file, "format_version", checkpoint_format_version + 1);
  file.close();
  EXPECT_THAT([&] { newest_checkpoint(self(), path); }, ::testing::ThrowsMessage<Error>(HasSubstr("use the newer program that wrote it")));
}

TEST_F(CheckpointSeries, PutsAsideUnderNamesThatAreFree) {
  for (const std::int64_t step : {10, 20}) {
    write(path, step);
    EXPECT_EQ(aside(path), folder / (step == 10 ? "checkpoint.earlier1.h5" : "checkpoint.earlier2.h5"));
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  EXPECT_EQ(read_checkpoint(folder / "checkpoint.earlier1.h5").scalar<std::int64_t>("step"), 10);
  EXPECT_EQ(aside(path), "");  // there is none
}

TEST_F(CheckpointSeries, PutsDamagedOnesAsideAsDamagedAndThoseOfStepZeroAway) {
  damage(path);
  EXPECT_EQ(aside(path), folder / "checkpoint.damaged.h5");
  damage(path);
  EXPECT_EQ(aside(path), folder / "checkpoint.damaged2.h5") << "one that is there must stay";
  std::filesystem::create_symlink("nowhere", path);
  EXPECT_EQ(aside(path), folder / "checkpoint.damaged3.h5");
  write(path, 0);
  EXPECT_EQ(aside(path), "");
  EXPECT_EQ(folder.entries(), 3u);
}

// A file that the system does not let one read now may be whole: root may read all, so that a limit on open files stands for it.
TEST_F(CheckpointSeries, TakesAFileThatCannotBeReadNowForNoDamage) {
  write(path, 10);
  write(path, 20);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int lowest_free = dup(0);
  ASSERT_GE(lowest_free, 0);
  close(lowest_free);
  const rlimit none{static_cast<rlim_t>(lowest_free), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  std::string message;
  bool not_damaged = false;
  try {
    read_checkpoint(path);
  } catch (const NotDamaged& error) {
    not_damaged = true;
    message = error.what();
  } catch (const InputError& error) {
    message = error.what();
  }
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(not_damaged) << message;
  EXPECT_THAT(message, HasSubstr("checkpoint.h5: Too many open files"));
  EXPECT_EQ(newest_step(), 20);
}

TEST(AddName, GivesASecondNameInPlaceOfAnother) {
  const ScratchFolder folder;
  replace_file(folder / "a.txt", "a");
  replace_file(folder / "b.txt", "b");
  add_name(folder / "a.txt", folder / "b.txt");
  EXPECT_TRUE(is_same_file(folder / "a.txt", folder / "b.txt"));
  add_name(folder / "a.txt", folder / "b.txt");  // both names are of one file already
  EXPECT_EQ(read_file(folder / "b.txt").size(), 1u);
  EXPECT_EQ(folder.entries(), 2u);
  EXPECT_THAT([&] { add_name(folder / "none.txt", folder / "b.txt"); },
              ::testing::ThrowsMessage<InputError>(HasSubstr("none.txt: No such file or directory")));
}

}  // namespace
}  // namespace boltzcurve

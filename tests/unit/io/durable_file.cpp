#include "io/durable_file.hpp"
#include <boltzcurve/error.hpp>

#include <string>
#include <vector>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/io/scratch_folder.hpp"
#include "unit/io/small_disk.hpp"

namespace boltzcurve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ScratchFolder;
using testing::SmallDisk;
using ::testing::ThrowsMessage;

std::string text_of(const std::filesystem::path& path) {
  const auto bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void keep_and_replace(const std::filesystem::path& path, std::string_view text) {
  replace_file(path, std::as_bytes(std::span(text)), Previous::keep);
}

TEST(ReplaceFile, LeavesTheNewContentThePreviousOneAndNothingElse) {
  const ScratchFolder folder;
  const auto path = folder / "data.v2.txt";
  keep_and_replace(path, "first");
  EXPECT_EQ(text_of(path), "first");
  EXPECT_EQ(folder.entries(), 1u);
  keep_and_replace(path, "second");
  keep_and_replace(path, "");
  EXPECT_EQ(text_of(path), "");
  EXPECT_EQ(text_of(folder / "data.v2.previous.txt"), "second");
  EXPECT_EQ(folder.entries(), 2u);
  replace_file(path, "fourth");
  EXPECT_EQ(text_of(path), "fourth");
  EXPECT_EQ(text_of(folder / "data.v2.previous.txt"), "second");
  EXPECT_EQ(folder.entries(), 2u);
}

// What a process leaves that is killed after each of its steps; the next one must come out right from all of them.
TEST(ReplaceFile, GoesOnFromWhereverAnotherProcessWasKilled) {
  using std::filesystem::create_hard_link;
  const auto survive = [](auto leave_behind) {
    const ScratchFolder folder;
    const auto path = folder / "data.txt";
    keep_and_replace(path, "old");
    keep_and_replace(path, "good");
    leave_behind(folder);
    EXPECT_EQ(text_of(path), "good");
    remove_leftovers(folder.path());
    keep_and_replace(path, "new");
    EXPECT_EQ(text_of(path), "new");
    EXPECT_EQ(text_of(folder / "data.previous.txt"), "good");
    EXPECT_EQ(folder.entries(), 2u);
  };
  survive([](const ScratchFolder& folder) {
    replace_file(folder / "data.partial-0123456789abcdef.txt", "half of a file that was longer than the new one");
  });
  survive([](const ScratchFolder& folder) { create_hard_link(folder / "data.txt", folder / "data.link-0123456789abcdef.txt"); });
  survive([](const ScratchFolder& folder) {
    std::filesystem::remove(folder / "data.previous.txt");
    create_hard_link(folder / "data.txt", folder / "data.previous.txt");
  });
}

TEST(ReplaceFile, NamesTheSystemsReasonAndTouchesNothing) {
  const ScratchFolder folder;
  EXPECT_THAT([&] { replace_file(folder / "none/data.txt", "x"); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("cannot write "), HasSubstr("none/data.txt: No such file or directory"))));
  std::filesystem::create_directory(folder / "data.txt");
  EXPECT_THAT([&] { replace_file(folder / "data.txt", "x"); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("cannot replace "), HasSubstr("data.txt: Is a directory"))));
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(ReplaceFile, KeepsTheOldFileOnAFullDisk) {
  const ScratchFolder folder;
  const SmallDisk disk(folder.path(), 64);
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a small file system here: " << disk.reason();
  const auto path = folder / "data.txt";
  keep_and_replace(path, "good");
  EXPECT_THAT([&] { keep_and_replace(path, std::string(100'000, 'x')); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("cannot write "), HasSubstr("data.txt: No space left on device"))));
  EXPECT_EQ(text_of(path), "good");
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(ReplaceFile, ReadsBackWhatItWroteWhereAskedTo) {
  const ScratchFolder folder;
  const std::string text(100'000, 'x');
  replace_file(folder / "data.txt", std::as_bytes(std::span(text)), Previous::drop, ReadBack::yes);
  EXPECT_EQ(text_of(folder / "data.txt"), text);
}

// A link that waits where others can guess the name would have its target overwritten.
TEST(ReplaceFile, WritesThroughNoLink) {
  const ScratchFolder folder;
  replace_file(folder / "victim.txt", "untouched");
  for (const char* name : {"data.txt", "data.partial.txt", "data.previous.txt"})
    std::filesystem::create_symlink("victim.txt", folder / name);
  keep_and_replace(folder / "data.txt", "new");
  EXPECT_EQ(text_of(folder / "victim.txt"), "untouched");
  EXPECT_EQ(text_of(folder / "data.txt"), "new");
  EXPECT_FALSE(std::filesystem::is_symlink(folder / "data.txt"));
}

TEST(ReplaceFile, LeavesTheModeToTheUmask) {
  const ScratchFolder folder;
  const auto before = ::umask(0027);
  replace_file(folder / "data.txt", "x");
  ::umask(before);
  EXPECT_EQ(std::filesystem::status(folder / "data.txt").permissions(), std::filesystem::perms(0640));
}

TEST(RemoveLeftovers, RemovesNothingElse) {
  const ScratchFolder folder;
  for (const char* name : {"data.partial-0123456789abcdef.txt", "a.b.link-fedcba9876543210.h5"}) replace_file(folder / name, "x");
  const std::vector<std::string> others = {"data.partial.txt", "data.partial-0123456789abcde.txt", "data.partial-0123456789abcdeg.txt",
                                           "partial-0123456789abcdef.txt", "data.txt"};
  for (const auto& name : others) replace_file(folder / name, "x");
  remove_leftovers(folder.path());
  EXPECT_EQ(folder.entries(), others.size());
  for (const auto& name : others) EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
}

TEST(EarlyWriteback, LeavesTheFileAloneAndNeverFails) {
  const ScratchFolder folder;
  replace_file(folder / "data.txt", "good");
  EarlyWriteback disk;
  disk.start();  // of no file
  disk = EarlyWriteback(folder / "none.txt");
  disk.start();
  disk = EarlyWriteback(folder / "data.txt");
  disk.start();
  EXPECT_EQ(text_of(folder / "data.txt"), "good");
}

TEST(ReadFile, NamesTheSystemsReason) {
  const ScratchFolder folder;
  EXPECT_THAT([&] { read_file(folder / "none.txt"); },
              ThrowsMessage<InputError>("cannot read " + (folder / "none.txt").string() + ": No such file or directory"));
  EXPECT_THAT([&] { read_file(folder.path()); }, ThrowsMessage<InputError>(HasSubstr("it is not a regular file")));
}

}  // namespace
}  // namespace boltzcurve

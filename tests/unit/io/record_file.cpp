#include "io/record_file.hpp"
#include <boltzcurve/error.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "unit/io/scratch_folder.hpp"

namespace boltzcurve {
namespace {

using ::testing::HasSubstr;
using testing::ScratchFolder;
using ::testing::ThrowsMessage;
using Begin = RecordFile::Begin;

struct Records : ::testing::Test {
  const ScratchFolder folder;
  const std::filesystem::path path = folder / "records";
  const Communicator self{MPI_COMM_SELF};
  const RecordFile::Layout layout{"of these options", 5, 24};

  /// 24 bytes, all of them different from record to record.
  static std::vector<std::byte> content(std::int64_t record) {
    std::vector<std::byte> bytes;
    for (int i = 0; i < 24; ++i) bytes.push_back(static_cast<std::byte>(1 + 24 * record + i));
    return bytes;
  }

  /// Which of the five records are there, those that are with their bytes.
  std::vector<int> whole(const RecordFile& file) const {
    std::vector<int> there;
    for (int record = 0; record < 5; ++record) {
      const auto found = file.read(record);
      if (found.empty()) continue;
      EXPECT_EQ(found, content(record));
      there.push_back(record);
    }
    return there;
  }

  void write(const std::vector<int>& records) const {
    RecordFile file(self, path, layout, Begin::anew);
    for (const int record : records) file.write(record, content(record));
    file.synchronize();
  }
};

TEST_F(Records, AreThereAfterwardsInAnyOrderAndNoOthersAre) {
  write({4, 0, 2});
  EXPECT_EQ(whole(RecordFile(self, path, layout, Begin::where_it_was_left)), (std::vector<int>{0, 2, 4}));
  EXPECT_EQ(whole(RecordFile(self, path, layout, Begin::anew)), std::vector<int>());
}

TEST_F(Records, ShorterThanOthersAreReadBackWithZerosBehindThem) {
  RecordFile file(self, path, layout, Begin::anew);
  auto expected = content(3);
  expected.resize(10);
  file.write(3, expected);
  expected.resize(24);
  EXPECT_EQ(file.read(3), expected);
}

TEST_F(Records, OfAnotherKeyOrSizeAreNotTaken) {
  for (const auto& other : {RecordFile::Layout{"of other options", 5, 24}, RecordFile::Layout{layout.key, 6, 24}}) {
    write({0, 1});
    EXPECT_EQ(whole(RecordFile(self, path, other, Begin::where_it_was_left)), std::vector<int>());
  }
}

// Every byte of the file in turn: a record or the header.
TEST_F(Records, WithADamagedByteAreToldFromWholeOnes) {
  constexpr std::streamoff header = 256, record_bytes = 24 + 8;
  write({0, 1, 2, 3, 4});
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path));
  ASSERT_EQ(size, header + 5 * record_bytes);
  for (std::streamoff at = 0; at < size; ++at) {
    write({0, 1, 2, 3, 4});
    {
      std::fstream bytes(path, std::ios::in | std::ios::out | std::ios::binary);
      bytes.seekg(at);
      const auto flipped = static_cast<char>(bytes.get() ^ 0x10);
      bytes.seekp(at);
      bytes.put(flipped);
    }
    const auto there = whole(RecordFile(self, path, layout, Begin::where_it_was_left));
    if (at < header)
      EXPECT_TRUE(there.empty()) << "byte " << at;
    else
      EXPECT_EQ(there.size(), 4u) << "byte " << at;
  }
}

TEST_F(Records, CutShortLeaveTheOnesBefore) {
  write({0, 1, 2});
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 5);
  EXPECT_EQ(whole(RecordFile(self, path, layout, Begin::where_it_was_left)), (std::vector<int>{0, 1}));
}

TEST_F(Records, ThatCannotBeKeptSayWhy) {
  EXPECT_THAT([&] { RecordFile(self, folder / "missing/records", layout, Begin::anew); },
              ThrowsMessage<Error>(HasSubstr("missing/records: No such file or directory")));
  std::filesystem::create_symlink("/dev/null", path);
  RecordFile(self, path, layout, Begin::where_it_was_left).write(0, content(0));
  EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(path))) << "a link is not followed";
}

}  // namespace
}  // namespace boltzcurve

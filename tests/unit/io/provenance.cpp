#include "io/provenance.hpp"
#include <boltzcurve/error.hpp>
#include "io/hdf5.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/io/example_provenance.hpp"

namespace boltzcurve {
namespace {

using testing::example_provenance;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

hdf5::FileInMemory in_memory() { return hdf5::FileInMemory("memory.h5"); }

TEST(Provenance, OfAnEarlierVersionIsOfNoKnownTraining) {
  const auto memory = in_memory();
  write_provenance(memory.file(), example_provenance());
  ASSERT_GE(H5Adelete(memory.file().id(), "training"), 0);
  const auto found = read_provenance(memory.file(), example_provenance().format, example_provenance().format_version);
  EXPECT_EQ(found.training, "");
  EXPECT_TRUE(found.may_share_training_with(example_provenance()));
  auto other = example_provenance();
  other.training = "fedcba9876543210";
  EXPECT_FALSE(other.may_share_training_with(example_provenance()));
}

TEST(Provenance, ComesBackWhole) {
  const auto memory = in_memory();
  const auto& file = memory.file();
  write_provenance(file, example_provenance());
  EXPECT_EQ(read_provenance(file, "test file", 3), example_provenance());
}

TEST(Provenance, TakesOptionsBeyond64KiB) {
  auto provenance = example_provenance();
  for (int line = 0; line < 10000; ++line) provenance.options += "key_" + std::to_string(line) + " = value\n";
  ASSERT_GT(provenance.options.size(), 2u * 65536u);
  const auto memory = in_memory();
  const auto& file = memory.file();
  write_provenance(file, provenance);
  EXPECT_EQ(read_provenance(file, "test file", 3), provenance);
}

TEST(Provenance, TellsAnotherKindOfFileOrANewerOneBeforeAnythingElse) {
  const auto memory = in_memory();
  const auto& file = memory.file();
  EXPECT_THAT([&] { read_provenance(file, "test file", 3); },
              ThrowsMessage<InputError>("memory.h5 is an HDF5 file but not a test file: it has no attributes format and format_version"));
  // Only these two: whatever else a newer version has or lacks must not matter.
  hdf5::write_attribute(file, "format", std::string("test file"));
  hdf5::write_attribute(file, "format_version", std::int64_t{4});
  EXPECT_THAT([&] { read_provenance(file, "other file", 3); }, ThrowsMessage<InputError>("memory.h5 is a test file, not a other file"));
  EXPECT_THAT([&] { read_provenance(file, "test file", 3); },
              ThrowsMessage<InputError>(
                  "memory.h5 is a test file of format version 4; this program reads versions 1 to 3: use the newer program that wrote it"));
  hdf5::write_attribute(file, "format_version", std::int64_t{0});
  EXPECT_THAT([&] { read_provenance(file, "test file", 3); },
              ThrowsMessage<InputError>(HasSubstr("of format version 0; this program reads versions 1 to 3")));
  hdf5::write_attribute(file, "format_version", std::int64_t{3});
  EXPECT_THAT([&] { read_provenance(file, "test file", 3); },
              ThrowsMessage<InputError>(HasSubstr("cannot read the attribute /program_version in memory.h5")));
}

}  // namespace
}  // namespace boltzcurve

#include "io/checkpoint.hpp"
#include <boltzcurve/error.hpp>
#include "io/durable_file.hpp"
#include "io/hdf5.hpp"
#include "io/seal.hpp"

#include <cmath>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "unit/io/example_provenance.hpp"
#include "unit/io/scratch_folder.hpp"
#include "unit/io/small_disk.hpp"

namespace boltzcurve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ScratchFolder;
using testing::SmallDisk;
using ::testing::ThrowsMessage;

Checkpoint example_checkpoint() {
  Checkpoint checkpoint;
  checkpoint.provenance = testing::example_provenance();
  checkpoint.datasets = {
      {.name = "parameters/layer1/weight", .shape = {2, 3}, .values = std::vector<float>{1, -2, 3.5f, 0, 1e-30f, 6}},
      {.name = "parameters/layer0/bias", .shape = {3}, .values = std::vector<double>{0.1, -0.0, std::numeric_limits<double>::max()}},
      {.name = "counters", .shape = {2}, .values = std::vector<std::int64_t>{-1, std::numeric_limits<std::int64_t>::max()}},
      {.name = "optimizer/none", .shape = {0}, .values = std::vector<double>{}},
  };
  checkpoint.scalars = {
      {"step", std::int64_t{12345}}, {"best_loss", 0.1}, {"curve", std::string("gradient-flow")}, {"note", std::string()}};
  return checkpoint;
}

bool same_content(const Checkpoint& a, const Checkpoint& b) {
  auto provenance = b.provenance;
  provenance.format = a.provenance.format;
  provenance.format_version = a.provenance.format_version;
  return a.provenance == provenance && a.datasets == b.datasets && a.scalars == b.scalars;
}

std::vector<std::byte> image_of_example() {
  const ScratchFolder folder;
  write_checkpoint(folder / "checkpoint.h5", example_checkpoint());
  return read_file(folder / "checkpoint.h5");
}

// Changes the file through HDF5, whose own checksums then agree with the change, and which cuts the seal off.
template <class Change>
void edit(const std::filesystem::path& path, Change change) {
  auto file = hdf5::open_file(path, hdf5::Mode::read_write, hdf5::file_access());
  change(file);
  file.close();
}

// The same as a program would that had written a wrong file in the first place.
template <class Change>
void edit_and_seal(const std::filesystem::path& path, Change change) {
  edit(path, change);
  auto content = read_file(path);
  seal(content);
  replace_file(path, content);
}

TEST(Checkpoint, ComesBackWholeAndInOrder) {
  const ScratchFolder folder;
  const auto path = folder / "checkpoint.h5";
  write_checkpoint(path, example_checkpoint());
  const auto read = read_checkpoint(path);
  EXPECT_TRUE(same_content(read, example_checkpoint()));
  EXPECT_EQ(read.provenance.format, "boltzcurve checkpoint");
  EXPECT_EQ(read.provenance.format_version, checkpoint_format_version);
  EXPECT_EQ(read.source, path);
  // -0.0 == 0.0: compare the bits, too
  const auto& bias = read.values<double>("parameters/layer0/bias", {3});
  EXPECT_TRUE(std::signbit(bias[1]));
}

TEST(Checkpoint, WithoutArraysOrScalarsComesBack) {
  const ScratchFolder folder;
  write_checkpoint(folder / "checkpoint.h5", {});
  EXPECT_TRUE(same_content(read_checkpoint(folder / "checkpoint.h5"), {}));
}

TEST(Checkpoint, TakesOptionsBeyond64KiBAndManyArrays) {
  auto checkpoint = example_checkpoint();
  checkpoint.provenance.options = std::string(100'000, 'o');
  for (int i = 0; i < 300; ++i)
    checkpoint.datasets.push_back(
        {.name = "moments/layer" + std::to_string(i), .shape = {1}, .values = std::vector<float>{static_cast<float>(i)}});
  const ScratchFolder folder;
  write_checkpoint(folder / "checkpoint.h5", checkpoint);
  EXPECT_TRUE(same_content(read_checkpoint(folder / "checkpoint.h5"), checkpoint));
}

TEST(Checkpoint, HandsOutArraysAndScalarsOnlyAsWhatTheyAre) {
  const ScratchFolder folder;
  const auto path = folder / "checkpoint.h5";
  write_checkpoint(path, example_checkpoint());
  const auto read = read_checkpoint(path);
  EXPECT_EQ(read.scalar<std::int64_t>("step"), 12345);
  EXPECT_EQ(read.scalar<std::string>("curve"), "gradient-flow");
  EXPECT_EQ(read.values<std::int64_t>("counters", {2})[0], -1);
  const auto title = "dataset parameters/layer1/weight in " + path.string();
  EXPECT_THAT(
      [&] {
        (void)read.values<float>("parameters/layer1/weight", {3, 2});
      },
      ThrowsMessage<InputError>(title + " has the shape 2 x 3, expected 3 x 2"));
  EXPECT_THAT(
      [&] {
        (void)read.values<double>("parameters/layer1/weight", {2, 3});
      },
      ThrowsMessage<InputError>(title + " is of type float32, expected float64"));
  EXPECT_THAT([&] { (void)read.values<double>("parameters/layer7", {1}); },
              ThrowsMessage<InputError>(HasSubstr("dataset parameters/layer7 in " + path.string() + " is missing")));
  EXPECT_THAT([&] { (void)read.scalar<double>("step"); },
              ThrowsMessage<InputError>(HasSubstr("attribute scalars/step in " + path.string() + " is of another type, expected float64")));
  EXPECT_THAT([&] { (void)read.scalar<double>("steps"); },
              ThrowsMessage<InputError>(HasSubstr("scalars/steps in " + path.string() + " is missing")));
}

TEST(Checkpoint, OfTheSameContentHasTheSameBytes) { EXPECT_EQ(image_of_example(), image_of_example()); }

TEST(Checkpoint, KeepsThePreviousOne) {
  const ScratchFolder folder;
  const auto path = folder / "checkpoint.h5";
  auto checkpoint = example_checkpoint();
  for (std::int64_t step = 1; step <= 3; ++step) {
    checkpoint.scalars["step"] = step;
    write_checkpoint(path, checkpoint);
    EXPECT_EQ(folder.entries(), step == 1 ? 1u : 2u);
  }
  EXPECT_EQ(read_checkpoint(path).scalar<std::int64_t>("step"), 3);
  EXPECT_EQ(read_checkpoint(folder / "checkpoint.previous.h5").scalar<std::int64_t>("step"), 2);
}

/// Memory of this process that is in use now.
std::int64_t resident_bytes() {
  std::int64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// A training writes thousands, over the one before.
TEST(Checkpoint, WrittenOverAndOverTakesNoMoreMemory) {
  if (resident_bytes() == 0) GTEST_SKIP() << "this system does not say how much memory a process takes";
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer keeps freed memory for a while; memcheck.sh looks for leaks";
#endif
  const ScratchFolder folder;
  auto checkpoint = example_checkpoint();
  constexpr std::size_t numbers = 1 << 17;
  checkpoint.datasets.push_back({"large", {numbers}, std::vector<double>(numbers, 0.5)});
  const auto write = [&](int times) {
    for (int i = 0; i < times; ++i) write_checkpoint(folder / "checkpoint.h5", checkpoint, ReadBack::yes);
  };
  write(3);
  const auto before = resident_bytes();
  write(20);
  constexpr std::int64_t bytes = numbers * sizeof(double);
  EXPECT_LT(resident_bytes() - before, 5 * bytes);
}

TEST(Checkpoint, RefusesNamesAndShapesThatMakeNoSense) {
  const ScratchFolder folder;
  const auto write = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    auto checkpoint = example_checkpoint();
    checkpoint.datasets.push_back({.name = name, .shape = shape, .values = std::vector<double>{1, 2}});
    write_checkpoint(folder / "checkpoint.h5", checkpoint);
  };
  for (const auto* name : {"", "/a", "a/", "a//b", "a/./b", "scalars", "scalars/a", "counters"})
    EXPECT_THAT([&] { write(name, {2}); }, ThrowsMessage<Error>(HasSubstr('"' + std::string(name) + '"'))) << name;
  for (const auto& shape : std::vector<std::vector<std::int64_t>>{{}, {3}, {1, 3}, {1, 1, 2}, {-1, -2}})
    EXPECT_THROW(write("a", shape), Error);
  EXPECT_THROW(write("counters/a", {2}), InputError);  // a group where an array is
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(Checkpoint, IsLeftAloneWhereTheNewOneCannotBeWritten) {
  const ScratchFolder folder;
  EXPECT_THAT([&] { write_checkpoint(folder / "none/checkpoint.h5", example_checkpoint()); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("none/checkpoint.h5"), HasSubstr("No such file or directory"))));

  const SmallDisk disk(folder.path(), 200);
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a small file system here: " << disk.reason();
  const auto path = folder / "checkpoint.h5";
  write_checkpoint(path, example_checkpoint());
  auto large = example_checkpoint();
  large.datasets.push_back({.name = "large", .shape = {100'000}, .values = std::vector<double>(100'000)});
  EXPECT_THAT([&] { write_checkpoint(path, large); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("checkpoint.h5"), HasSubstr("No space left on device"))));
  EXPECT_TRUE(same_content(read_checkpoint(path), example_checkpoint()));
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(ReadCheckpoint, SaysMissingOrNotHdf5OrAnotherKindOrNewer) {
  const ScratchFolder folder;
  const auto path = folder / "checkpoint.h5";
  EXPECT_THAT([&] { read_checkpoint(path); }, ThrowsMessage<InputError>("cannot read " + path.string() + ": No such file or directory"));
  replace_file(path, "");
  EXPECT_THAT([&] { read_checkpoint(path); }, ThrowsMessage<InputError>(HasSubstr(path.string() + " is not an HDF5 file: its 0 bytes")));
  replace_file(path, "step = 3\n");
  EXPECT_THAT([&] { read_checkpoint(path); }, ThrowsMessage<InputError>(HasSubstr(path.string() + " is not an HDF5 file: its 9 bytes")));
  hdf5::create_file(path, hdf5::file_access()).close();
  EXPECT_THAT([&] { read_checkpoint(path); }, ThrowsMessage<InputError>(HasSubstr("is an HDF5 file but not a boltzcurve checkpoint")));

  write_checkpoint(path, example_checkpoint());
  edit(path, [](const hdf5::File& file) { hdf5::write_attribute(file, "format_version", checkpoint_format_version + 1); });
  EXPECT_THAT([&] { read_checkpoint(path); },
              ThrowsMessage<InputError>(AllOf(HasSubstr(path.string()), HasSubstr("format version 4; this program reads versions 1 to 3"),
                                              HasSubstr("newer program"))));
}

TEST(ReadCheckpoint, NamesTheDatasetThatIsWrong) {
  const ScratchFolder folder;
  const auto path = folder / "checkpoint.h5";
  const std::string weight = "parameters/layer1/weight";
  const auto expect_after = [&](auto change, const std::string& message) {
    write_checkpoint(path, example_checkpoint());
    edit_and_seal(path, change);
    EXPECT_THAT([&] { read_checkpoint(path); }, ThrowsMessage<InputError>(HasSubstr(message)));
  };
  const auto overwrite = [&]<class T>(const hdf5::File& file, const hdf5::Shape& shape, T) {
    ASSERT_GE(H5Ldelete(file.id(), weight.c_str(), H5P_DEFAULT), 0);
    hdf5::create_dataset<T>(file, weight, shape);
  };
  const auto title = weight + " in " + path.string();
  expect_after([&](const hdf5::File& file) { overwrite(file, {1}, std::int32_t{}); },
               title + " is of type int32, expected float32, float64 or int64");
  expect_after(
      [&](const hdf5::File& file) {
        overwrite(file, {1, 2, 3}, 0.0f);
      },
      title + " has the shape 1 x 2 x 3, expected one or two dimensions");
  expect_after([&](const hdf5::File& file) { H5Ldelete(file.id(), "counters", H5P_DEFAULT); }, "/counters in " + path.string());
  expect_after([&](const hdf5::File& file) { H5Adelete(file.id(), "dataset_names"); }, "dataset_names");
  expect_after([&](const hdf5::File& file) { H5Ldelete(file.id(), "scalars", H5P_DEFAULT); }, "scalars in " + path.string());
}

// As h5py would: HDF5 cuts the seal off, and nobody can say any more that the file is what was written.
TEST(ReadCheckpoint, RefusesOneThatAnotherProgramHasOpenedForWriting) {
  const ScratchFolder folder;
  const auto path = folder / "checkpoint.h5";
  const auto expect_refusal = [&](auto change) {
    write_checkpoint(path, example_checkpoint());
    edit(path, change);
    EXPECT_THAT([&] { read_checkpoint(path); },
                ThrowsMessage<InputError>(AllOf(HasSubstr(path.string() + " is damaged: its last line, with the checksum, is not there"),
                                                HasSubstr("changed by another program"), HasSubstr("checkpoint.previous.h5"))));
  };
  expect_refusal([](const hdf5::File&) {});
  expect_refusal([](const hdf5::File& file) { hdf5::write_attribute(file, "remark", std::string("the good one")); });
  expect_refusal([](const hdf5::File& file) { hdf5::write_attribute(file, "seed", std::uint64_t{1}); });
  expect_refusal([](const hdf5::File& file) { hdf5::write_attribute(hdf5::open_group(file, "scalars"), "step", std::int64_t{12344}); });
  expect_refusal([](const hdf5::File& file) {
    hdf5::write_slab<float>(hdf5::open_dataset(file, "parameters/layer1/weight"), {{0, 0}, {1, 1}}, std::vector<float>{7},
                            hdf5::independent_transfer());
  });
}

// Those of earlier programs, the oldest of which knew no seal, and no word for the training.
TEST(ReadCheckpoint, TakesOlderVersionsWithAndWithoutASeal) {
  const ScratchFolder folder;
  const auto path = folder / "checkpoint.h5";
  auto expected = example_checkpoint();
  const auto older = [&](std::int64_t version) {
    return [&, version](const hdf5::File& file) {
      hdf5::write_attribute(file, "format_version", version);
      hdf5::write_attribute(file, "contents_crc32", std::int64_t{1});
      hdf5::write_attribute(hdf5::open_dataset(file, "counters"), "crc32", std::int64_t{2});
      if (version == 1) H5Adelete(file.id(), "training");
    };
  };
  for (const std::int64_t version : {2, 1}) {
    if (version == 1) expected.provenance.training.clear();
    write_checkpoint(path, example_checkpoint());
    edit(path, older(version));
    EXPECT_TRUE(same_content(read_checkpoint(path), expected)) << version;
    edit_and_seal(path, [](const hdf5::File&) {});
    EXPECT_TRUE(same_content(read_checkpoint(path), expected)) << version;
  }
}

// Reads bytes that differ from the example's; right content or an error that names the file, nothing else. Counts the errors.
int errors_of(const std::filesystem::path& path, const std::vector<std::byte>& bytes, const Checkpoint& expected) {
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  try {
    EXPECT_TRUE(same_content(read_checkpoint(path), expected));
    return 0;
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr(path.filename().string()));
    return 1;
  }
}

std::vector<std::byte> without_seal(const std::vector<std::byte>& image) {
  const auto content = unsealed("example", image);
  return {content.begin(), content.end()};
}

/// Every 64th byte.
std::vector<std::size_t> places_in(const std::vector<std::byte>& image) {
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place < image.size(); place += 64) places.push_back(place);
  return places;
}

/// With a bit flipped, which changes with the byte.
std::vector<std::byte> flipped(std::vector<std::byte> image, std::size_t place) {
  image[place] ^= std::byte{1} << static_cast<int>((place / 64 + place) % 8);
  return image;
}

TEST(ReadCheckpoint, NoticesEveryFlippedBit) {
  const ScratchFolder folder;
  const auto path = folder / "flipped.h5";
  const auto image = image_of_example();
  for (const auto place : places_in(without_seal(image)))
    EXPECT_EQ(errors_of(path, flipped(image, place), example_checkpoint()), 1) << "byte " << place;
  for (std::size_t place = image.size() - seal_bytes; place < image.size(); ++place)
    EXPECT_EQ(errors_of(path, flipped(image, place), example_checkpoint()), 1) << "byte " << place << ", of the seal";
  EXPECT_EQ(errors_of(path, image, example_checkpoint()), 0);
}

TEST(ReadCheckpoint, NoticesEveryTruncation) {
  const ScratchFolder folder;
  const auto path = folder / "truncated.h5";
  const auto image = image_of_example();
  const auto content = without_seal(image);
  const auto errors_of_first = [&](std::size_t bytes) {
    return errors_of(path, {image.begin(), image.begin() + static_cast<std::ptrdiff_t>(bytes)}, example_checkpoint());
  };
  for (std::size_t length = 0; length < content.size(); length += length < 200 ? 1 : 61) {
    SCOPED_TRACE("length " + std::to_string(length));
    EXPECT_EQ(errors_of_first(length), 1);
  }
  EXPECT_EQ(errors_of_first(content.size() - 1), 1);
  EXPECT_THAT([&] { read_checkpoint(path); }, ThrowsMessage<InputError>(AllOf(HasSubstr(path.string()), HasSubstr("truncated file"))));
  for (std::size_t length = content.size(); length < image.size(); ++length) EXPECT_EQ(errors_of_first(length), 1) << "length " << length;
}

TEST(ReadCheckpoint, TakesNoMemoryForADatasetThatTheFileDoesNotHold) {
  const ScratchFolder folder;
  const auto path = folder / "checkpoint.h5";
  write_checkpoint(path, example_checkpoint());
  edit_and_seal(path, [](const hdf5::File& file) {
    hdf5::check(H5Ldelete(file.id(), "counters", H5P_DEFAULT), {"delete", file.id()});
    hdf5::create_dataset<std::int64_t>(file, "counters", {std::int64_t{1} << 32});
  });
  EXPECT_THAT([&] { read_checkpoint(path); }, ThrowsMessage<InputError>(HasSubstr("dataset counters in " + path.string() +
                                                                                  " is damaged: it has the shape 4294967296 but 0")));
}

}  // namespace
}  // namespace boltzcurve

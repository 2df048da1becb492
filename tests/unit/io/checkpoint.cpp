#include "io/checkpoint.hpp"
#include <boltzcurve/error.hpp>
#include "io/durable_file.hpp"
#include "io/hdf5.hpp"
#include "io/seal.hpp"

#include <algorithm>
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
using ::testing::AnyOf;
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

// Changes the file through HDF5, whose own checksums then agree with the change.
template <class Change>
void edit(const std::filesystem::path& path, Change change) {
  auto file = hdf5::open_file(path, hdf5::Mode::read_write, hdf5::file_access());
  change(file);
  file.close();
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
              ThrowsMessage<InputError>(AllOf(HasSubstr(path.string()), HasSubstr("format version 3; this program reads versions 1 to 2"),
                                              HasSubstr("newer program"))));
}

TEST(ReadCheckpoint, NamesTheDatasetThatIsDamaged) {
  const ScratchFolder folder;
  const auto path = folder / "checkpoint.h5";
  const auto read_after = [&](auto change) {
    write_checkpoint(path, example_checkpoint());
    edit(path, change);
    read_checkpoint(path);
  };
  const std::string weight = "parameters/layer1/weight";
  const auto overwrite = [&]<class T>(const hdf5::File& file, const std::vector<T>& values, const hdf5::Shape& shape) {
    const auto checksum = hdf5::read_attribute<std::int64_t>(hdf5::open_dataset(file, weight), "crc32");
    ASSERT_GE(H5Ldelete(file.id(), weight.c_str(), H5P_DEFAULT), 0);
    hdf5::Handle<hdf5::Kind::dataset> made;
    if (shape.size() < 3) {
      hdf5::write_dataset<T>(file, weight, values, shape);
      made = hdf5::open_dataset(file, weight);
    } else {
      made = hdf5::create_dataset<T>(file, weight, shape);
    }
    hdf5::write_attribute(made, "crc32", checksum);
  };
  const std::vector<float> right{1, -2, 3.5f, 0, 1e-30f, 6};
  read_after([&](const hdf5::File& file) { overwrite(file, right, {2, 3}); });  // this much is no damage

  const auto damaged = ThrowsMessage<InputError>(AllOf(
      HasSubstr("dataset " + weight + " in " + path.string() + " is damaged: its checksum is "), HasSubstr("checkpoint.previous.h5")));
  auto wrong = right;
  wrong[4] = 0;
  EXPECT_THAT([&] { read_after([&](const hdf5::File& file) { overwrite(file, wrong, {2, 3}); }); }, damaged);
  EXPECT_THAT([&] { read_after([&](const hdf5::File& file) { overwrite(file, right, {3, 2}); }); }, damaged);
  EXPECT_THAT([&] { read_after([&](const hdf5::File& file) { overwrite(file, right, {6}); }); }, damaged);
  EXPECT_THAT(
      [&] { read_after([&](const hdf5::File& file) {
              overwrite(file, std::vector<double>(right.begin(), right.end()), {2, 3});
            }); },
      damaged);
  EXPECT_THAT(
      [&] { read_after([&](const hdf5::File& file) { overwrite(file, std::vector<std::int32_t>{1}, {1}); }); },
      ThrowsMessage<InputError>(HasSubstr(weight + " in " + path.string() + " is of type int32, expected float32, float64 or int64")));
  EXPECT_THAT(
      [&] { read_after([&](const hdf5::File& file) {
              overwrite(file, right, {1, 2, 3});
            }); },
      ThrowsMessage<InputError>(HasSubstr(weight + " in " + path.string() + " has the shape 1 x 2 x 3, expected one or two dimensions")));
  EXPECT_THAT([&] { read_after([&](const hdf5::File& file) { H5Ldelete(file.id(), "counters", H5P_DEFAULT); }); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("/counters in " + path.string()), HasSubstr("doesn't exist"))));
  EXPECT_THAT(
      [&] {
        read_after([&](const hdf5::File& file) {
          H5Lmove(file.id(), "counters", file.id(), "counter", H5P_DEFAULT, H5P_DEFAULT);
          hdf5::write_attribute(file, "dataset_names",
                                std::vector<std::string>{weight, "parameters/layer0/bias", "counter", "optimizer/none"});
        });
      },
      ThrowsMessage<InputError>(HasSubstr("dataset counter in " + path.string() + " is damaged")));
}

TEST(ReadCheckpoint, NoticesChangesOfAnythingThatNoDatasetCovers) {
  const ScratchFolder folder;
  const auto path = folder / "checkpoint.h5";
  const auto expect_damage = [&](auto change) {
    write_checkpoint(path, example_checkpoint());
    edit(path, change);
    EXPECT_THAT([&] { read_checkpoint(path); },
                ThrowsMessage<InputError>(HasSubstr(path.string() + " is damaged: the checksum of its attributes is ")));
  };
  expect_damage([](const hdf5::File& file) { hdf5::write_attribute(file, "seed", std::uint64_t{1}); });
  expect_damage([](const hdf5::File& file) { hdf5::write_attribute(file, "hosts", std::vector<std::string>{"node1"}); });
  for (const auto* name : {"program_version", "git_description", "options", "command_line", "build", "job_id", "start_utc", "training"})
    expect_damage([&](const hdf5::File& file) { hdf5::write_attribute(file, name, std::string("?")); });
  expect_damage([](const hdf5::File& file) { hdf5::write_attribute(hdf5::open_group(file, "scalars"), "step", std::int64_t{12344}); });
  expect_damage([](const hdf5::File& file) { hdf5::write_attribute(hdf5::open_group(file, "scalars"), "more", std::int64_t{1}); });
  expect_damage([](const hdf5::File& file) { H5Adelete(hdf5::open_group(file, "scalars").id(), "note"); });
  expect_damage([](const hdf5::File& file) {
    hdf5::write_attribute(file, "dataset_names",
                          std::vector<std::string>{"parameters/layer1/weight", "parameters/layer0/bias", "counters"});
  });
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
    errors_of(path, flipped(image, place), example_checkpoint());  // refused or right
  EXPECT_EQ(errors_of(path, image, example_checkpoint()), 0);
}

// Changed through HDF5, or written before there were seals: every 64th byte, then every byte of the first array, wherever it is stored.
TEST(ReadCheckpoint, WithoutASealNeverReturnsWrongDataAfterAFlippedBit) {
  const ScratchFolder folder;
  const auto path = folder / "flipped.h5";
  const auto image = without_seal(image_of_example());
  int errors = 0, flips = 0;
  auto places = places_in(image);
  const std::vector<float> weight{1, -2, 3.5f, 0, 1e-30f, 6};
  const auto* const begin = reinterpret_cast<const std::byte*>(weight.data());
  const auto stored = std::search(image.begin(), image.end(), begin, begin + weight.size() * sizeof(float));
  ASSERT_NE(stored, image.end());
  const auto offset = static_cast<std::size_t>(stored - image.begin());
  for (std::size_t i = 0; i < weight.size() * sizeof(float); ++i) places.push_back(offset + i);
  for (const auto place : places) {
    SCOPED_TRACE("byte " + std::to_string(place));
    const int error = errors_of(path, flipped(image, place), example_checkpoint());
    if (place >= offset && place < offset + weight.size() * sizeof(float)) {
      EXPECT_EQ(error, 1);
    }
    errors += error;
    ++flips;
  }
  // Much of a small file is unused space and names of nothing; but not all of it.
  EXPECT_GT(errors, flips / 4);
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
  EXPECT_EQ(errors_of_first(content.size()), 0) << "nothing but the seal is missing";
}

// As h5py would: what is no damage must not be taken for it.
TEST(ReadCheckpoint, TakesOneThatAnotherProgramHasOpenedForWriting) {
  const ScratchFolder folder;
  const auto path = folder / "checkpoint.h5";
  write_checkpoint(path, example_checkpoint());
  edit(path, [](const hdf5::File&) {});
  EXPECT_TRUE(same_content(read_checkpoint(path), example_checkpoint()));
  edit(path, [](const hdf5::File& file) { hdf5::write_attribute(file, "remark", std::string("the good one")); });
  EXPECT_TRUE(same_content(read_checkpoint(path), example_checkpoint()));
  EXPECT_EQ(read_file(path), without_seal(read_file(path))) << "HDF5 has cut off what was true of the file before";
}

TEST(ReadCheckpoint, TakesNoMemoryForADatasetThatTheFileDoesNotHold) {
  const ScratchFolder folder;
  const auto path = folder / "checkpoint.h5";
  write_checkpoint(path, example_checkpoint());
  {
    const auto file = hdf5::open_file(path, hdf5::Mode::read_write, hdf5::file_access());
    hdf5::check(H5Ldelete(file.id(), "counters", H5P_DEFAULT), {"delete", file.id()});
    const auto dataset = hdf5::create_dataset<std::int64_t>(file, "counters", {std::int64_t{1} << 32});
    hdf5::write_attribute(dataset, "crc32", std::int64_t{0});
  }
  EXPECT_THAT([&] { read_checkpoint(path); }, ThrowsMessage<InputError>(HasSubstr("dataset counters in " + path.string() +
                                                                                  " is damaged: it has the shape 4294967296 but 0")));
}

}  // namespace
}  // namespace boltzcurve

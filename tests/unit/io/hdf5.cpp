#include "io/hdf5.hpp"
#include <boltzcurve/error.hpp>
#include "io/durable_file.hpp"

#include <cstdint>
#include <limits>
#include <type_traits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/io/scratch_folder.hpp"

namespace boltzcurve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ScratchFolder;
using ::testing::ThrowsMessage;

static_assert(!std::is_copy_constructible_v<hdf5::File> && std::is_nothrow_move_constructible_v<hdf5::File> &&
              std::is_nothrow_destructible_v<hdf5::File>);

hdf5::FileInMemory in_memory() { return hdf5::FileInMemory("memory.h5"); }

long open_identifiers(const hdf5::File& file) { return static_cast<long>(H5Fget_obj_count(file.id(), H5F_OBJ_ALL)); }

TEST(Hdf5Handle, ClosesWhatItOwnsOnceWhereverItIsMovedTo) {
  const auto memory = in_memory();
  const auto& file = memory.file();
  EXPECT_EQ(open_identifiers(file), 1);
  {
    auto first = hdf5::create_groups(file, "a");
    EXPECT_EQ(open_identifiers(file), 2);
    auto second = std::move(first);
    EXPECT_FALSE(first.is_open());  // NOLINT: what a move leaves is part of the contract
    EXPECT_TRUE(second.is_open());
    EXPECT_EQ(open_identifiers(file), 2);
    second = hdf5::create_groups(file, "b");
    EXPECT_EQ(open_identifiers(file), 2);
  }
  EXPECT_EQ(open_identifiers(file), 1);
}

TEST(Hdf5Handle, CloseThrowsWhereTheDestructorKeepsSilent) {
  const ScratchFolder folder;
  auto file = hdf5::create_file(folder / "a.h5", hdf5::file_access());
  auto group = hdf5::create_groups(file, "left/open");
  EXPECT_THAT([&] { file.close(); }, ThrowsMessage<InputError>(AllOf(HasSubstr("cannot close the file in "), HasSubstr("a.h5"),
                                                                     HasSubstr("HDF5: "), HasSubstr("open"))));
  EXPECT_FALSE(file.is_open());
  file.close();  // nothing open: nothing to do

  hdf5::Group stale(group.id());
  group.close();
  EXPECT_THAT([&] { stale.close(); }, ThrowsMessage<InputError>(HasSubstr("cannot close the group")));
  { const hdf5::Group again(stale.id()); }
}

TEST(Hdf5Error, NamesFileObjectAndReasonAndPrintsNothingItself) {
  const ScratchFolder folder;
  const auto path = folder / "some.h5";
  const auto file = hdf5::create_file(path, hdf5::file_access());
  const auto group = hdf5::create_groups(file, "parameters/layer0");
  ::testing::internal::CaptureStderr();
  EXPECT_THAT([&] { hdf5::open_dataset(group, "weight"); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("cannot open the dataset /parameters/layer0/weight in " + path.string()),
                                              HasSubstr("object 'weight' doesn't exist"))));
  EXPECT_THAT([&] { hdf5::read_attribute<double>(group, "learning_rate"); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("cannot read the attribute /parameters/layer0/learning_rate in " + path.string()),
                                              HasSubstr("can't locate attribute: 'learning_rate'"))));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Hdf5Error, OfOpeningSaysMissingOrNotHdf5OrTruncated) {
  const ScratchFolder folder;
  const auto open = [&](const std::string& name) { hdf5::open_file(folder / name, hdf5::Mode::read_only, hdf5::file_access()); };
  EXPECT_THAT([&] { open("none.h5"); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("cannot open "), HasSubstr("none.h5"), HasSubstr("No such file or directory"))));

  replace_file(folder / "text.h5", "learning_rate = 1e-3\n");
  EXPECT_THAT([&] { open("text.h5"); }, ThrowsMessage<InputError>(HasSubstr("file signature not found")));
  EXPECT_THAT([&] { hdf5::open_image("text.h5", read_file(folder / "text.h5")); },
              ThrowsMessage<InputError>("text.h5 is not an HDF5 file: its 21 bytes do not begin with the signature of one"));

  auto whole = hdf5::create_file(folder / "whole.h5", hdf5::file_access());
  hdf5::write_dataset<double>(whole, "x", std::vector<double>(100, 1.0), {100});
  whole.close();
  auto bytes = read_file(folder / "whole.h5");
  bytes.pop_back();
  replace_file(folder / "cut.h5", bytes);
  EXPECT_THAT([&] { open("cut.h5"); }, ThrowsMessage<InputError>(HasSubstr("truncated file")));
}

template <class T>
class Hdf5Numbers : public ::testing::Test {};
using AllNumbers = ::testing::Types<float, double, std::int8_t, std::int32_t, std::int64_t, std::uint64_t>;
TYPED_TEST_SUITE(Hdf5Numbers, AllNumbers);

TYPED_TEST(Hdf5Numbers, ComeBackBitForBitAsDatasetsAndAttributes) {
  using T = TypeParam;
  using Limits = std::numeric_limits<T>;
  const std::vector<T> values{Limits::lowest(), Limits::min(), T(0), T(1), T(3), Limits::max()};
  const auto memory = in_memory();
  const auto& file = memory.file();
  hdf5::write_dataset<T>(file, "one", values, {6});
  hdf5::write_dataset<T>(file, "deep/er/two", values, {2, 3});
  hdf5::write_dataset<T>(file, "empty", {}, {0});
  hdf5::write_dataset<T>(file, "flat", {}, {4, 0});
  hdf5::write_attribute(file, "scalar", values.back());
  hdf5::write_attribute<T>(file, "array", values);

  EXPECT_EQ(hdf5::read_dataset<T>(file, "one").values, values);
  EXPECT_EQ(hdf5::read_dataset<T>(file, "one").shape, hdf5::Shape{6});
  EXPECT_EQ(hdf5::read_dataset<T>(file, "deep/er/two", 2).values, values);
  EXPECT_EQ(hdf5::read_dataset<T>(file, "deep/er/two", 2).shape, (hdf5::Shape{2, 3}));
  EXPECT_EQ(hdf5::read_dataset<T>(file, "empty").shape, hdf5::Shape{0});
  EXPECT_EQ(hdf5::read_dataset<T>(file, "flat").shape, (hdf5::Shape{4, 0}));
  EXPECT_EQ(hdf5::read_attribute<T>(file, "scalar"), values.back());
  EXPECT_EQ(hdf5::read_attribute_array<T>(file, "array"), values);
}

TEST(Hdf5Dataset, IsReadOnlyAsTheTypeAndShapeThatItHas) {
  const auto memory = in_memory();
  const auto& file = memory.file();
  hdf5::write_dataset<float>(file, "w", std::vector<float>(6), {2, 3});
  EXPECT_THAT([&] { hdf5::read_dataset<double>(file, "w"); },
              ThrowsMessage<InputError>("dataset /w in memory.h5 is of type float32, expected float64"));
  EXPECT_THAT([&] { hdf5::read_dataset<float>(file, "w", 1); },
              ThrowsMessage<InputError>("dataset /w in memory.h5 has the shape 2 x 3, expected 1 dimension"));
  EXPECT_THAT([&] { hdf5::read_texts(file, "w"); }, ThrowsMessage<InputError>(HasSubstr("is of type float32, expected text")));
  EXPECT_THAT(
      [&] {
        hdf5::write_dataset<float>(file, "v", std::vector<float>(5), {2, 3});
      },
      ThrowsMessage<Error>(HasSubstr("the shape 2 x 3 was given 5 values")));
}

TEST(Hdf5Text, ComesBackWithEveryByteAndLength) {
  const auto memory = in_memory();
  const auto& file = memory.file();
  const std::vector<std::string> texts{"", "short", std::string("in\0side", 7), "\u03c8(x, t)", std::string(300, 'x')};
  hdf5::write_dataset(file, "texts", texts);
  hdf5::write_dataset(file, "no texts", std::vector<std::string>{});
  hdf5::write_attribute(file, "texts", texts);
  hdf5::write_attribute(file, "no texts", std::vector<std::string>{});
  EXPECT_EQ(hdf5::read_texts(file, "texts"), texts);
  EXPECT_THAT(hdf5::read_texts(file, "no texts"), ElementsAre());
  EXPECT_EQ(hdf5::read_attribute_texts(file, "texts"), texts);
  EXPECT_THAT(hdf5::read_attribute_texts(file, "no texts"), ElementsAre());
  // 64 KiB is where attributes stop in the default file format.
  for (const std::size_t length : {0, 1, 65535, 65536, 200000}) {
    hdf5::write_attribute(file, "text", std::string(length, 'y'));
    EXPECT_EQ(hdf5::read_attribute_text(file, "text"), std::string(length, 'y'));
  }
  EXPECT_THAT([&] { hdf5::write_attribute(file, "text", std::string_view("a\0", 2)); },
              ThrowsMessage<InputError>(HasSubstr("ends in a zero byte")));
}

TEST(Hdf5Attribute, IsReplacedAndCheckedForItsType) {
  const auto memory = in_memory();
  const auto& file = memory.file();
  hdf5::write_attribute(file, "a", std::int64_t{1});
  hdf5::write_attribute(file, "a", 2.5);
  EXPECT_EQ(hdf5::read_attribute<double>(file, "a"), 2.5);
  EXPECT_EQ(hdf5::attribute_type_name(file, "a"), "float64");
  EXPECT_THAT([&] { hdf5::read_attribute<std::int64_t>(file, "a"); },
              ThrowsMessage<InputError>("attribute a of / in memory.h5 is of type float64, expected int64"));
  EXPECT_THAT([&] { hdf5::read_attribute_array<double>(file, "a"); }, ThrowsMessage<InputError>(HasSubstr("has 0 dimensions, expected 1")));
}

TEST(Hdf5Slab, WritesAndReadsPartsAndNothing) {
  const auto memory = in_memory();
  const auto& file = memory.file();
  const auto properties = hdf5::dataset_properties();
  const hsize_t chunk[] = {2, 2};
  ASSERT_GE(H5Pset_chunk(properties.id(), 2, chunk), 0);
  const auto dataset = hdf5::create_dataset<std::int32_t>(file, "x", {0, 3}, properties, {-1, 3});
  hdf5::resize(dataset, {4, 3});
  const std::vector<std::int32_t> part{1, 2, 3, 4};
  hdf5::write_slab<std::int32_t>(dataset, {{2, 1}, {2, 2}}, part, hdf5::independent_transfer());
  hdf5::write_slab<std::int32_t>(dataset, {{4, 0}, {0, 3}}, {}, hdf5::independent_transfer());
  EXPECT_THAT(hdf5::read_dataset<std::int32_t>(file, "x").values, ElementsAre(0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 3, 4));
  std::vector<std::int32_t> row(3);
  hdf5::read_slab<std::int32_t>(dataset, {{3, 0}, {1, 3}}, row);
  EXPECT_THAT(row, ElementsAre(0, 3, 4));
  EXPECT_THAT(
      [&] {
        hdf5::read_slab<std::int32_t>(dataset, {{3, 0}, {2, 3}}, row);
      },
      ThrowsMessage<Error>(HasSubstr("6 elements was given 3 values")));
  std::vector<std::int32_t> two_rows(6);
  EXPECT_THAT(
      [&] {
        hdf5::read_slab<std::int32_t>(dataset, {{3, 0}, {2, 3}}, two_rows);
      },
      ThrowsMessage<InputError>(AllOf(HasSubstr("cannot read the dataset /x in memory.h5"), HasSubstr("HDF5: "))));
}

// HDF5 would note the time of creation to the second: two files made more than a second apart tell whether it did.
TEST(Hdf5File, HasTheSameBytesWhenMadeAgainLater) {
  const auto make = [] {
    auto memory = in_memory();
    const auto& file = memory.file();
    hdf5::create_groups(file, "a/b/c");
    hdf5::write_dataset<double>(file, "d/e", std::vector<double>{1, 2}, {2});
    hdf5::write_attribute(file, "text", std::string(70000, 'z'));
    return memory.close();
  };
  const auto first = make();
  timespec pause{.tv_sec = 1, .tv_nsec = 100'000'000};
  nanosleep(&pause, nullptr);
  EXPECT_EQ(make(), first);
}

}  // namespace
}  // namespace boltzcurve

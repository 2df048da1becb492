// One rank; what several ranks do together is in tests/mpi/io_samples_file.cpp.
#include "io/samples_file.hpp"
#include <boltzcurve/error.hpp>
#include <boltzcurve/files.hpp>
#include "io/durable_file.hpp"
#include "io/hdf5.hpp"

#include <fstream>
#include <limits>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/io/example_provenance.hpp"
#include "unit/io/scratch_folder.hpp"

namespace boltzcurve {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::example_provenance;
using ::testing::HasSubstr;
using testing::ScratchFolder;
using ::testing::ThrowsMessage;

const Communicator& self() {
  static const Communicator ranks(MPI_COMM_SELF);
  return ranks;
}

SamplesDescription about(std::int64_t particles, int dimension) {
  return {.particles = particles, .dimension = dimension, .author = "A. Author"};
}

// All values differ: particle i, coordinate d, frame t.
std::vector<double> frame(std::int64_t particles, int dimension, std::int64_t t) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < particles; ++i)
    for (int d = 0; d < dimension; ++d) values.push_back(static_cast<double>(1 + d + 10 * i + 1000 * t));
  return values;
}

void write_example(const std::filesystem::path& path, int dimension) {
  SamplesFile file(self(), path, about(2, dimension), example_provenance());
  file.write_frame(0, 5.0, {0, 2}, frame(2, dimension, 0));
  file.write_frame(10, 2.5, {0, 2}, frame(2, dimension, 1));
  auto particles = room_for_particles({0, 2}, dimension);
  particles.position = frame(2, dimension, 2);
  particles.log_density = {-1.5, -2.5};
  particles.log_weight = {0.25, -std::numeric_limits<double>::infinity()};
  particles.action = {7.5, 0.125};
  particles.time = {0, 1.25};
  particles.status = {ParticleStatus::finished, ParticleStatus::escaped};
  particles.evaluations = {100, 123456789012};
  file.write_samples(particles);
  file.close();
}

TEST(SamplesFile, GivesBackSamplesAndFrames) {
  const ScratchFolder folder;
  for (const int dimension : {1, 2, 3, 8}) {
    SCOPED_TRACE("dimension " + std::to_string(dimension));
    const auto path = folder / ("samples" + std::to_string(dimension) + ".h5md");
    write_example(path, dimension);

    const auto samples = read_samples(path);
    EXPECT_EQ(samples.particles, 2);
    EXPECT_EQ(samples.dimension, dimension);
    EXPECT_TRUE(samples.complete);
    EXPECT_EQ(samples.position, frame(2, dimension, 2));
    EXPECT_THAT(samples.log_density, ElementsAre(-1.5, -2.5));
    EXPECT_THAT(samples.log_weight, ElementsAre(0.25, -std::numeric_limits<double>::infinity()));
    EXPECT_THAT(samples.action, ElementsAre(7.5, 0.125));
    EXPECT_THAT(samples.time, ElementsAre(0, 1.25));
    EXPECT_THAT(samples.status, ElementsAre(ParticleStatus::finished, ParticleStatus::escaped));
    EXPECT_THAT(samples.status_names, ElementsAre("finished", "nonfinite", "escaped", "step_underflow", "max_steps"));
    EXPECT_THAT(samples.evaluations, ElementsAre(100, 123456789012));
    EXPECT_THAT(samples.id, ElementsAre(0, 1));
    EXPECT_EQ(samples.provenance.format, "boltzcurve samples");
    EXPECT_EQ(samples.provenance.seed, example_provenance().seed);

    const auto second = read_samples(path, Shard{1, 1});
    EXPECT_THAT(second.id, ElementsAre(1));
    EXPECT_THAT(second.log_density, ElementsAre(-2.5));
    EXPECT_EQ(second.position.front(), 2011.0);
    EXPECT_EQ(second.particles, 2);

    const auto trajectory = read_trajectory(path);
    EXPECT_EQ(trajectory.frames, 2);
    EXPECT_EQ(trajectory.particles, 2);
    EXPECT_EQ(trajectory.dimension, dimension);
    EXPECT_THAT(trajectory.step, ElementsAre(0, 10));
    EXPECT_THAT(trajectory.time, ElementsAre(5.0, 2.5));
    auto expected = frame(2, dimension, 0);
    const auto next = frame(2, dimension, 1);
    expected.insert(expected.end(), next.begin(), next.end());
    EXPECT_EQ(trajectory.coordinates, expected);
  }
}

// The layout of H5MD 1.1 (de Buyl, Colberg, Höfling, Comput. Phys. Commun. 185, 2014; nongnu.org/h5md), element by element.
TEST(SamplesFile, IsLaidOutAsH5md) {
  const ScratchFolder folder;
  const auto path = folder / "samples.h5md";
  write_example(path, 2);
  const auto file = hdf5::open_file(path, hdf5::Mode::read_only, hdf5::file_access());
  EXPECT_THAT(hdf5::read_attribute_array<std::int32_t>(hdf5::open_group(file, "h5md"), "version"), ElementsAre(1, 1));
  EXPECT_EQ(hdf5::read_attribute_text(hdf5::open_group(file, "h5md/author"), "name"), "A. Author");
  EXPECT_EQ(hdf5::read_attribute_text(hdf5::open_group(file, "h5md/creator"), "name"), "boltzcurve");
  EXPECT_EQ(hdf5::read_attribute_text(hdf5::open_group(file, "h5md/creator"), "version"), "0.1.0");
  const auto box = hdf5::open_group(file, "particles/trajectory/box");
  EXPECT_EQ(hdf5::read_attribute<std::int32_t>(box, "dimension"), 3);
  EXPECT_THAT(hdf5::read_attribute_texts(box, "boundary"), ElementsAre("none", "none", "none"));

  const auto position = hdf5::read_dataset<double>(file, "particles/trajectory/position/value", 3);
  EXPECT_EQ(position.shape, (hdf5::Shape{2, 2, 3}));
  EXPECT_THAT(position.values, ElementsAre(1, 2, 0, 11, 12, 0, 1001, 1002, 0, 1011, 1012, 0));
  const auto coordinates = hdf5::read_dataset<double>(file, "particles/trajectory/coordinates/value", 3);
  EXPECT_EQ(coordinates.shape, (hdf5::Shape{2, 2, 2}));
  EXPECT_THAT(coordinates.values, ElementsAre(1, 2, 11, 12, 1001, 1002, 1011, 1012));
  EXPECT_THAT(hdf5::read_dataset<double>(file, "particles/trajectory/position/time", 1).values, ElementsAre(0.0, 2.5)) << "must grow";
  EXPECT_THAT(hdf5::read_dataset<double>(file, "observables/curve_time/value", 1).values, ElementsAre(5.0, 2.5));
  for (const std::string name : {"step", "time"}) {
    H5O_info_t first, second;
    ASSERT_GE(H5Oget_info_by_name(file.id(), ("particles/trajectory/position/" + name).c_str(), &first, H5P_DEFAULT), 0);
    for (const std::string element : {"particles/trajectory/coordinates/", "observables/curve_time/"}) {
      ASSERT_GE(H5Oget_info_by_name(file.id(), (element + name).c_str(), &second, H5P_DEFAULT), 0);
      EXPECT_EQ(first.addr, second.addr) << element << name << " is another dataset, should be another name of the same";
    }
  }
  EXPECT_EQ(hdf5::read_dataset<double>(file, "samples/position", 2).shape, (hdf5::Shape{2, 2}));
}

TEST(SamplesFile, OfThreeDimensionsNeedsNoSecondSetOfCoordinates) {
  const ScratchFolder folder;
  write_example(folder / "samples.h5md", 3);
  const auto file = hdf5::open_file(folder / "samples.h5md", hdf5::Mode::read_only, hdf5::file_access());
  EXPECT_FALSE(hdf5::exists(file, "particles/trajectory/coordinates"));
  EXPECT_THAT(hdf5::read_dataset<double>(file, "particles/trajectory/position/value", 3).values,
              ElementsAre(1, 2, 3, 11, 12, 13, 1001, 1002, 1003, 1011, 1012, 1013));
}

TEST(SamplesFile, OfEightDimensionsShowsTheFirstThree) {
  const ScratchFolder folder;
  write_example(folder / "samples.h5md", 8);
  const auto file = hdf5::open_file(folder / "samples.h5md", hdf5::Mode::read_only, hdf5::file_access());
  EXPECT_THAT(hdf5::read_dataset<double>(file, "particles/trajectory/position/value", 3).values,
              ElementsAre(1, 2, 3, 11, 12, 13, 1001, 1002, 1003, 1011, 1012, 1013));
}

// The most memory that this process has held since it was last asked, in bytes; nothing where the system does not tell.
std::optional<std::int64_t> max_memory_since_the_last_call() {
  std::ifstream status("/proc/self/status");
  std::string line;
  std::optional<std::int64_t> found;
  while (std::getline(status, line))
    if (line.starts_with("VmHWM:")) found = 1024 * std::stoll(line.substr(6));
  std::ofstream reset("/proc/self/clear_refs");
  reset << "5" << std::flush;
  return reset ? found : std::nullopt;
}

// A frame of 48 MB, of which a three-dimensional copy has 72 MB: on its way there are only pieces of 4 MiB.
TEST(SamplesFile, TakesLittleMemoryForLargeFrames) {
  const ScratchFolder folder;
  constexpr std::int64_t particles = 3'000'000;
  const std::vector<double> position(2 * particles, 0.25);
  SamplesFile file(self(), folder / "samples.h5md", about(particles, 2), example_provenance());
  max_memory_since_the_last_call();
  const auto before = max_memory_since_the_last_call();
  file.write_frame(0, 0.0, {0, particles}, position);
  const auto after = max_memory_since_the_last_call();
  file.close();
  if (!before || !after) GTEST_SKIP() << "the peak of memory cannot be reset here";
  constexpr std::int64_t piece = 4 << 20, of_the_libraries = 16 << 20;
  EXPECT_LT(*after - *before, piece + of_the_libraries);
}

// More than 1 MiB a frame, so several chunks, the last one with rows to spare.
TEST(SamplesFile, TakesFramesOfManyChunks) {
  const ScratchFolder folder;
  constexpr std::int64_t particles = 50'001;
  SamplesFile file(self(), folder / "samples.h5md", about(particles, 8), example_provenance());
  file.write_frame(0, 0.0, {0, particles}, frame(particles, 8, 0));
  file.write_frame(1, 1.0, {0, particles}, frame(particles, 8, 1));
  file.close();
  auto expected = frame(particles, 8, 0);
  const auto next = frame(particles, 8, 1);
  expected.insert(expected.end(), next.begin(), next.end());
  EXPECT_TRUE(read_trajectory(folder / "samples.h5md").coordinates == expected);
  // Chunks of at most 1 MiB, made even, waste less than a row each: 1 MiB would be lost with full-size ones. The rest is metadata.
  constexpr std::uintmax_t data = 2 * particles * (3 + 8) * sizeof(double), metadata = 65'536;
  EXPECT_LT(std::filesystem::file_size(folder / "samples.h5md"), data + metadata);
}

TEST(SamplesFile, KeepsTheFormerFileUntilTheNewOneIsComplete) {
  const ScratchFolder folder;
  const auto path = folder / "samples.h5md", previous = folder / "samples.previous.h5md";
  write_example(path, 2);
  for (int attempt = 0; attempt < 2; ++attempt) {  // the second time, beside what the first left unfinished
    SamplesFile unfinished(self(), path, about(2, 3), example_provenance());
    unfinished.write_frame(0, 0.0, {0, 2}, frame(2, 3, 7));
    EXPECT_EQ(read_samples(previous).dimension, 2);
  }
  EXPECT_EQ(read_samples(previous).dimension, 2);
  EXPECT_EQ(read_trajectory(path).coordinates, frame(2, 3, 7));
  EXPECT_THAT([&] { read_samples(path); },
              ThrowsMessage<InputError>(path.string() + " has no samples: the run that wrote it stopped before its end"));
  write_example(path, 8);
  EXPECT_EQ(read_samples(path).dimension, 8);
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(SamplesFile, LeavesTheFormerFileWhereTheNewOneCannotBeMade) {
  const ScratchFolder folder;
  EXPECT_THAT([&] { SamplesFile(self(), folder / "none/samples.h5md", about(2, 2), example_provenance()); },
              ThrowsMessage<Error>("cannot create " + (folder / "none/samples.h5md").string() + ": No such file or directory"));
}

TEST(SamplesFile, RefusesWhatDoesNotFit) {
  const ScratchFolder folder;
  EXPECT_THAT([&] { SamplesFile(self(), folder / "a.h5md", about(0, 2), example_provenance()); },
              ThrowsMessage<Error>("samples: 0 particles in 2 dimensions cannot be written"));
  SamplesFile file(self(), folder / "samples.h5md", about(4, 2), example_provenance());
  EXPECT_THAT(
      [&] {
        file.write_frame(0, 0, {0, 4}, frame(3, 2, 0));
      },
      ThrowsMessage<Error>("samples: the position of a frame has 6 entries, expected 8"));
  EXPECT_THAT(
      [&] {
        file.write_frame(0, 0, {0, 3}, frame(3, 2, 0));
      },
      ThrowsMessage<Error>("samples: the shards of the ranks end at particle 3, expected 4"));
  EXPECT_THAT(
      [&] {
        file.write_frame(0, 0, {1, 3}, frame(3, 2, 0));
      },
      ThrowsMessage<Error>("samples: the shards of the ranks leave or repeat the particle 0"));
  const auto position = frame(4, 2, 0);
  auto particles = room_for_particles({0, 4}, 2);
  particles.status.pop_back();
  EXPECT_THAT([&] { file.write_samples(particles); }, ThrowsMessage<Error>("samples: status has 3 entries, expected 4"));
  // None of these did harm.
  file.write_frame(0, 0, {0, 4}, position);
  file.close();
  EXPECT_EQ(read_trajectory(folder / "samples.h5md").coordinates, position);
}

TEST(WriteParticles, GivesParticlesAndFramesBack) {
  const ScratchFolder folder;
  auto particles = room_for_particles({0, 3}, 2, {5.0, 0.0});
  particles.position = particles.frames[1] = frame(3, 2, 0);
  particles.frames[0] = frame(3, 2, 1);
  particles.log_weight = {1, 2, 3};
  particles.energy = {7, 7, 7};
  write_particles(self(), folder / "mine.h5md", particles);
  const auto all = read_particles(folder / "mine.h5md"), last = read_particles(folder / "mine.h5md", Shard{2, 1});
  EXPECT_EQ(all.position, particles.position);
  EXPECT_EQ(all.log_weight, particles.log_weight);
  EXPECT_THAT(all.energy, ::testing::IsEmpty());
  EXPECT_THAT(last.id, ElementsAre(2));
  EXPECT_EQ(last.shard.first, 2);
  EXPECT_THAT(read_trajectory(folder / "mine.h5md").time, ElementsAre(5, 0));
  EXPECT_EQ(read_samples(folder / "mine.h5md").provenance.program_version, "0.1.0");
}

TEST(ReadSamples, GivesNaNForWhatEarlierVersionsDidNotWrite) {
  const ScratchFolder folder;
  const auto path = folder / "samples.h5md";
  write_example(path, 2);
  {
    const auto file = hdf5::open_file(path, hdf5::Mode::read_write, hdf5::file_access());
    for (const char* name : {"samples/action", "samples/time"}) ASSERT_GE(H5Ldelete(file.id(), name, H5P_DEFAULT), 0);
  }
  const auto samples = read_samples(path, Shard{1, 1});
  EXPECT_THAT(samples.action, ElementsAre(::testing::IsNan()));
  EXPECT_THAT(samples.time, ElementsAre(::testing::IsNan()));
  EXPECT_THAT(samples.log_density, ElementsAre(-2.5));
}

TEST(ReadSamples, SaysWhatIsWrong) {
  const ScratchFolder folder;
  const auto path = folder / "samples.h5md";
  EXPECT_THAT([&] { read_samples(path); },
              ThrowsMessage<InputError>(AllOf(HasSubstr(path.string()), HasSubstr("No such file or directory"))));
  replace_file(path, "x,y\n");
  EXPECT_THAT([&] { read_trajectory(path); }, ThrowsMessage<InputError>(HasSubstr("file signature not found")));
  std::filesystem::remove(path);
  write_example(path, 2);
  EXPECT_THAT(
      [&] {
        read_samples(path, Shard{1, 2});
      },
      ThrowsMessage<InputError>("cannot read the particles 1 to 2 of " + path.string() + ": it has 2"));
  {
    auto file = hdf5::open_file(path, hdf5::Mode::read_write, hdf5::file_access());
    H5Ldelete(file.id(), "samples/log_weight", H5P_DEFAULT);
    hdf5::write_dataset<double>(file, "samples/log_weight", std::vector<double>(3), {3});
    file.close();
  }
  EXPECT_THAT([&] { read_samples(path); },
              ThrowsMessage<InputError>("dataset /samples/log_weight in " + path.string() + " has the shape 3, expected 2"));
}

}  // namespace
}  // namespace boltzcurve

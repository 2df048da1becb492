#include <boltzcurve/error.hpp>
#include "io/durable_file.hpp"
#include "io/hdf5.hpp"
#include "io/samples_file.hpp"

#include <csignal>
#include <limits>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpi/io_shared_folder.hpp"
#include "unit/io/example_provenance.hpp"
#include "unit/io/small_disk.hpp"

namespace boltzcurve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::example_provenance;
using ::testing::HasSubstr;
using testing::SharedFolder;
using testing::SmallDisk;
using ::testing::ThrowsMessage;
using testing::world;

// What every rank can compute alone: value of particle i, coordinate d, in round t; never 0, all different.
double value(std::int64_t i, int d, std::int64_t t) { return 1.0 + d + 0.125 * static_cast<double>(i) + 1e6 * static_cast<double>(t); }

std::vector<double> positions(const Shard& shard, int dimension, std::int64_t t) {
  std::vector<double> values;
  for (std::int64_t i = shard.first; i < shard.first + shard.count; ++i)
    for (int d = 0; d < dimension; ++d) values.push_back(value(i, d, t));
  return values;
}

template <class T>
std::vector<T> per_particle(const Shard& shard, T scale, T offset) {
  std::vector<T> values;
  for (std::int64_t i = shard.first; i < shard.first + shard.count; ++i) values.push_back(static_cast<T>(i) * scale + offset);
  return values;
}

std::vector<ParticleStatus> statuses(const Shard& shard) {
  std::vector<ParticleStatus> values;
  for (const auto number : per_particle<std::int32_t>(shard, 1, 2)) values.push_back(static_cast<ParticleStatus>(number));
  return values;
}

void write_all(SamplesFile& file, const Shard& shard, int dimension, int frames) {
  for (int t = 0; t < frames; ++t) file.write_frame(10 * t, 5.0 - t, shard, positions(shard, dimension, t));
  auto particles = room_for_particles(shard, dimension);
  particles.position = positions(shard, dimension, 99);
  particles.log_density = per_particle(shard, -0.5, 3.0);
  particles.log_weight = per_particle(shard, 0.25, -7.0);
  particles.action = per_particle(shard, 0.125, 1.0);
  particles.time = per_particle(shard, -0.75, 9.0);
  particles.status = statuses(shard);
  particles.evaluations = per_particle<std::int64_t>(shard, 1'000'000'007, 5);
  file.write_samples(particles);
}

// Blocks of 7: uneven shards, and empty ones where there are fewer blocks than ranks.
void write_all(SamplesFile& file, std::int64_t particles, int dimension, int frames) {
  write_all(file, shard_of(particles, 7, world().rank(), world().size()), dimension, frames);
}

void expect_all(const std::filesystem::path& path, std::int64_t particles, int dimension, int frames) {
  const Shard all{0, particles};
  const auto samples = read_samples(path);
  EXPECT_TRUE(samples.complete);
  EXPECT_EQ(samples.position, positions(all, dimension, 99));
  EXPECT_EQ(samples.log_density, per_particle(all, -0.5, 3.0));
  EXPECT_EQ(samples.log_weight, per_particle(all, 0.25, -7.0));
  EXPECT_EQ(samples.action, per_particle(all, 0.125, 1.0));
  EXPECT_EQ(samples.time, per_particle(all, -0.75, 9.0));
  EXPECT_EQ(samples.status, statuses(all));
  EXPECT_EQ(samples.evaluations, per_particle<std::int64_t>(all, 1'000'000'007, 5));
  EXPECT_EQ(samples.id, per_particle<std::int64_t>(all, 1, 0));
  const auto trajectory = read_trajectory(path);
  ASSERT_EQ(trajectory.frames, frames);
  std::vector<double> expected;
  for (int t = 0; t < frames; ++t) {
    EXPECT_EQ(trajectory.step[static_cast<std::size_t>(t)], 10 * t);
    EXPECT_EQ(trajectory.time[static_cast<std::size_t>(t)], 5.0 - t);
    const auto frame = positions(all, dimension, t);
    expected.insert(expected.end(), frame.begin(), frame.end());
  }
  EXPECT_EQ(trajectory.coordinates, expected);
}

TEST(SamplesFileOnRanks, HoldsWhatOneRankWouldHaveWritten) {
  const SharedFolder folder;
  for (const auto mode : {TransferMode::automatic, TransferMode::collective, TransferMode::independent}) {
    for (const int dimension : {2, 3, 8}) {
      for (const std::int64_t particles : {1, 13, 100}) {
        SCOPED_TRACE("mode " + std::to_string(static_cast<int>(mode)) + ", dimension " + std::to_string(dimension) + ", particles " +
                     std::to_string(particles));
        const auto path = folder / "samples.h5md";
        SamplesFile file(world(), path, {.particles = particles, .dimension = dimension, .transfer = mode}, example_provenance());
        write_all(file, particles, dimension, 3);
        file.close();
        if (world().is_root()) expect_all(path, particles, dimension, 3);
        world().barrier();
      }
    }
  }
}

// Of 1.4 MiB a frame, two ranks and more write collectively where the choice is `automatic`; ranks meet inside chunks.
TEST(SamplesFileOnRanks, HoldsLargeFramesToo) {
  const SharedFolder folder;
  constexpr std::int64_t particles = 60'000;
  const auto path = folder / "samples.h5md";
  SamplesFile file(world(), path, {.particles = particles, .dimension = 2}, example_provenance());
  write_all(file, particles, 2, 2);
  file.close();
  if (world().is_root()) expect_all(path, particles, 2, 2);
}

// A rank hands over 4 MiB at a time: here the first one has 12.0 MB of positions, the second 2.4, and the others none.
TEST(SamplesFileOnRanks, HoldsPartsOfManyPiecesBesideEmptyOnes) {
  const SharedFolder folder;
  constexpr std::int64_t particles = 600'001, of_first = 500'000;
  const auto path = folder / "samples.h5md";
  Shard shard{particles, 0};
  if (world().rank() == 0) shard = {0, world().size() == 1 ? particles : of_first};
  if (world().rank() == 1) shard = {of_first, particles - of_first};
  for (const auto mode : {TransferMode::automatic, TransferMode::collective}) {
    SCOPED_TRACE("mode " + std::to_string(static_cast<int>(mode)));
    SamplesFile file(world(), path, {.particles = particles, .dimension = 2, .transfer = mode}, example_provenance());
    write_all(file, shard, 2, 1);
    file.close();
    if (world().is_root()) expect_all(path, particles, 2, 1);
    world().barrier();
  }
}

TEST(SamplesFileOnRanks, CarriesTheProvenanceOfRankZeroAndOptionsBeyond64KiB) {
  const SharedFolder folder;
  auto provenance = example_provenance();
  provenance.options = std::string(100'000, 'o');
  auto mine = provenance;
  mine.options.resize(mine.options.size() - static_cast<std::size_t>(world().rank()));
  mine.hosts.resize(mine.hosts.size() + static_cast<std::size_t>(world().rank()));
  SamplesFile file(world(), folder / "samples.h5md", {.particles = 5, .dimension = 2}, mine);
  write_all(file, 5, 2, 1);
  file.close();
  const auto read = read_samples(folder / "samples.h5md").provenance;
  EXPECT_EQ(read.options, provenance.options);
  EXPECT_EQ(read.hosts, provenance.hosts);
}

TEST(SamplesFileOnRanks, EndsWithTheSameErrorOnAllRanksWhereOneFails) {
  const SharedFolder folder;
  EXPECT_THAT([&] { SamplesFile(world(), folder / "none/samples.h5md", {.particles = 5, .dimension = 2}, example_provenance()); },
              ThrowsMessage<Error>(HasSubstr("none/samples.h5md: No such file or directory")));

  const std::int64_t particles = 10 * world().size();
  SamplesFile file(world(), folder / "samples.h5md", {.particles = particles, .dimension = 2}, example_provenance());
  const auto shard = shard_of(particles, 1, world().rank(), world().size());
  auto position = positions(shard, 2, 0);
  const int last = world().size() - 1;
  if (world().rank() == last) position.pop_back();
  const std::string rank = last > 0 ? " (on rank " + std::to_string(last) + ")" : "";
  EXPECT_THAT([&] { file.write_frame(0, 0.0, shard, position); },
              ThrowsMessage<Error>("samples: the position of a frame has 19 entries, expected 20" + rank));
  auto wrong = shard;
  if (world().rank() == last) ++wrong.first;
  const auto repeated = std::to_string(10 * last);
  EXPECT_THAT([&] { file.write_frame(0, 0.0, wrong, positions(wrong, 2, 0)); },
              ThrowsMessage<Error>(HasSubstr("leave or repeat the particle " + repeated)));
  file.write_frame(0, 0.0, shard, positions(shard, 2, 0));
  file.close();
  if (world().is_root()) {
    EXPECT_EQ(read_trajectory(folder / "samples.h5md").coordinates, positions({0, particles}, 2, 0));
  }
}

// Other ranks may know nothing of one rank's exception: its file must not wait for them in a collective close.
void close_what_is_open(unsigned kind, herr_t (*close)(hid_t)) {
  std::vector<hid_t> ids(static_cast<std::size_t>(H5Fget_obj_count(H5F_OBJ_ALL, kind)));
  H5Fget_obj_ids(H5F_OBJ_ALL, kind, ids.size(), ids.data());
  for (const auto id : ids) EXPECT_GE(close(id), 0);
}

TEST(SamplesFileOnRanks, LetsAnExceptionOfOneRankPass) {
  const SharedFolder folder;
  const auto path = folder / "samples.h5md";
  {
    std::optional<SamplesFile> others;
    const auto shard = shard_of(30, 1, world().rank(), world().size());
    const auto open_and_write = [&] {
      SamplesFile file(world(), path, {.particles = 30, .dimension = 2}, example_provenance());
      file.write_frame(0, 0.0, shard, positions(shard, 2, 0));
      if (world().is_root()) throw NumericalError("diverged");
      others = std::move(file);
    };
    if (world().is_root()) {
      EXPECT_THROW(open_and_write(), NumericalError);
    } else {
      open_and_write();
    }
    // Flushed, so whole, although nobody has closed it.
    world().barrier();
    if (world().is_root()) {
      EXPECT_EQ(read_trajectory(path).coordinates, positions({0, 30}, 2, 0));
    }
    world().barrier();
    // The test's own end: let go of the others' file in the same way, then close it together.
    if (others) {
      try {
        const auto last = std::move(*others);
        throw 0;
      } catch (int) {
      }
    }
  }
  close_what_is_open(H5F_OBJ_DATASET, H5Dclose);
  close_what_is_open(H5F_OBJ_FILE, H5Fclose);
  EXPECT_EQ(hdf5::open_files(), 0);
}

TEST(SamplesFileOnRanks, SayThatTheDiskIsFull) {
  const SharedFolder folder;
  std::optional<SmallDisk> disk;
  if (world().is_root()) disk.emplace(folder / ".", 512);
  if (world().any(disk && !disk->mounted())) GTEST_SKIP() << "cannot mount a small file system here";
  const auto path = folder / "samples.h5md";
  constexpr std::int64_t particles = 1000;
  const auto shard = shard_of(particles, 7, world().rank(), world().size());
  for (const auto mode : {TransferMode::independent, TransferMode::collective}) {
    std::int64_t written = 0;
    const auto before = hdf5::open_files();
    const auto write_much = [&] {
      SamplesFile file(world(), path, {.particles = particles, .dimension = 3, .transfer = mode}, example_provenance());
      for (; written < 100; ++written) file.write_frame(written, 0.0, shard, positions(shard, 3, written));  // 24 kB each
    };
    EXPECT_THAT(write_much, ThrowsMessage<Error>(AllOf(HasSubstr("cannot write "),
                                                       HasSubstr(" more bytes to " + path.string() + ": No space left on device"))));
    // 512 KiB hold 21 frames of 24 kB; reserves for metadata and rounding to pages may cost a few.
    EXPECT_GE(written, 12);
    EXPECT_LE(written, 21);
    EXPECT_EQ(hdf5::open_files(), before);
    if (world().is_root()) {
      EXPECT_EQ(read_trajectory(path).frames, written);
    }
    world().barrier();
    if (world().is_root()) std::filesystem::remove(path);
  }
}

// Open MPI 4.1 writes small collective parts wrongly, without an error, when two or more ranks collect them and data sieving is on
// (open-mpi/ompi #12718, #12759). MpiSession switches data sieving off before MPI starts. This is the case that goes wrong: run it with
// OMPI_MCA_io_ompio_num_aggregators=2 on 3 and 4 ranks; with OMPI_MCA_fbtl_posix_write_datasieving=1 it fails.
TEST(SmallCollectiveWrites, AreReadBackAsWritten) {
  if (world().size() < 3) GTEST_SKIP() << "needs 3 ranks or more, found " << world().size();
  const SharedFolder folder;
  int wrong = 0, rounds = 0;
  for (int round = 0; round < 24; ++round) {
    for (const std::int64_t edge : {9, 16, 23, 30}) {
      const auto path = folder / ("square" + std::to_string(round) + "_" + std::to_string(edge) + ".h5md");
      const auto rows = shard_of(edge, 1, world().rank(), world().size());
      const auto square = positions(rows, static_cast<int>(edge), round);
      SamplesFile file(world(), path, {.particles = edge, .dimension = static_cast<int>(edge), .transfer = TransferMode::collective},
                       example_provenance());
      file.write_frame(round, 0.0, rows, square);
      auto particles = room_for_particles(rows, static_cast<int>(edge));
      particles.position = square;
      file.write_samples(particles);
      file.close();
      if (world().is_root()) {
        const auto expected = positions({0, edge}, static_cast<int>(edge), round);
        if (read_samples(path).position != expected || read_trajectory(path).coordinates != expected) ++wrong;
      }
      ++rounds;
      world().barrier();
    }
  }
  EXPECT_EQ(wrong, 0) << wrong << " of " << rounds << " files are wrong";
}

}  // namespace
}  // namespace boltzcurve

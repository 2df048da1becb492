// Speed of writing frames of particles through the program's own file layer, beside plain MPI-IO to the same disk:
//   mpirun -n R boltzcurve_write_benchmark FOLDER PARTICLES FRAMES [REPEATS = 5]
// Every repeat writes both files, one after the other and which first in turn; both end with their data handed to the disk (fsync), ours
// after every frame too. Each has the bytes of positions [T][N][3] and coordinates [T][N][2] in double. Prints one JSON object: medians of
// the bytes per second and of their ratio within a repeat, and the memory that writing took on a rank beside the positions given.
#include <boltzcurve/error.hpp>
#include <boltzcurve/session.hpp>
#include "app/process/memory.hpp"
#include "app/process/stop_request.hpp"
#include "io/samples_file.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace boltzcurve;

constexpr std::int64_t dimension = 2, doubles_per_particle = 3 + dimension;

struct Written {
  double seconds = 0;
  std::int64_t bytes_of_memory = 0;  // by which the most that a rank ever held grew
};

Written write_samples_file(const Communicator& ranks, const std::filesystem::path& path, std::int64_t particles, int frames) {
  const Shard shard = shard_of(particles, 64, ranks.rank(), ranks.size());
  const std::vector<double> position(static_cast<std::size_t>(shard.count * dimension), 0.5 + ranks.rank());
  const auto held = peak_resident_bytes();
  SamplesDescription description;
  description.particles = particles;
  description.dimension = static_cast<int>(dimension);
  ranks.barrier();
  const double begin = steady_seconds();
  SamplesFile file(ranks, path, description, {});
  for (int f = 0; f < frames; ++f) file.write_frame(f, f, shard, position);
  file.close();
  const double seconds = ranks.max(steady_seconds() - begin);
  return {seconds, static_cast<std::int64_t>(ranks.max(static_cast<double>(peak_resident_bytes() - held)))};
}

double seconds_of_plain_file(const Communicator& ranks, const std::filesystem::path& path, std::int64_t particles, int frames) {
  const Shard shard = shard_of(particles, 64, ranks.rank(), ranks.size());
  const std::vector<double> values(static_cast<std::size_t>(shard.count * doubles_per_particle), 0.5 + ranks.rank());
  ranks.barrier();
  const double begin = steady_seconds();
  MPI_File file = MPI_FILE_NULL;
  if (MPI_File_open(ranks.handle(), path.c_str(), MPI_MODE_CREATE | MPI_MODE_WRONLY, MPI_INFO_NULL, &file) != MPI_SUCCESS)
    throw InputError("cannot open " + path.string());
  for (int f = 0; f < frames; ++f) {
    const MPI_Offset offset = (f * particles + shard.first) * doubles_per_particle * static_cast<std::int64_t>(sizeof(double));
    if (MPI_File_write_at_all(file, offset, values.data(), static_cast<int>(values.size()), MPI_DOUBLE, MPI_STATUS_IGNORE) != MPI_SUCCESS)
      throw InputError("cannot write to " + path.string());
  }
  MPI_File_sync(file);
  MPI_File_close(&file);
  return ranks.max(steady_seconds() - begin);
}

void remove_all(const Communicator& ranks, const std::filesystem::path& path) {
  on_root(ranks, [&] {
    for (const auto& entry : std::filesystem::directory_iterator(path.parent_path()))
      if (entry.path().filename().string().rfind(path.filename().string(), 0) == 0) std::filesystem::remove(entry.path());
  });
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char* argv[]) {
  const MpiSession mpi(argc, argv);
  const auto& ranks = mpi.world();
  if (argc < 4) {
    if (ranks.is_root()) fmt::print(stderr, "usage: {} FOLDER PARTICLES FRAMES [REPEATS]\n", argv[0]);
    return 2;
  }
  const std::filesystem::path path = std::filesystem::path(argv[1]) / "boltzcurve_write_benchmark";
  const std::int64_t particles = std::atoll(argv[2]);
  const int frames = std::atoi(argv[3]), repeats = argc > 4 ? std::atoi(argv[4]) : 5;
  const double bytes = static_cast<double>(particles * frames * doubles_per_particle) * sizeof(double);
  try {
    std::vector<double> ours, plain, fraction;
    std::int64_t memory = 0;
    const auto write_ours = [&] {
      remove_all(ranks, path);
      const auto written = write_samples_file(ranks, path, particles, frames);
      ours.push_back(bytes / written.seconds);
      memory = std::max(memory, written.bytes_of_memory);  // the first repeat's, since later ones find what it has taken
    };
    const auto write_plain = [&] {
      remove_all(ranks, path);
      plain.push_back(bytes / seconds_of_plain_file(ranks, path, particles, frames));
    };
    for (int repeat = 0; repeat < repeats; ++repeat) {
      if (repeat % 2 == 0) write_ours();
      write_plain();
      if (repeat % 2 == 1) write_ours();
      fraction.push_back(ours.back() / plain.back());
    }
    remove_all(ranks, path);
    constexpr double mebibyte = 1 << 20;
    if (ranks.is_root())
      fmt::print(
          R"({{"ranks": {}, "particles": {}, "frames": {}, "mib_per_second": {:.1f}, "plain_mib_per_second": {:.1f}, "fraction_of_plain": {:.3f}, "memory_mib": {:.1f}}})"
          "\n",
          ranks.size(), particles, frames, median(ours) / mebibyte, median(plain) / mebibyte, median(fraction),
          static_cast<double>(memory) / mebibyte);
  } catch (const Error& error) {
    fmt::print(stderr, "rank {}: {}\n", ranks.rank(), error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}

// Speed of writing frames of particles through the program's own file layer, beside plain MPI-IO to the same disk:
//   mpirun -n R boltzcurve_write_benchmark FOLDER PARTICLES FRAMES [REPEATS]
// Every repeat writes both files, in turn, and both end with their data handed to the disk (fsync). Each has the bytes of positions
// [T][N][3] and coordinates [T][N][2] in double. Prints one JSON object: medians of the bytes per second, and the largest resident memory
// of a rank.
#include <boltzcurve/core/error.hpp>
#include <boltzcurve/io/samples_file.hpp>
#include <boltzcurve/parallel/session.hpp>
#include <boltzcurve/run/memory.hpp>
#include <boltzcurve/run/stop_request.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace boltzcurve;

constexpr std::int64_t dimension = 2, doubles_per_particle = 3 + dimension;

double seconds_of_samples_file(const Communicator& ranks, const std::filesystem::path& path, std::int64_t particles, int frames) {
  const Shard shard = shard_of(particles, 64, ranks.rank(), ranks.size());
  const std::vector<double> position(static_cast<std::size_t>(shard.count * dimension), 0.5 + ranks.rank());
  SamplesDescription description;
  description.particles = particles;
  description.dimension = static_cast<int>(dimension);
  ranks.barrier();
  const double begin = steady_seconds();
  SamplesFile file(ranks, path, description, {});
  for (int f = 0; f < frames; ++f) file.write_frame(f, f, shard, position);
  file.close();
  return ranks.max(steady_seconds() - begin);
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
  const int frames = std::atoi(argv[3]), repeats = argc > 4 ? std::atoi(argv[4]) : 3;
  const double bytes = static_cast<double>(particles * frames * doubles_per_particle) * sizeof(double);
  try {
    std::vector<double> ours, plain;
    for (int repeat = 0; repeat < repeats; ++repeat) {
      remove_all(ranks, path);
      ours.push_back(bytes / seconds_of_samples_file(ranks, path, particles, frames));
      remove_all(ranks, path);
      plain.push_back(bytes / seconds_of_plain_file(ranks, path, particles, frames));
    }
    remove_all(ranks, path);
    const double resident = ranks.max(static_cast<double>(peak_resident_bytes()));
    if (ranks.is_root())
      fmt::print(
          R"({{"ranks": {}, "particles": {}, "frames": {}, "mib_per_second": {:.1f}, "plain_mib_per_second": {:.1f}, "peak_resident_mib": {:.1f}}})"
          "\n",
          ranks.size(), particles, frames, median(ours) / (1 << 20), median(plain) / (1 << 20), resident / (1 << 20));
  } catch (const Error& error) {
    fmt::print(stderr, "rank {}: {}\n", ranks.rank(), error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}

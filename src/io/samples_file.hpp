#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/particles.hpp>
#include "io/provenance.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace boltzcurve {

/// How ranks hand their parts of a dataset to the file system. A rank's part is one contiguous range of the file, up to chunk borders, so
/// `automatic` lets every rank write for itself, unless there are many small parts (below 1 MiB a rank on average, 1 MiB or more over all
/// ranks): then a few ranks collect them. Collecting large parts only copies them once more (measured: half the speed on two ranks), and
/// collecting what is small altogether is what Open MPI 4.1 may do wrongly when data sieving is on (open-mpi/ompi #12718).
enum class TransferMode { automatic, collective, independent };

/// What a samples file is about.
struct SamplesDescription {
  std::int64_t particles = 0;                   ///< N, over all ranks
  int dimension = 0;                            ///< D
  std::string author = "unknown";               ///< H5MD demands one
  std::int64_t parameters_crc32 = 0;            ///< what they were drawn with: see learned_crc32()
  int legs = 1;                                 ///< parts of the flow between which they were moved
  std::int64_t island_size = particle_granule;  ///< particles that were resampled among themselves: multiples of it are where to cut a file
  TransferMode transfer = TransferMode::automatic;
};

/// samples.h5md, an H5MD 1.1 file written by all ranks together through MPI-IO, ordered by global id whatever the number of ranks.
///
///     /h5md                              version 1.1, author, creator
///     /particles/trajectory/box          dimension 3, no boundaries
///     /particles/trajectory/position     value [T][N][3], step [T], time [T]: the first three coordinates, missing ones 0, for viewers;
///                                        time since the first frame, which grows on every curve, as H5MD demands
///     /particles/trajectory/coordinates  value [T][N][D], the same step and time; only where D is not 3
///     /observables/curve_time            value [T]: time t of the curve, which may fall; the same step and time
///     /samples                           the columns of the table of particles (boltzcurve/particles.hpp) that are kept in files
///
/// Layout: the arrays of frames are chunked, a frame in as few chunks of at most 1 MiB as hold it, all of equal size (a chunk takes a whole
/// number of particles). A chunk never spans two frames, so that a new frame touches no old chunk and a reader of one frame reads nothing
/// else; 1 MiB is what HDF5's readers keep in their cache by default, and a common stripe of parallel file systems. There are no filters
/// and no fill values: each byte is written once, where it stays. /samples is contiguous. Ranks write in pieces of at most 4 MiB, which
/// is also the memory that writing takes on a rank beside the caller's arrays.
///
/// /particles appears with the first frame. Everything is written in place and flushed, so that the file of a killed run opens with all
/// frames flushed before. A file that was there before stays as previous_path(path) until close() has succeeded; beside a file that an
/// unfinished run left, the older finished one is kept and the unfinished one is overwritten.
///
/// Every member is collective, and an error on one rank is thrown on all: Error with ExitCode::input for the file (naming the rank where
/// it is not rank 0), with ExitCode::internal_error for arguments that do not fit together.
class SamplesFile {
 public:
  SamplesFile(const Communicator& ranks, const std::filesystem::path& path, const SamplesDescription& description,
              const Provenance& provenance);
  ~SamplesFile();
  SamplesFile(SamplesFile&&) noexcept;
  SamplesFile& operator=(SamplesFile&&) noexcept;

  /// Appends a frame: the positions [count][D] of this rank's particles, whose ids are [first, first + count). The shards of all ranks
  /// must cover [0, N) once; empty ones are fine. `step` numbers the frames, `time` is the curve's.
  void write_frame(std::int64_t step, double time, const Shard& shard, std::span<const double> position);

  /// Writes /samples; once. The shards of all ranks must cover [0, N) once.
  void write_samples(const Particles& particles);

  /// Marks the file as complete (root attribute `complete` = 1), closes and synchronizes it. The destructor closes too, without the mark
  /// and in silence, collectively; but while an exception passes it leaves the file as the last flush left it, because other ranks may
  /// know nothing of that exception and would never join.
  void close();
  /// The same without the mark: the root attribute `state` says why the file ends here.
  void close_unfinished(const std::string& state);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// /samples of a file, or the part [first, first + count) of it, without energies and frames. Action and time are NaN in files of versions
/// that did not write them.
struct Samples : Particles {
  Provenance provenance;
  bool complete = false;                         ///< the run that wrote it came to its end
  std::int64_t particles = 0;                    ///< N of the whole file
  std::optional<std::int64_t> parameters_crc32;  ///< none in files of versions that did not write it
  int legs = 1;                                  ///< see SamplesDescription
  std::int64_t island_size = particle_granule;
  std::vector<std::string> status_names;  ///< status_names[s] says what the status s of a particle means
};

/// Any rank on its own, without MPI-IO. Throws InputError, naming file and dataset.
Samples read_samples(const std::filesystem::path& path, const std::optional<Shard>& part = {});

/// The frames of a file.
struct Trajectory {
  std::int64_t frames = 0, particles = 0;
  int dimension = 0;
  std::vector<std::int64_t> step;   ///< [T]
  std::vector<double> time;         ///< [T], of the curve
  std::vector<double> coordinates;  ///< [T][N][D]
};

/// Any rank on its own. A file without frames gives frames = 0. Throws InputError.
Trajectory read_trajectory(const std::filesystem::path& path);

}  // namespace boltzcurve

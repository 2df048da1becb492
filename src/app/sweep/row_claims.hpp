#pragma once

#include <boltzcurve/communicator.hpp>
#include "io/folder_lock.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>

namespace boltzcurve {

/// Which group of ranks of one MPI job takes which row of a sweep. A row is its who first creates the file of its number, which every file
/// system does for one only: no rank has to answer while it computes, as one-sided MPI needs of many networks, and no lock has to work
/// between nodes. Other jobs have files of their own; between them the locks of the runs' folders stand.
class RowClaims {
 public:
  /// A new folder in that of the sweep, known to this job only; removes those that killed jobs have left, where locks tell them from those
  /// of living ones. Throws InputError. Collective.
  RowClaims(const Communicator& world, const std::filesystem::path& sweep_folder);

  /// Whether the row is the caller's from now on. For one rank of a group. Throws InputError.
  bool take(std::int64_t row) const;

  /// When all ranks are done. For rank 0 of `world`.
  void remove();

 private:
  std::filesystem::path folder_;
  std::optional<FolderLock> lock_;  // on rank 0: the job lives
};

}  // namespace boltzcurve

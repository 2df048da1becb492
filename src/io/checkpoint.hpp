#pragma once

#include <boltzcurve/communicator.hpp>
#include "io/durable_file.hpp"
#include "io/provenance.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace boltzcurve {

/// One array of a checkpoint. `name` is a path such as "parameters/layer0/weight"; `shape` has one or two entries (2-D: the second index
/// runs fastest).
struct CheckpointDataset {
  using Values = std::variant<std::vector<float>, std::vector<double>, std::vector<std::int64_t>>;
  std::string name;
  std::vector<std::int64_t> shape;
  Values values;

  bool operator==(const CheckpointDataset&) const = default;
};

/// All that training needs to go on, in memory. The arrays keep their order in the file and back.
struct Checkpoint {
  using Scalar = std::variant<std::int64_t, double, std::string>;
  Provenance provenance;  ///< its format and format_version are set by writing
  std::vector<CheckpointDataset> datasets;
  std::map<std::string, Scalar> scalars;
  std::filesystem::path source;  ///< the file it was read from, for messages; not part of the content
  FileStamp stamp;               ///< of that file, on the rank that read it; neither

  /// The dataset of this name, or null.
  const CheckpointDataset* find(std::string_view name) const;

  /// The values of a dataset that must be there. Throws InputError, naming file and dataset, where it is missing or of another type
  /// (T is float, double or int64_t) or shape.
  template <class T>
  const std::vector<T>& values(std::string_view name, const std::vector<std::int64_t>& shape) const;
  /// T is int64_t, double or std::string. Throws InputError where it is missing or of another type.
  template <class T>
  const T& scalar(const std::string& name) const;
};

/// Its name in the output folder of a run.
inline constexpr const char* checkpoint_name = "checkpoint.h5";

/// The version written; a reader takes this and older ones.
inline constexpr std::int64_t checkpoint_format_version = 3;  // 1: without a word for the training; 2: with more checksums

/// Writes the checkpoint so that a crash at any moment leaves a valid one: under a temporary name, synchronized, read back if asked to,
/// renamed over `path`; the one before stays as previous_path(path). For one rank only (rank 0): the others must not call it. The file is
/// composed in memory, so this takes about three times the checkpoint's size there for a moment.
///
/// The same content gives the same bytes. Throws InputError with the system's reason (missing folder, disk full), the old file untouched
/// and no temporary left; Error for names or shapes that make no sense.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint, ReadBack read_back = ReadBack::no);

/// Reads and verifies the file as a whole by its seal (io/seal.hpp), before HDF5 sees it. One without is taken only if it is of version 1
/// or 2, some of which have none: HDF5 cuts the seal off when a program opens the file for writing. Throws InputError, naming the file, the
/// dataset and what is wrong: missing, not HDF5, truncated, checksum, newer version.
Checkpoint read_checkpoint(const std::filesystem::path& path);

/// The same from the bytes of such a file, whose name `source` serves for messages.
Checkpoint parse_checkpoint(const std::filesystem::path& source, std::span<const std::byte> image);

/// The same on every rank, of which only rank 0 reads the file. Collective; throws on every rank.
Checkpoint read_checkpoint(const Communicator& ranks, const std::filesystem::path& path);

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace boltzcurve {

namespace hdf5 {
class Location;
}

/// Where a file comes from: the root attributes of every HDF5 file of this program, under the names of these members.
struct Provenance {
  std::string format;               ///< what kind of file, for example "boltzcurve checkpoint"; set by the function that writes the file
  std::int64_t format_version = 0;  ///< likewise; grows when a reader must change
  std::string program_version;      ///< for example "0.1.0"
  std::string git_description;      ///< commit that the program was built from, with "-dirty" where it was changed
  std::string options;              ///< all resolved options, as the text of a configuration file; any length
  std::string command_line;
  std::uint64_t seed = 0;
  std::string build;               ///< compiler, flags, Kokkos, MPI, HDF5
  std::vector<std::string> hosts;  ///< one name per host
  std::string job_id;              ///< the scheduler's, empty without one
  std::string start_utc;           ///< ISO 8601, for example "2026-03-01T12:00:00Z"
  std::string training;            ///< which training the content comes from: a word drawn when it begins; empty in files from before it

  /// Whether two files may come from one training: false where both say which, and say different ones.
  bool may_share_training_with(const Provenance& other) const {
    return training.empty() || other.training.empty() || training == other.training;
  }

  bool operator==(const Provenance&) const = default;
};

/// Root attribute (in a checkpoint, scalar) that says what the run is doing that writes a file: "running", "finished", or "stopped: " and
/// why.
inline constexpr const char* run_state_attribute = "state";

/// A file that a newer version of the program wrote: whole as far as anyone can tell, so nothing to be replaced by an older one.
class NewerFormat : public NotDamaged {
 public:
  using NotDamaged::NotDamaged;
};

/// Writes every member as an attribute of `root`. Collective where the file is: same values on all ranks (see broadcast()).
/// Throws InputError.
void write_provenance(const hdf5::Location& root, const Provenance& provenance);

/// Writes `training` anew into a file that has the rest.
void write_training(const hdf5::Location& root, const std::string& training);

/// Throws InputError, naming the file, unless `root` carries all attributes of a file of this `format` in a version from 1 to
/// `newest_version`; NewerFormat for a newer one.
Provenance read_provenance(const hdf5::Location& root, std::string_view format, std::int64_t newest_version);

/// Version, build and hosts of this program, the scheduler's job and the time, of rank 0; options, command line, seed and training are left
/// empty. Collective.
Provenance provenance_of_this_process(const Communicator& ranks);

/// Gives every rank rank 0's values. Collective.
void broadcast(const Communicator& ranks, Provenance& provenance);

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/communicator.hpp>

#include <filesystem>
#include <optional>
#include <string>

#include "unit/io/scratch_folder.hpp"

namespace boltzcurve::testing {

inline const Communicator& world() {
  static const Communicator ranks(MPI_COMM_WORLD);
  return ranks;
}

/// A folder that all ranks see; rank 0's owner removes it after the last barrier.
class SharedFolder {
 public:
  SharedFolder() {
    if (world().is_root()) owner_.emplace();
    if (owner_) path_ = owner_->path().string();
    world().broadcast(path_);
  }
  ~SharedFolder() { world().barrier(); }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return std::filesystem::path(path_) / name; }

 private:
  std::optional<ScratchFolder> owner_;
  std::string path_;
};

}  // namespace boltzcurve::testing

#pragma once

#include <boltzcurve/communicator.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace boltzcurve {

/// A maximum over all ranks, elementwise, that comes about while they work, each at its own pace. All ranks start the same ones in the same
/// order, and call nothing collective of the same communicator before they have the result of one.
class PendingMax {
 public:
  /// Starts it with this rank's values. Throws Error where MPI does.
  PendingMax(const Communicator& ranks, std::vector<std::int64_t> values);
  /// Where the result has not come, MPI keeps the memory that it writes to.
  ~PendingMax();
  PendingMax(const PendingMax&) = delete;
  PendingMax& operator=(const PendingMax&) = delete;

  /// Whether the result has come. Lets MPI work on it: call it now and then. Throws Error where MPI does.
  bool has_come();
  /// [values of a rank], the same on all; only once it has come.
  const std::vector<std::int64_t>& result() const;

 private:
  struct Numbers {
    std::vector<std::int64_t> mine, largest;
  };
  std::unique_ptr<Numbers> numbers_;
  MPI_Request request_ = MPI_REQUEST_NULL;
  bool has_come_ = false;
};

}  // namespace boltzcurve

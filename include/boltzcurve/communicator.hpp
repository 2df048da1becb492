#pragma once

#include <boltzcurve/shard.hpp>

#include <mpi.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace boltzcurve {

/// The ranks that work together, by value; owns nothing (MPI_COMM_WORLD or a communicator that outlives it).
/// Every member but rank() and size() is collective: all ranks call it in the same order.
class Communicator {
 public:
  explicit Communicator(MPI_Comm handle);

  MPI_Comm handle() const { return handle_; }
  int rank() const { return rank_; }
  int size() const { return size_; }
  bool is_root() const { return rank_ == 0; }

  void barrier() const;

  /// Elementwise in place over all ranks. Integer sums and maxima are the same for any number of ranks; sums of doubles are not.
  void sum(std::span<std::int64_t> values) const;
  void sum(std::span<double> values) const;
  void sum(std::span<float> values) const;
  void max(std::span<double> values) const;
  void max(std::span<std::int64_t> values) const;
  std::int64_t sum(std::int64_t value) const;
  double max(double value) const;
  bool any(bool value) const;

  /// Root's bytes, text or numbers to everyone.
  void broadcast(std::string& text) const;
  void broadcast(std::span<double> values) const;
  void broadcast(std::span<std::int64_t> values) const;

  /// Every rank's values, in the order of ranks, on every rank.
  std::vector<double> all_gather(std::span<const double> values) const;
  std::vector<std::int64_t> all_gather(std::span<const std::int64_t> values) const;
  std::vector<std::string> all_gather(const std::string& text) const;

  /// Every rank's values, in the order of ranks, on rank `root`; nothing on the others.
  std::vector<double> gather(std::span<const double> values, int root) const;

 private:
  MPI_Comm handle_;
  int rank_ = 0, size_ = 1;
};

/// Cuts `total` items in blocks of `granule` (the last may be shorter) and gives each rank a contiguous run of whole blocks, as even as
/// possible. Block borders never depend on the number of ranks.
Shard shard_of(std::int64_t total, std::int64_t granule, int rank, int size);

/// Throws on every rank the error of the lowest rank that has one (`message` not empty there), so that no rank waits in a collective
/// for one that has failed. `code` is the process exit code that goes with it. Collective.
void agree_on_error(const Communicator& ranks, const std::string& message, int code);

/// Does `work` on rank 0 only; what it throws is thrown on every rank. Collective.
void on_root(const Communicator& ranks, const std::function<void()>& work);

}  // namespace boltzcurve

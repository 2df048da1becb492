#include "parallel/pending_max.hpp"
#include "parallel/mpi_check.hpp"

#include <utility>

namespace boltzcurve {

PendingMax::PendingMax(const Communicator& ranks, std::vector<std::int64_t> values) : numbers_(std::make_unique<Numbers>()) {
  numbers_->largest = values;
  numbers_->mine = std::move(values);
  check_mpi(MPI_Iallreduce(numbers_->mine.data(), numbers_->largest.data(), static_cast<int>(numbers_->mine.size()), MPI_INT64_T, MPI_MAX,
                           ranks.handle(), &request_),
            "MPI_Iallreduce");
}

PendingMax::~PendingMax() {
  if (!has_come_) (void)numbers_.release();
}

bool PendingMax::has_come() {
  int done = has_come_;
  if (!done) check_mpi(MPI_Test(&request_, &done, MPI_STATUS_IGNORE), "MPI_Test");
  return has_come_ = done != 0;
}

const std::vector<std::int64_t>& PendingMax::result() const { return numbers_->largest; }

}  // namespace boltzcurve

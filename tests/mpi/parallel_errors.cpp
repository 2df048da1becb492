// MPI's errors come back and say what failed, where and why.
#include <boltzcurve/communicator.hpp>
#include <boltzcurve/error.hpp>
#include "parallel/mpi_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace boltzcurve {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;

TEST(MpiErrors, BecomeExceptionsThatNameFunctionRankAndClass) {
  const Communicator world(MPI_COMM_WORLD);
  const auto where = world.size() == 1 ? std::string() : " on rank " + std::to_string(world.rank()) + " of " + std::to_string(world.size());
  const auto wrong_root = [&] {
    int value = 0;
    check_mpi(MPI_Bcast(&value, 1, MPI_INT, world.size(), world.handle()), "MPI_Bcast");
  };
  EXPECT_THAT(wrong_root, ThrowsMessage<Error>(AllOf(StartsWith("MPI_Bcast failed" + where + ": "), HasSubstr("MPI_ERR_ROOT"))));
  EXPECT_THAT([] { check_mpi(MPI_Barrier(MPI_COMM_NULL), "MPI_Barrier"); }, ThrowsMessage<Error>(HasSubstr("MPI_ERR_COMM")));
  EXPECT_EQ(world.sum(std::int64_t{1}), world.size()) << "the communicator works as before";
}

}  // namespace
}  // namespace boltzcurve

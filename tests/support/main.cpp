// Runs GoogleTest inside MPI and Kokkos. Rank 0 reports everything, other ranks only their failures, with the rank in front. Every suite of
// tests must free what it makes of MPI's objects.
#include <boltzcurve/session.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>

#include "support/mpi_objects.hpp"

namespace {

using boltzcurve::testing_support::mpi_objects_left;

class FailuresOfOtherRanks : public testing::EmptyTestEventListener {
 public:
  explicit FailuresOfOtherRanks(int rank) : rank_(rank) {}
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::fprintf(stderr, "rank %d: %s:%d: %s\n", rank_, result.file_name() ? result.file_name() : "?", result.line_number(),
                 result.summary());
  }

 private:
  int rank_;
};

class ObjectsLeft : public testing::EmptyTestEventListener {
 public:
  ObjectsLeft(int rank, bool& any) : rank_(rank), any_(any) {}
  void OnTestSuiteStart(const testing::TestSuite&) override { before_ = mpi_objects_left(); }
  void OnTestSuiteEnd(const testing::TestSuite& suite) override {
    const auto after = mpi_objects_left();
    if (after == before_) return;
    any_ = true;
    std::fprintf(stderr, "rank %d: MPI objects left before %s: %s; after it: %s\n", rank_, suite.name(), before_.c_str(), after.c_str());
  }

 private:
  int rank_;
  bool& any_;
  std::string before_;
};

}  // namespace

int main(int argc, char* argv[]) {
  const boltzcurve::MpiSession mpi(argc, argv);
  const boltzcurve::KokkosSession kokkos(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  if (!mpi.world().is_root()) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailuresOfOtherRanks(mpi.world().rank()));
  }
  bool objects_left = false;
  testing::UnitTest::GetInstance()->listeners().Append(new ObjectsLeft(mpi.world().rank(), objects_left));
  const bool failed = RUN_ALL_TESTS() != 0 || objects_left || testing::UnitTest::GetInstance()->test_to_run_count() == 0;
  return mpi.world().any(failed) ? 1 : 0;
}

// Runs GoogleTest inside MPI and Kokkos. Rank 0 reports everything, other ranks only their failures, with the rank in front.
#include <boltzcurve/parallel/session.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

namespace {

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
  const bool failed = RUN_ALL_TESTS() != 0 || testing::UnitTest::GetInstance()->test_to_run_count() == 0;
  return mpi.world().any(failed) ? 1 : 0;
}

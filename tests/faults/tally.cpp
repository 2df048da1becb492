#include <gtest/gtest.h>

#include <cstdio>

#include "faults/tally.hpp"

namespace boltzcurve::testing_support {

Tally& tally() {
  static Tally all;
  return all;
}

Fault::~Fault() {
  if (!testing::Test::HasFailure()) ++tally().survived;
}

}  // namespace boltzcurve::testing_support

int main(int argc, char* argv[]) {
  testing::InitGoogleTest(&argc, argv);
  const int code = RUN_ALL_TESTS();
  const auto& all = boltzcurve::testing_support::tally();
  std::printf("faults injected = %d, survived = %d, lost = %d\n", all.injected, all.survived, all.injected - all.survived);
  if (all.killed_alone > 0)
    std::printf(
        "one rank killed: %d times, the job ended after %.1f s at most\nsample files of killed runs: %d opened, %d flushed frames exact\n",
        all.killed_alone, all.slowest_end, all.samples, all.frames);
  return code;
}

#include "app/process/busy_time.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace boltzcurve {
namespace {

TEST(Imbalance, IsToldWithRankAndHostFromAFifthOn) {
  const std::vector<std::string> hosts = {"n1", "n1", "n2", "n2"};
  // The busiest is 1.19 times the average of 10 s, then 1.22 times.
  EXPECT_EQ(imbalance_text(std::vector<double>{9, 9, 11.9, 10.1}, hosts), "");
  EXPECT_EQ(imbalance_text(std::vector<double>{9, 9, 12.2, 9.8}, hosts),
            "imbalance: rank 2 on n2 was busy for 12.2 s, the 4 ranks for 10 s on average: the others waited for it");
  EXPECT_EQ(imbalance_text(std::vector<double>{7}, {"n1"}), "");
}

}  // namespace
}  // namespace boltzcurve

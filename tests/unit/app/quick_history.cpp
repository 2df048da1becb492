#include "app/commands/quick_history.hpp"

#include <gtest/gtest.h>

namespace boltzcurve {
namespace {

TEST(QuickHistory, IsReachedByTwoInARow) {
  QuickHistory history;
  EXPECT_FALSE(history.reached(0.9));
  history.add(0.95, 100);
  EXPECT_FALSE(history.reached(0.9));
  history.add(0.8, 100);
  history.add(0.9, 100);
  EXPECT_FALSE(history.reached(0.9));
  history.add(0.91, 100);
  EXPECT_TRUE(history.reached(0.9));
  EXPECT_FALSE(history.reached(0.95));
  EXPECT_FALSE(history.reached(0)) << "0 is off";
  EXPECT_EQ(history.target_values, 400);
}

TEST(QuickHistory, StandsInACheckpoint) {
  QuickHistory history;
  std::optional<Checkpoint> checkpoint(std::in_place);
  history.put_into(*checkpoint);
  EXPECT_TRUE(checkpoint->scalars.empty());
  EXPECT_EQ(QuickHistory::of(checkpoint).target_values, 0);
  EXPECT_EQ(QuickHistory::of(std::nullopt).target_values, 0);
  history.add(0.5, 20);
  history.put_into(*checkpoint);
  auto again = QuickHistory::of(checkpoint);
  EXPECT_TRUE(std::isnan(again.before_last));
  again.add(0.75, 20);
  EXPECT_TRUE(again.reached(0.5));
  EXPECT_EQ(again.target_values, 40);
}

}  // namespace
}  // namespace boltzcurve

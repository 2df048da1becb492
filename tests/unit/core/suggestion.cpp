#include "core/suggestion.hpp"

#include <gtest/gtest.h>

namespace boltzcurve {
namespace {

TEST(NearestName, TakesTheFewestEdits) {
  const std::vector<std::string> names{"linear", "learned", "gradient-flow"};
  EXPECT_EQ(nearest_name("lerned", names), "learned");  // one letter left out
  EXPECT_EQ(nearest_name("linaer", names), "linear");   // two replaced
  EXPECT_EQ(nearest_name("gradient_flow", names), "gradient-flow");
  EXPECT_EQ(nearest_name("linear", names), "linear");
}

TEST(NearestName, TakesTheFirstOfEquals) { EXPECT_EQ(nearest_name("ac", {"ab", "bc"}), "ab"); }

TEST(NearestName, IsEmptyWhereThereIsNone) { EXPECT_EQ(nearest_name("x", {}), ""); }

TEST(NearestName, CopesWithAnEmptyWord) { EXPECT_EQ(nearest_name("", {"abc", "ab"}), "ab"); }

}  // namespace
}  // namespace boltzcurve

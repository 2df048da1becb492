#include "core/pattern.hpp"

#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boltzcurve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Pattern, GivesTheGroupsOfAWholeMatch) {
  EXPECT_THAT(groups_of("7-12", "([0-9]+)(-([0-9]+))?"), ElementsAre("7-12", "7", "-12", "12"));
  EXPECT_THAT(groups_of("7", "([0-9]+)(-([0-9]+))?"), ElementsAre("7", "7", "", ""));
}

TEST(Pattern, GivesNothingForAPartialMatch) {
  for (const char* text : {"7-12 ", " 7", "7-", "7\n", "", "7-12-13"})
    EXPECT_THAT(groups_of(text, "([0-9]+)(-([0-9]+))?"), IsEmpty()) << text;
  EXPECT_THAT(groups_of(std::string("7\0x", 3), "([0-9]+)"), IsEmpty()) << "a zero byte ends no text";
}

TEST(Pattern, AnchorsEveryAlternative) {
  EXPECT_THAT(groups_of("ab", "a|b"), IsEmpty());
  EXPECT_THAT(groups_of("b", "(a)|(b)"), ElementsAre("b", "", "b"));
}

TEST(Pattern, RefusesAnExpressionThatIsNone) { EXPECT_THROW(groups_of("a", "(a"), std::logic_error); }

}  // namespace
}  // namespace boltzcurve

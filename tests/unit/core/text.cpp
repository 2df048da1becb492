#include "core/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace boltzcurve {
namespace {

using testing::ElementsAre;

TEST(Text, IsTrimmedAtBothEnds) {
  EXPECT_EQ(trimmed(" \t a b\r\n"), "a b");
  EXPECT_EQ(trimmed(" \t"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Text, IsANumberAsAWholeOrNotAtAll) {
  EXPECT_EQ(number_from<double>("-1.5e3"), -1500);
  EXPECT_EQ(number_from<std::int64_t>("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  for (const auto* text : {"", " 1", "1 ", "1x", "x", "0x10", "1,5"}) EXPECT_FALSE(number_from<double>(text)) << text;
  for (const auto* text : {"9223372036854775808", "1.0", "-"}) EXPECT_FALSE(number_from<std::int64_t>(text)) << text;
  EXPECT_FALSE(number_from<std::uint64_t>("-1"));
}

TEST(Text, IsARealNumberWithBlanksAndAPlusSignButNotInfinity) {
  EXPECT_EQ(parse_real(" +2.5 "), 2.5);
  EXPECT_EQ(parse_integer("\t-7\n"), -7);
  for (const auto* text : {"inf", "nan", "+-1", "", "1 2"}) EXPECT_FALSE(parse_real(text)) << text;
}

TEST(Text, IsSplitAtEverySeparator) {
  EXPECT_THAT(split("a,,b,", ','), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_THAT(split_list(" 1, 2\t3,,4 "), ElementsAre("1", "2", "3", "4"));
}

TEST(Text, TellsDecimalCommasFromSeparators) {
  for (const auto* list : {"0,5 1,5", "0,5\t1", " 1 2,5 "}) EXPECT_TRUE(has_commas_within(list)) << list;
  for (const auto* list : {"1,2", "1, 2, 3", "1 2 3", "1 ,2", "1 , 2", "0.5", "", " 1,2, 3 "})
    EXPECT_FALSE(has_commas_within(list)) << list;
}

}  // namespace
}  // namespace boltzcurve

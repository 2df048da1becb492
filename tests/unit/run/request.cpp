#include <boltzcurve/core/error.hpp>
#include <boltzcurve/run/request.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace boltzcurve {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

const std::vector<CommandDescription> two_commands = {{"train", "", "learn"}, {"study", "NAME", "analyse"}};

Request parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "boltzcurve");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data(), two_commands);
}

TEST(Request, HoldsCommandArgumentAndFlagsWhereverTheyStand) {
  const Request request = parse({"--quiet", "--output", "out", "study", "--validate", "explosion"});
  EXPECT_EQ(request.command, "study");
  EXPECT_EQ(request.argument, "explosion");
  EXPECT_EQ(request.output, "out");
  EXPECT_TRUE(request.quiet);
  EXPECT_TRUE(request.validate);
  EXPECT_EQ(request.question, Request::Question::none);
}

TEST(Request, PutsTheCommandLineLastAndKeepsItsOrder) {
  const Request request = parse({"train", "--seed=1", "--network.width", "8", "--run.seed=2"});
  ASSERT_EQ(request.sources.size(), 1u);
  const auto& assignments = request.sources.back().assignments;
  ASSERT_EQ(assignments.size(), 3u);
  EXPECT_EQ(assignments[0].key + "=" + assignments[0].value, "run.seed=1");
  EXPECT_EQ(assignments[1].key + "=" + assignments[1].value, "network.width=8");
  EXPECT_EQ(assignments[2].key + "=" + assignments[2].value, "run.seed=2");
  EXPECT_EQ(assignments[2].where, "command line");
}

TEST(Request, TakesValuesWithoutTheBlanksAroundThem) {
  const auto request = parse({"train", "--target.mode= 1 | 0 0 | 1 "});
  ASSERT_EQ(request.sources.back().assignments.size(), 1U);
  EXPECT_EQ(request.sources.back().assignments[0].value, "1 | 0 0 | 1");
}

TEST(Request, QuotesTheCommandLineSoThatAShellReadsItBack) {
  EXPECT_EQ(parse({"train", "--output=my dir", "--target.mode=1 | 2 | it's"}).command_line,
            "boltzcurve train '--output=my dir' '--target.mode=1 | 2 | it'\\''s'");
}

TEST(Request, TextDiffersWhereAnythingThatWasAskedDiffers) {
  EXPECT_EQ(parse({"train", "--seed=1"}).text(), parse({"train", "--seed=1"}).text());
  EXPECT_NE(parse({"train", "--seed=1"}).text(), parse({"train", "--seed=2"}).text());
}

TEST(Request, HelpCountsMoreThanOtherQuestions) {
  EXPECT_EQ(parse({"train", "--help", "--show-config"}).question, Request::Question::help);
  EXPECT_EQ(parse({"train", "--show-config", "--version"}).question, Request::Question::version);
}

TEST(Request, RefusesAnArgumentOfACommandThatTakesNone) {
  EXPECT_THAT(
      [] {
        parse({"train", "it"});
      },
      ThrowsMessage<ConfigError>("command line: 'it' is too much; usage: boltzcurve train [options]"));
  EXPECT_THAT([] { parse({"tarin"}); }, ThrowsMessage<ConfigError>(HasSubstr("unknown command 'tarin'; did you mean train?")));
}

}  // namespace
}  // namespace boltzcurve

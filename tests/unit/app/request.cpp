#include "app/options/request.hpp"
#include <boltzcurve/error.hpp>

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

TEST(Request, TakesAsManyArgumentsAsACommandHas) {
  const std::vector<CommandDescription> commands = {{"sweep", "ACTION [FILE]", "many"}};
  const auto parse_sweep = [&](std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "boltzcurve");
    return parse_command_line(static_cast<int>(arguments.size()), arguments.data(), commands);
  };
  const auto request = parse_sweep({"sweep", "plan", "a.ini", "--rows=0-3", "--ranks-per-run=2", "--failed"});
  EXPECT_EQ(request.argument, "plan");
  EXPECT_THAT(request.more_arguments, testing::ElementsAre("a.ini"));
  EXPECT_EQ(request.sweep.rows, "0-3");
  EXPECT_EQ(request.sweep.ranks_per_run, 2);
  EXPECT_TRUE(request.sweep.failed);
  EXPECT_TRUE(parse_sweep({"sweep", "run"}).more_arguments.empty());
  EXPECT_EQ(parse_sweep({"sweep", "--help"}).command, "sweep");
  EXPECT_THAT(
      [&] {
        parse_sweep({"sweep", "plan", "a.ini", "b.ini"});
      },
      ThrowsMessage<ConfigError>(testing::HasSubstr("'b.ini' is too much")));
  EXPECT_THAT([&] { parse({"train", "--rows=1"}); }, ThrowsMessage<ConfigError>("command line: --rows is for sweep, not for train"));
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

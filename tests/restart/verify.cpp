// What a user runs to see whether a machine gives the same bits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/small_run.hpp"

namespace boltzcurve {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing_support::alone;
using testing_support::boltzcurve;
using testing_support::TemporaryFolder;

TEST(Verify, FindsNothingOnOneRankAndOnThree) {
  const TemporaryFolder folder;
  const auto one = alone(folder, {"verify", "--output", "out"}), three = boltzcurve(folder, 3, {"verify", "--output", "out"});
  for (const auto& outcome : {one, three}) {
    EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("verified: nothing differs\n"));
    EXPECT_THAT(outcome.out, testing::ContainsRegex("exact field: log weight of a particle +[0-9.e-]+  ok\n"));
    EXPECT_THAT(outcome.out, testing::ContainsRegex("resumed and not: parameters +[0-9a-f]+  same\n"));
  }
  EXPECT_THAT(three.out, testing::ContainsRegex("3 ranks and one: particles +[0-9a-f]+  same\n"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() / "out"));
}

// What a training carries from step to step is part of what is resumed, whatever the options that shape it.
TEST(Verify, FindsNothingWithOtherOptionsOfTheTraining) {
  const TemporaryFolder folder;
  for (const std::vector<std::string>& options : {std::vector<std::string>{"--curve.form=contracted", "--collocation.times=residual"},
                                                  {"--curve.name=linear", "--normalizer.kind=batch"},
                                                  {"--curve.schedule=learned"},
                                                  {"--precision=double", "--optimizer.name=adam"},
                                                  {"--curve.form=contracted", "--precision=double", "--optimizer.name=adam"}}) {
    std::vector<std::string> arguments = {"verify", "--output", "out"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const auto outcome = boltzcurve(folder, 2, arguments);
    EXPECT_EQ(outcome.exit_code, 0) << options.front() << "\n" << outcome.out << outcome.err;
  }
}

// Sums of numbers in double precision depend on the number of ranks: the comparison can fail, and says where.
TEST(Verify, NamesWhatDiffersWithSumsThatDependOnTheNumberOfRanks) {
  const TemporaryFolder folder;
  const auto outcome = boltzcurve(folder, 3, {"verify", "--output", "out", "--reduction=fast", "--precision=double"});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.out;
  EXPECT_THAT(outcome.out, testing::ContainsRegex("3 ranks and one: parameters +[0-9a-f]+  DIFFERS: [0-9a-f]+ on rank 0, [^ ]+;"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("verified: nothing differs")));
  EXPECT_THAT(outcome.out, HasSubstr("NOT verified: "));
}

}  // namespace
}  // namespace boltzcurve

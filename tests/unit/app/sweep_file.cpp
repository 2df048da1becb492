#include "app/sweep/sweep_file.hpp"
#include <boltzcurve/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boltzcurve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;
using Rows = std::vector<std::vector<std::string>>;

Sweep sweep_of(const std::string& text) { return parse_sweep(text, "some.ini"); }

TEST(SweepFile, OfAGridHasAllCombinationsTheLastKeyFastest) {
  const auto sweep = sweep_of("[grid]\nnetwork.width = 8, 16\nrun.seed = integers(1, 3)\n");
  ASSERT_EQ(sweep.keys.size(), 2u);
  EXPECT_EQ(sweep.keys[1].key, "run.seed");
  EXPECT_EQ(sweep.keys[1].where, "some.ini:3");
  EXPECT_EQ(sweep.rows, (Rows{{"8", "1"}, {"8", "2"}, {"8", "3"}, {"16", "1"}, {"16", "2"}, {"16", "3"}}));
}

TEST(SweepFile, OfZippedListsTakesThemSideBySide) {
  const auto sweep = sweep_of("[zip]\nnetwork.width = 8, 16\nnetwork.hidden-layers = 3, 2\n[grid]\nrun.seed = 1, 2\n");
  EXPECT_EQ(sweep.rows, (Rows{{"1", "8", "3"}, {"1", "16", "2"}, {"2", "8", "3"}, {"2", "16", "2"}}));
}

TEST(SweepFile, OfSobolDrawsMapsThePointsToTheirBounds) {
  const auto sweep = sweep_of("[sobol]\ndraws = 3\noptimizer.learning-rate = log(1e-4, 1)\nnetwork.width = integers(1, 8)\n");
  EXPECT_EQ(sweep.rows, (Rows{{"0.01", "5"}, {"0.1", "3"}, {"0.001", "7"}}));
}

TEST(SweepFile, OfRandomDrawsRepeatsThemWithTheSeed) {
  const std::string law = "optimizer.learning-rate = log(1e-4, 1)\n";
  const auto rows = [&](const std::string& seed) { return sweep_of("[random]\ndraws = 5\nseed = " + seed + "\n" + law).rows; };
  EXPECT_EQ(rows("1").size(), 5u);
  EXPECT_EQ(rows("1"), rows("1"));
  EXPECT_NE(rows("1"), rows("2"));
  EXPECT_EQ(sweep_of("[random]\ndraws = 5\n" + law).rows, rows("1"));
}

TEST(SweepFile, HoldsSettings) {
  const auto settings = parse_sweep(
                            "[sweep]\nbase = a.ini\nbase = b.ini\nranks-per-run = 4\nstop-early = median-ess\nstop-early-from = 100\n"
                            "stop-early-rows = 5\n[grid]\nrun.seed = 1\n",
                            "some.ini", "folder")
                            .settings;
  EXPECT_THAT(settings.bases, ElementsAre("folder/a.ini", "folder/b.ini"));
  EXPECT_EQ(settings.ranks_per_run, 4);
  EXPECT_EQ(settings.stop_early, EarlyStop::ess);
  EXPECT_EQ(settings.stop_early_from, 100);
  EXPECT_EQ(settings.stop_early_rows, 5);
  EXPECT_EQ(sweep_of("[grid]\nrun.seed = 1\n").settings, SweepSettings());
}

TEST(SweepFile, ThatMakesNoSenseIsRefusedWithItsPlace) {
  const auto refused = [](const std::string& text, const std::string& why) {
    EXPECT_THAT([&] { sweep_of(text); }, ThrowsMessage<ConfigError>(HasSubstr(why))) << text;
  };
  refused("[grid]\nrun.seed = log(0, 1, 2)\n", "some.ini:2: run.seed: 'log(0, 1, 2)': both bounds must be above 0");
  refused("[zip]\nrun.seed = 1, 2\nnetwork.width = 8\n", "some.ini:3: network.width: 1 values, but 2 of run.seed");
  refused("[grid]\nrun.seed = 1\n[zip]\nrun.seed = 2\n", "some.ini:4: run.seed is varied already (at some.ini:2)");
  refused("[random]\nrun.seed = integers(1, 2)\n", "some.ini:2: [random] needs draws = HOW MANY");
  refused("[sobol]\ndraws = 3\n", "some.ini:2: [sobol] has no key to draw values for");
  refused("[set]\nrun.seed = 1\n", "some.ini: nothing is varied");
  refused("[gird]\nrun.seed = 1\n", "some.ini:2: 'gird.run.seed' stands in no section of a sweep; did you mean [grid]?");
  refused("[sweep]\nbases = a.ini\n", "some.ini:2: unknown key sweep.bases; did you mean sweep.base?");
  refused("[sweep]\nranks-per-run = 0\n", "some.ini:2: ranks-per-run = 0: must be a whole number from 1");
  refused("[sweep]\nstop-early = median\n", "did you mean median-ess?");
  refused("[grid]\nrun.seed = integers(1, 100000)\nnetwork.width = integers(1, 100000)\n", "more than 1000000 runs");
}

TEST(SweepTable, HasARowPerLineAndNamesThePlaceOfEach) {
  const auto sweep =
      parse_sweep_table("\xef\xbb\xbfnetwork.width, collocation.shares\r\n8, \"langevin:1,uniform:2\"\r\n\r\n 16,uniform:1", "some.csv");
  ASSERT_EQ(sweep.keys.size(), 2u);
  EXPECT_EQ(sweep.keys[0].key, "network.width");
  EXPECT_EQ(sweep.rows, (Rows{{"8", "langevin:1,uniform:2"}, {"16", "uniform:1"}}));
  EXPECT_THAT(sweep.places, ElementsAre("some.csv:2", "some.csv:4"));
}

TEST(SweepTable, ThatMakesNoSenseIsRefusedWithItsPlace) {
  const auto refused = [](const std::string& text, const std::string& why) {
    EXPECT_THAT([&] { parse_sweep_table(text, "some.csv"); }, ThrowsMessage<ConfigError>(HasSubstr(why))) << text;
  };
  refused("", "some.csv:1: column '': the first line of a table names what differs, as in network.width,run.seed");
  refused("8,1\n16,2\n", "some.csv:1: column '8'");
  refused("run.seed,network.width,run.seed\n1,2,3\n", "some.csv:1: run.seed stands twice");
  refused("run.seed,network.width\n1,2\n\n3\n", "some.csv:4: 1 values, but the first line names 2 keys");
  refused("run.seed\n\n", "some.csv: no row stands below the keys");
}

TEST(SweepTable, CountsMoreThanAFileOfTheCommandLineAndIsCheckedRowByRow) {
  const OptionSource base{{{"target.name", "funnel", "base.ini:1"}, {"network.width", "64", "base.ini:2"}}, {}, false};
  const auto options = options_of(parse_sweep_table("network.width,run.seed\n8,1\n16,2\n", "some.csv"), std::span(&base, 1));
  ASSERT_EQ(options.size(), 2u);
  EXPECT_EQ(options[0].network.width, 8);
  EXPECT_EQ(options[1].run.seed, 2u);
  EXPECT_THAT([&] { options_of(parse_sweep_table("network.width\n8\n0\n", "some.csv"), std::span(&base, 1)); },
              ThrowsMessage<ConfigError>(HasSubstr("some.csv:3: network.width = 0: must be")));
}

TEST(SweepFile, HoldsSettingsThatCanBeReadAlone) {
  const std::string text = "[sweep]\nranks-per-run = 4\n[grid]\nrun.seed = 1\n";
  EXPECT_EQ(parse_sweep_settings(text, "some.ini"), sweep_of(text).settings);
  EXPECT_EQ(parse_sweep_settings("; a table\n", "some.ini"), SweepSettings());
}

TEST(SweepFile, GivesEveryRowItsOptions) {
  const auto sweep = sweep_of("[set]\ntarget.name = funnel\ntraining.steps = 7\n[grid]\nnetwork.width = 8, 16\n");
  const OptionSource more{{{"run.seed", "5", "command line"}}, {}, true};
  const auto options = options_of(sweep, std::span(&more, 1));
  ASSERT_EQ(options.size(), 2u);
  EXPECT_EQ(options[1].network.width, 16);
  EXPECT_EQ(options[1].training.steps, 7);
  EXPECT_EQ(options[1].run.seed, 5u);

  const OptionSource varied{{{"network.width", "5", "command line"}}, {}, true};
  EXPECT_THAT([&] { options_of(sweep, std::span(&varied, 1)); },
              ThrowsMessage<ConfigError>("command line: network.width is what the sweep varies (at some.ini:5); leave it out"));
}

TEST(SweepFile, RefusesOptionsThatDoNotExistAndRunsThatAreTheSame) {
  const auto refused = [](const std::string& grid, const std::string& why) {
    const auto sweep = sweep_of("[set]\ntarget.name = funnel\n[grid]\n" + grid);
    EXPECT_THAT([&] { options_of(sweep, {}); }, ThrowsMessage<ConfigError>(HasSubstr(why)));
  };
  refused("network.widht = 8\n", "some.ini:4: unknown key network.widht; did you mean network.width?");
  refused("network.width = 8, 0\n", "some.ini:4: network.width = 0: must be a whole number from 1 to 8192");
  refused("training.huber-width = 1, 1.0\n", "rows 0 and 1 of the sweep are the same run");
}

}  // namespace
}  // namespace boltzcurve

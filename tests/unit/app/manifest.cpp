#include "app/sweep/manifest.hpp"
#include <boltzcurve/error.hpp>
#include "app/sweep/median_rule.hpp"
#include "app/sweep/row_set.hpp"
#include "app/sweep/row_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace boltzcurve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class SweepFolder : public testing::Test {
 protected:
  SweepFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "boltzcurve-sweep-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    path = name;
  }
  ~SweepFolder() override { std::filesystem::remove_all(path); }

  std::filesystem::path row(const std::string& name) const {
    std::filesystem::create_directories(path / name);
    return path / name;
  }

  std::filesystem::path path;
};

TEST(Manifest, ComesBackFromItsCsvWhateverTheValuesHold) {
  const Manifest manifest{{"collocation.shares", "target.mode"},
                          {{"runs/a", {"langevin:1,uniform:2", "say \"x\""}}, {"runs/b", {"", "-1"}}}};
  EXPECT_EQ(manifest_from_csv(to_csv(manifest), "manifest.csv"), manifest);
}

TEST(Manifest, ThatIsDamagedIsRefusedWithItsPlace) {
  EXPECT_THAT([] { manifest_from_csv("row,place,a\n", "m.csv"); },
              ThrowsMessage<InputError>(HasSubstr("m.csv, line 1: expected row,folder")));
  EXPECT_THAT([] { manifest_from_csv("row,folder,a\n0,runs/a,1\n2,runs/b,1\n", "m.csv"); },
              ThrowsMessage<InputError>(HasSubstr("m.csv, record 3: expected row 1 with 3 fields")));
  for (const std::string outside : {"../escape", "runs/../../escape", "/escape"})
    EXPECT_THAT([&] { manifest_from_csv("row,folder,a\n0," + outside + ",1\n", "m.csv"); },
                ThrowsMessage<InputError>(HasSubstr("m.csv, record 2: folder " + outside + " is outside that of the sweep")));
}

TEST_F(SweepFolder, OfAPlanGivesEqualRunsTheSamePlaceAndTellsWhereNoneIs) {
  const auto plan = [&](const std::string& seeds) {
    const auto text = "[set]\ntarget.name = funnel\n[grid]\nrun.seed = " + seeds + "\n";
    const auto sweep = parse_sweep(text, "some.ini");
    return write_plan(path, sweep, options_of(sweep, {}), text);
  };
  EXPECT_THAT([&] { read_manifest(path); }, ThrowsMessage<InputError>(HasSubstr("boltzcurve sweep plan FILE --output")));
  const auto first = plan("1, 2"), second = plan("2, 3");
  EXPECT_EQ(first.rows[1], second.rows[0]);
  EXPECT_NE(first.rows[0].folder, second.rows[1].folder);
  EXPECT_EQ(read_manifest(path), second);
  const auto resolved = read_config_file(path / second.rows[1].folder / "config.ini");
  EXPECT_EQ(resolve_options(std::span(&resolved, 1)).run.seed, 3u);
}

TEST(RowSet, IsReadAndWrittenAsSlurmDoes) {
  EXPECT_THAT(parse_rows("7,0-2,2", 8), ElementsAre(0, 1, 2, 7));
  EXPECT_THAT(parse_rows("6-11", 8), ElementsAre(6, 7));
  EXPECT_EQ(rows_text({0, 1, 2, 7, 9, 10}), "0-2,7,9-10");
  EXPECT_EQ(rows_text({}), "");
  for (const char* wrong : {"8", "3-1", "a", "1,", ",1", "-1", "", "8-9"})
    EXPECT_THAT([&] { parse_rows(wrong, 8); }, ThrowsMessage<ConfigError>(HasSubstr("must be rows from 0 to 7, for example 3 or 0-3,7")))
        << wrong;
}

TEST_F(SweepFolder, TellsWhatBecameOfARow) {
  const auto folder = row("a");
  EXPECT_EQ(status_of(folder).state, RowState::pending);
  EXPECT_EQ(status_of(path / "nowhere").state, RowState::pending);
  write_outcome(folder, {RowState::failed, 4, "diverged at \"x\"", 1.5, 2});
  EXPECT_EQ(status_of(folder).state, RowState::failed);
  EXPECT_EQ(status_of(folder).detail, "diverged at \"x\"");
  write_outcome(folder, {RowState::failed, 3, "cannot read \xff.csv", 1.5, 2});  // no text in UTF-8, which a file's name may be
  EXPECT_THAT(status_of(folder).detail, HasSubstr("cannot read "));
}

// Losses of three others at step 20: 1, 2, 6, with the median 2.
TEST_F(SweepFolder, EndsARunThatIsWorseThanTheMedianOfTheOthers) {
  SweepSettings settings;
  settings.stop_early = EarlyStop::loss;
  settings.stop_early_from = 20;
  settings.stop_early_rows = 3;
  const std::vector<std::filesystem::path> all = {row("a"), row("b"), row("c"), row("d")};
  const auto tell = [&](std::size_t who, std::int64_t step, double loss) { return MedianRule(settings, all[who], all).tell(step, loss); };
  for (std::size_t who = 0; who < 3; ++who) EXPECT_FALSE(tell(who, 10, 1));
  EXPECT_FALSE(tell(3, 10, 100)) << "before stop-early-from";
  EXPECT_FALSE(tell(0, 20, 1));
  EXPECT_FALSE(tell(1, 20, 2));
  EXPECT_FALSE(tell(2, 20, 6)) << "too few others";
  EXPECT_FALSE(tell(3, 20, 2)) << "not worse than the median";
  EXPECT_EQ(tell(3, 20, 2.5), "loss 2.5 at step 20, the median of 3 others is 2");
  EXPECT_FALSE(tell(3, 30, 100)) << "nobody else is there yet";

  settings.stop_early = EarlyStop::ess;
  EXPECT_EQ(tell(3, 20, 1.5), "ESS 1.5 at step 20, the median of 3 others is 2");
  EXPECT_FALSE(tell(3, 20, 3));
}

TEST_F(SweepFolder, TakesAHalfWrittenLineOfAnotherForNone) {
  SweepSettings settings;
  settings.stop_early = EarlyStop::loss;
  settings.stop_early_rows = 1;
  const std::vector<std::filesystem::path> all = {row("a"), row("b")};
  std::ofstream(all[1] / "trace.csv") << "10,1";
  EXPECT_FALSE(MedianRule(settings, all[0], all).tell(10, 5));
  std::ofstream(all[1] / "trace.csv") << "10,1\n";
  EXPECT_TRUE(MedianRule(settings, all[0], all).tell(10, 5));
}

}  // namespace
}  // namespace boltzcurve

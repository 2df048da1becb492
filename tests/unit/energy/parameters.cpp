// Options of targets and latents: what is accepted, and what is said about the rest.
#include "densities.hpp"

#include <boltzcurve/energy_of.hpp>
#include <boltzcurve/error.hpp>
#include "energy/gaussian_mixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <set>

#include <unistd.h>

namespace boltzcurve::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
using Kind = ParameterSpec::Kind;

const std::vector<ParameterSpec>& specs() {
  static const std::vector<ParameterSpec> list{{"count", Kind::integer, "3", "", 1, 10},
                                               {"width", Kind::real, "0.5", "", 0, std::numeric_limits<double>::infinity()},
                                               {"center", Kind::real_list, "1, 2 3", "", -5, 5},
                                               {"file", Kind::text, "", ""},
                                               {"line", Kind::text_lines, "", ""}};
  return list;
}

Parameters parameters(const Parameters::Values& values) { return Parameters("thing", specs(), values); }

auto refuses(const std::string& text) { return ThrowsMessage<SettingError>(text); }

TEST(Parameters, FillInDefaultsAndKeepWhatIsGivenAsText) {
  const Parameters p = parameters({{"width", {"+2.50e-1"}}, {"line", {"a b", "c"}}});
  EXPECT_EQ(p.integer("count"), 3);
  EXPECT_EQ(p.real("width"), 0.25);
  EXPECT_EQ(p.real_list("center"), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(p.lines("line"), (std::vector<std::string>{"a b", "c"}));
  EXPECT_EQ(p.values().at("width"), (std::vector<std::string>{"+2.50e-1"}));
  EXPECT_FALSE(p.has("file"));
  EXPECT_FALSE(p.values().contains("file"));
  EXPECT_THAT([&] { p.text("file"); }, refuses("file: has no value, but one is needed"));
}

TEST(Parameters, AKeyWithNothingAfterItIsNotGivenUnlessItHasADefault) {
  EXPECT_FALSE(parameters({{"file", {" "}}}).has("file"));
  EXPECT_THAT([] { parameters({{"count", {""}}}); }, refuses("count = : '' is not an integer: must be between 1 and 10"));
}

TEST(Parameters, NameTheNearestKeyForAnUnknownOne) {
  EXPECT_THAT([] { parameters({{"widht", {"1"}}}); }, refuses("widht: unknown option of thing; did you mean width?"));
  EXPECT_THAT([] { Parameters("rings", {}, {{"radius", {"1"}}}); }, refuses("radius: unknown option of rings, which has none"));
}

TEST(Parameters, RefuseWhatIsNotANumberOfTheirKind) {
  EXPECT_THAT([] { parameters({{"count", {"2.5"}}}); }, refuses("count = 2.5: '2.5' is not an integer: must be between 1 and 10"));
  EXPECT_THAT([] { parameters({{"width", {"1 2"}}}); }, refuses("width = 1 2: '1 2' is not a number: must be at least 0"));
  EXPECT_THAT([] { parameters({{"width", {"nan"}}}); }, refuses("width = nan: 'nan' is not a number: must be at least 0"));
  EXPECT_THAT([] { parameters({{"width", {"1e999"}}}); }, refuses("width = 1e999: '1e999' is not a number: must be at least 0"));
  EXPECT_THAT([] { parameters({{"center", {"1, x"}}}); }, refuses("center = 1, x: 'x' is not a number: must be between -5 and 5"));
  EXPECT_THAT([] { parameters({{"center", {" , "}}}); }, refuses("center =  , : expected numbers, separated by blanks or commas"));
}

TEST(Parameters, RefuseWhatIsOutOfRangeAndSayTheRange) {
  EXPECT_THAT([] { parameters({{"count", {"11"}}}); }, refuses("count = 11: must be between 1 and 10"));
  EXPECT_THAT([] { parameters({{"width", {"-1"}}}); }, refuses("width = -1: must be at least 0"));
  EXPECT_THAT([] { parameters({{"center", {"1 6"}}}); }, refuses("center = 1 6: must be between -5 and 5"));
  EXPECT_EQ(parameters({{"count", {"10"}}}).integer("count"), 10);
  EXPECT_EQ(parameters({{"width", {"0"}}}).real("width"), 0);
}

TEST(Parameters, RefuseAKeyGivenTwiceUnlessItIsALineEach) {
  EXPECT_THAT([] { parameters({{"count", {"1", "2"}}}); }, refuses("count: given 2 times: must be given once"));
}

TEST(Parameters, ErrorsTakeTheSectionThatAProgramHasForThem) {
  const auto in_section = [](const Parameters::Values& values) {
    try {
      parameters(values);
    } catch (const SettingError& error) {
      throw error.in_section("target");
    }
  };
  EXPECT_THAT([&] { in_section({{"count", {"11"}}}); }, ThrowsMessage<ConfigError>("target.count = 11: must be between 1 and 10"));
  EXPECT_THAT(
      [&] {
        in_section({{"widht", {"1"}}});
      },
      ThrowsMessage<ConfigError>("target.widht: unknown option of thing; did you mean target.width?"));
}

TEST(Registry, NamesAreUniqueAndEveryDefaultIsValid) {
  std::set<std::string> names;
  for (const TargetEntry& entry : target_entries()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_FALSE(entry.summary.empty()) << entry.name;
    EXPECT_NO_THROW(Parameters(entry.name, entry.parameters, {})) << entry.name;
    for (const ParameterSpec& spec : entry.parameters) EXPECT_FALSE(spec.meaning.empty()) << entry.name << "." << spec.key;
  }
  for (const char* name : {"gaussian-mixture", "gmm40", "many-well", "asymmetric-two", "rings", "funnel"})
    EXPECT_TRUE(names.contains(name)) << name;
}

TEST(Registry, NamesTheNearestEntryForAnUnknownOne) {
  EXPECT_THAT([] { find_target("gmm4"); }, refuses("name = gmm4: there is no such target; did you mean gmm40?"));
  EXPECT_THAT([] { find_latent("gausian"); }, refuses("name = gausian: there is no such latent; did you mean gaussian?"));
}

/// f = |x|^2/2 in two dimensions, from what a program of one's own sees.
struct RoundWell {
  KOKKOS_FUNCTION int dimension() const { return 2; }

  template <class Scalar, class Point>
  KOKKOS_FUNCTION Scalar value(const Point& x) const {
    return (x(0) * x(0) + x(1) * x(1)) * 0.5;
  }
};

TEST(Registry, KnowsWhatAProgramRegistersAndRefusesTakenNames) {
  const std::size_t before = target_entries().size();
  const TargetEntry round = {"round-well",
                             "a bowl",
                             {{"side", Kind::real, "4", "of the box", 1, 10}},
                             [](const Parameters& given) {
                               EnergyFacts facts;
                               facts.domain = cube(2, given.real("side"));
                               return make_energy(RoundWell{}, facts);
                             },
                             nullptr};
  register_target(round);
  ASSERT_EQ(target_entries().size(), before + 1);
  EXPECT_EQ(make_target("round-well", {{"side", {"6"}}})->domain().upper[1], 6);
  EXPECT_THAT([] { make_target("round-well", {{"side", {"60"}}}); }, refuses("side = 60: must be between 1 and 10"));
  const auto of = [&](const std::string& name) {
    TargetEntry entry = round;
    entry.name = name;
    return entry;
  };
  EXPECT_THAT([&] { register_target(round); }, ThrowsMessage<Error>("target 'round-well': the name is taken: choose another one"));
  EXPECT_THAT([&] { register_target(of("gmm40")); }, ThrowsMessage<Error>("target 'gmm40': the name is taken: choose another one"));
  EXPECT_THAT([&] { register_target(of("")); }, ThrowsMessage<Error>("target '': an entry needs a name"));
  TargetEntry idle = of("idle");
  idle.make = nullptr;
  EXPECT_THAT([&] { register_target(idle); }, ThrowsMessage<Error>("target 'idle': an entry needs a function that makes it"));
  EXPECT_EQ(target_entries().size(), before + 1);
}

/// A folder of this process, removed at the end.
class ModeFile : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder); }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::filesystem::path write(const std::string& text) const {
    std::ofstream(folder / "modes.csv") << text;
    return folder / "modes.csv";
  }
  /// The message about a file with this text.
  std::string complaint(const std::string& text) const {
    try {
      read_gaussian_modes(write(text));
    } catch (const InputError& error) {
      const std::string what = error.what(), prefix = "cannot read " + (folder / "modes.csv").string();
      EXPECT_TRUE(what.starts_with(prefix)) << what;
      return what.substr(std::min(prefix.size(), what.size()));
    }
    return "no complaint";
  }

  const std::filesystem::path folder = std::filesystem::temp_directory_path() / ("boltzcurve_modes_" + std::to_string(getpid()));
};

TEST_F(ModeFile, WithStandardDeviationsIsRead) {
  const auto modes = read_gaussian_modes(write("weight, mean_1,mean_2,sd\r\n\n 1,2,3,0.5\r\n+4e0,-5,6.25,2\n"));
  ASSERT_EQ(modes.size(), 2u);
  EXPECT_EQ(modes[1].weight, 4);
  EXPECT_EQ(modes[1].mean, (std::vector<double>{-5, 6.25}));
  EXPECT_EQ(modes[0].covariance, (std::vector<double>{0.25}));
}

TEST_F(ModeFile, WithCovariancesIsReadRowByRow) {
  const auto modes =
      read_gaussian_modes(write("weight,mean_1,mean_2,mean_3,cov_11,cov_12,cov_13,cov_22,cov_23,cov_33\n1,0,0,0,4,.1,.2,5,.3,6\n"));
  ASSERT_EQ(modes.size(), 1u);
  EXPECT_EQ(modes[0].covariance, (std::vector<double>{4, .1, .2, .1, 5, .3, .2, .3, 6}));
}

TEST_F(ModeFile, InOneDimensionTellsVarianceFromDeviation) {
  EXPECT_EQ(read_gaussian_modes(write("weight,mean_1,sd\n1,0,4\n"))[0].covariance, (std::vector<double>{16}));
  EXPECT_EQ(read_gaussian_modes(write("weight,mean_1,cov_11\n1,0,4\n"))[0].covariance, (std::vector<double>{4}));
}

TEST_F(ModeFile, SaysWhatIsWrongAndWhere) {
  const std::string header = "weight,mean_1,mean_2,sd\n", full = "weight,mean_1,mean_2,cov_11,cov_12,cov_22\n";
  EXPECT_EQ(complaint(""), ": expected a header and at least one mode, found neither or only the header");
  EXPECT_EQ(complaint(header), ": expected a header and at least one mode, found neither or only the header");
  EXPECT_THAT(complaint("weight,mean_1,mean_3,sd\n"), HasSubstr(", line 1: column 3 of the header is mean_3, expected mean_2 (weight,"));
  EXPECT_THAT(complaint("weight,mean_1,mean_2\n"), HasSubstr(", line 1: column 4 of the header is nothing, expected sd (weight,"));
  EXPECT_THAT(complaint("1,2,3,4\n"), HasSubstr(", line 1: column 1 of the header is 1, expected weight (weight,"));
  EXPECT_EQ(complaint(header + "1,2,3\n"), ", line 2: expected 4 numbers, found 3");
  EXPECT_EQ(complaint(header + "1,0,0,1\n\n1,2,x,1\n"), ", line 4: column mean_2: 'x' is not a number");
  EXPECT_EQ(complaint(header + "1,2,,1\n"), ", line 2: column mean_2: '' is not a number");
  EXPECT_EQ(complaint(header + "0,2,3,1\n"), ", line 2: weight = 0: must be > 0 and at most 1e+100");
  EXPECT_EQ(complaint(header + "1,2,3,-1\n"), ", line 2: standard deviation = -1: must be between 1e-15 and 1e+15");
  EXPECT_EQ(complaint(full + "1,0,0,1,2,1\n"), ", line 2: the covariance is not positive definite");
  EXPECT_EQ(complaint(full + "1,0,0,1,1,1\n"), ", line 2: the covariance is not positive definite");
}

TEST_F(ModeFile, ThatIsMissingIsNamed) {
  EXPECT_THAT([&] { read_gaussian_modes(folder / "none.csv"); },
              ThrowsMessage<InputError>(HasSubstr("none.csv: No such file or directory")));
}

TEST_F(ModeFile, IsReplacedByLinesThatGiveTheSameLawToTheBit) {
  const TargetEntry& entry = find_target("gaussian-mixture");
  for (const char* text : {"weight,mean_1,mean_2,sd\n0.1,0.30000000000000004,1e-3,0.7\n0.2,-7,3.3333333333333335,1.1\n",
                           "weight,mean_1,mean_2,cov_11,cov_12,cov_22\n0.1,0.1,0.2,0.3,0.1,0.7\n1,-2,1,1.3,-0.1,0.9\n"}) {
    write(text);
    const auto lines = entry.inline_files({{"modes", {"modes.csv"}}}, folder);
    EXPECT_FALSE(lines.contains("modes"));
    EXPECT_EQ(lines.at("mode").size(), 2u);
    EXPECT_EQ(entry.inline_files(lines, folder), lines);
    const auto read = make_target("gaussian-mixture", {{"modes", {(folder / "modes.csv").string()}}}),
               inlined = make_target("gaussian-mixture", lines);
    const HostPoints<double> point("test::point", 1, 2);
    point(0, 0) = 0.4, point(0, 1) = 1.7;
    const auto a = evaluate(*read, point), b = evaluate(*inlined, point);
    for (std::size_t c = 0; c < 4; ++c) EXPECT_EQ(a(0, c), b(0, c));
  }
}

TEST(ModeLines, SayWhatIsWrongWithThem) {
  const auto with = [](const std::string& line) { return [line] { parse_gaussian_mode(line, "mode 2"); }; };
  EXPECT_THAT(with("1 2 3"), refuses("mode 2: expected 'weight | mean_1 ... mean_D | standard deviation or upper triangle of the "
                                     "covariance', found '1 2 3'"));
  EXPECT_THAT(with("1 2 | 3 | 1"), refuses("mode 2: expected one weight before the first '|', found 2 numbers"));
  EXPECT_THAT(with("1 | | 1"), refuses("mode 2: expected the mean between the bars, found nothing"));
  EXPECT_THAT(with("1 | 1 2 | 1 2"), refuses("mode 2: expected 1 standard deviation or 3 entries of the covariance after a mean of 2 "
                                             "numbers, found 2"));
  EXPECT_THAT(with("1 | 1 b | 1"), refuses("mode 2: 'b' is not a number"));
  EXPECT_THAT(with("-1 | 1 2 | 1"), refuses("mode 2: weight = -1: must be > 0 and at most 1e+100"));
  EXPECT_THAT(with("1 | 1 2 | 0"), refuses("mode 2: standard deviation = 0: must be between 1e-15 and 1e+15"));
  EXPECT_THAT(with("1 | 1 2 | 1, 2, 1"), refuses("mode 2: the covariance is not positive definite"));
}

TEST(ModeLines, OfDifferentDimensionsAreRefused) {
  EXPECT_THAT(
      [] {
        make_target("gaussian-mixture", {{"mode", {"1 | 0 0 | 1", "1 | 0 0 0 | 1"}}});
      },
      refuses("mode 2: the mean has 3 coordinates, that of the first mode 2"));
}

TEST(ModeLines, BesideAFileOrAPresetAreRefused) {
  EXPECT_THAT(
      [] {
        make_target("gaussian-mixture", {{"mode", {"1 | 0 0 | 1"}}, {"preset", {"two"}}});
      },
      refuses("mode: given beside preset: must be the only one of preset, modes and mode"));
  EXPECT_THAT(
      [] {
        make_target("gaussian-mixture", {{"mode", {"1 | 0 0 | 1"}}, {"modes", {"modes.csv"}}});
      },
      refuses("modes: given beside mode: must be the only one of preset, modes and mode"));
}

}  // namespace
}  // namespace boltzcurve::test

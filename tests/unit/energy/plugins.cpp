// Targets from shared libraries, those of tests/plugins: with boltzcurve's own interface, and with BridgeStan's.
#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>

#include "densities.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

namespace boltzcurve::test {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

const std::filesystem::path plugins = PLUGINS;
constexpr double infinity = std::numeric_limits<double>::infinity();

std::unique_ptr<Energy> library(const std::string& options = "{}", const std::string& file = "library.so") {
  return make_target("library", {{"path", {(plugins / file).string()}}, {"options", {options}}});
}
std::unique_ptr<Energy> stan(const std::string& file = "model.so") { return make_target("stan", {{"model", {(plugins / file).string()}}}); }

HostPoints<double> one_point(double a, double b, double c) {
  const HostPoints<double> x("test::x", 1, 3);
  x(0, 0) = a, x(0, 1) = b, x(0, 2) = c;
  return x;
}

std::vector<double> at(const Energy& energy, double a, double b, double c, Wanted wanted = Wanted::gradient) {
  const auto row = evaluate(energy, one_point(a, b, c), wanted);
  std::vector<double> values;
  for (std::size_t k = 0; k < row.extent(1); ++k) values.push_back(row(0, k));
  return values;
}

// f = sum of squares / (2 scale^2), here with scale 0.5.
TEST(LibraryTarget, HasTheDensityOfItsLibrary) {
  const auto energy = library(R"({"scale": 0.5})");
  EXPECT_EQ(energy->dimension(), 3);
  EXPECT_THAT(at(*energy, 1, -2, 0.5), ElementsAre(10.5, 4, -8, 2));
  EXPECT_THAT(at(*energy, 1, -2, 0.5, Wanted::value), ElementsAre(10.5));
  EXPECT_NEAR(at(*energy, 1, -2, 0.5, Wanted::laplacian)[4], 12, 1e-7);
  EXPECT_THAT(energy->domain().upper, Each(4));
  EXPECT_THAT(energy->coordinate_names(), ElementsAre("axis.1", "axis.2", "axis.3"));
}

TEST(LibraryTarget, NeedsNeitherNamesNorABox) {
  const auto energy = library("{}", "library_bare.so");
  EXPECT_THAT(energy->domain().upper, Each(infinity));
  EXPECT_THAT(energy->coordinate_names(), IsEmpty());
}

// A function in float has a rounding of 1e-7: over h^2 = 2.5e-5 of a value of 10, 0.04 for each of three coordinates; over h, 4e-4.
TEST(LibraryTarget, LaplacianOfAFunctionInFloatComesFromItsGradient) {
  EXPECT_NEAR(at(*library(R"({"fault": "float"})"), 3.1, -2.7, 1.3, Wanted::laplacian)[4], 3, 1e-3);
}

TEST(LibraryTarget, GivesExactBatchesToALibraryThatAsksForThem) {
  EXPECT_THAT(at(*library(R"({"fault": "exact"})"), 1, -2, 0.5), ElementsAre(2.625, 1, -2, 0.5));
}

TEST(LibraryTarget, LoadingFastMathLeavesSubnormalNumbersAlone) {
  const auto energy = library("{}", "library_of_fast_math.so");
  volatile double small = DBL_MIN;
  small = small / 4;
  EXPECT_GT(small, 0);
}

TEST(LibraryTarget, RunEndsWithTheLibrarysMessage) {
  const auto energy = library(R"({"fault": "fails"})");
  EXPECT_THAT([&] { at(*energy, 0, 0, 0); },
              ThrowsMessage<NumericalError>(AllOf(HasSubstr("library.so ends the run: no licence for 1 points"))));
}

TEST(LibraryTarget, OptionsComeFromAFileAsOneSafeLine) {
  const auto folder = std::filesystem::temp_directory_path();
  const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name() + std::string(".json");
  std::ofstream(folder / name) << "{\n  \"scale\":2, \"note\": \"a; b # c\"\n}\n";
  const auto& entry = find_target("library");
  const auto values = entry.inline_files({{"path", {"sub/../mine.so"}}, {"options-file", {name}}}, folder);
  std::filesystem::remove(folder / name);
  EXPECT_EQ(values, (Parameters::Values{{"path", {(folder / "mine.so").string()}},
                                        {"options", {R"({"scale":2,"note":"a\u003b b \u0023 c"})"}},
                                        {"folder", {folder.string()}}}));
  EXPECT_EQ(entry.inline_files(values, "/elsewhere"), values) << "what stands alone stays";
}

TEST(LibraryTarget, OptionsAndTheirFileExcludeEachOther) {
  EXPECT_THAT(
      [] {
        find_target("library").inline_files({{"options", {"{}"}}, {"options-file", {"a.json"}}}, ".");
      },
      ThrowsMessage<SettingError>("options-file: given beside options: must be the only one of both"));
}

// log density = -0.7 - sum of squares / 2, with constants and Jacobian as they are asked for.
TEST(StanTarget, IsTheNegativeLogDensityWithAllConstants) {
  const auto energy = stan();
  EXPECT_EQ(energy->dimension(), 3);
  EXPECT_THAT(at(*energy, 1, -2, 0.5), ElementsAre(0.7 + 2.625, 1, -2, 0.5));
  EXPECT_THAT(at(*energy, 1, -2, 0.5, Wanted::value), ElementsAre(0.7 + 2.625));
  EXPECT_THAT(energy->coordinate_names(), ElementsAre("mu", "log_tau.1", "log_tau.2"));
  EXPECT_THAT(energy->domain().upper, Each(infinity));
}

TEST(StanTarget, ExceptionAndMinusInfinityAreZeroDensityAndNaNIsCounted) {
  const auto energy = stan();
  EXPECT_EQ(at(*energy, 6, 0, 0)[0], infinity);
  EXPECT_EQ(at(*energy, -6, 0, 0)[0], infinity);
  EXPECT_TRUE(std::isnan(at(*energy, -6, 0, 0)[1])) << "no slope where the density is zero";
  EXPECT_EQ(energy->unknown_values().count, 0);
  EXPECT_EQ(at(*energy, 0, 6, 0)[0], infinity);
  EXPECT_EQ(energy->unknown_values().count, 1);
  EXPECT_THAT(energy->unknown_values().first, HasSubstr("f = nan at x = (0, 6, 0)"));
}

TEST(StanTarget, ModelsDoNotPrint) {
  testing::internal::CaptureStdout();
  stan();
  std::fflush(stdout);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

TEST(StanTarget, KnowsModelsOfVersionTwoOnly) {
  EXPECT_THAT([] { stan("model_1.so"); }, ThrowsMessage<InputError>(HasSubstr("BridgeStan 1.x compiled it; compile it again with 2.x")));
  EXPECT_THAT([] { stan("model_3.so"); }, ThrowsMessage<InputError>(HasSubstr("BridgeStan 3.x compiled it, this program knows 2.x")));
}

TEST(StanTarget, PathsStartAtTheFolderOfTheConfiguration) {
  EXPECT_EQ(find_target("stan").inline_files({{"model", {"a.so"}}, {"data", {"b.json"}}}, "/folder"),
            (Parameters::Values{{"model", {"/folder/a.so"}}, {"data", {"/folder/b.json"}}}));
}

}  // namespace
}  // namespace boltzcurve::test

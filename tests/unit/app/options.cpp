#include "app/options/options.hpp"
#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace boltzcurve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

Options resolve(const std::vector<std::string>& texts) {
  std::vector<OptionSource> sources;
  for (const auto& text : texts) sources.push_back(parse_config(text, "file" + std::to_string(sources.size() + 1)));
  return resolve_options(sources);
}

// A value other than the default for every key; numbers have digits that a shorter text would lose.
const std::map<std::string, std::string> other_values = {
    {"latent.name", "gaussian"},  // others have keys of their own
    {"curve.name", "gradient-flow"},
    {"curve.schedule", "linear"},
    {"optimizer.name", "adam"},
    {"curve.horizon", "0.30000000000000004"},
    {"curve.form", "plain"},
    {"curve.width", "0.123"},
    {"curve.power", "2.5"},
    {"curve.schedule-width", "17"},
    {"curve.schedule-hidden-layers", "2"},
    {"curve.clock", "linear"},
    {"curve.clock-width", "0.7"},
    {"curve.coordinates", "given"},
    {"network.width", "65"},
    {"network.hidden-layers", "4"},
    {"network.input-range", "4.5"},
    {"network.first-layer", "single"},
    {"network.kind", "additive"},
    {"network.head-width", "17"},
    {"normalizer.kind", "network"},
    {"normalizer.width", "17"},
    {"normalizer.hidden-layers", "2"},
    {"collocation.kind", "uniform"},
    {"collocation.points", "1073741823"},
    {"collocation.box", "-1e-300:12345.678901234567"},
    {"collocation.shares", "uniform:0.25, latent:0.5"},
    {"collocation.hottest", "2.5"},
    {"collocation.refresh-every", "77"},
    {"collocation.times", "residual"},
    {"collocation.time-power", "1.1"},
    {"pilot.method", "smc"},
    {"pilot.particles", "777"},
    {"optimizer.learning-rate", "0.0012345678901234567"},
    {"optimizer.decay", "exponential"},
    {"optimizer.decay-rate", "0.97"},
    {"optimizer.decay-steps", "999"},
    {"optimizer.final-learning-rate", "3e-7"},
    {"optimizer.warm-up-steps", "7"},
    {"optimizer.gradient-clip", "2.2250738585072014e-308"},
    {"optimizer.beta1", "0.91"},
    {"optimizer.beta2", "0.9991"},
    {"optimizer.epsilon", "1.1e-8"},
    {"optimizer.precondition-every", "11"},
    {"optimizer.preconditioner-decay", "0.951"},
    {"training.steps", "999999999999"},
    {"training.max-seconds", "0.1"},
    {"training.loss", "squared"},
    {"training.huber-width", "7.5"},
    {"training.residual-unit", "time"},
    {"training.average", "0.99"},
    {"training.checkpoint-seconds", "61"},
    {"training.checkpoint-steps", "62"},
    {"training.keep-every", "5"},
    {"training.verify-checkpoints", "yes"},
    {"training.log-every", "101"},
    {"training.evaluate-every", "500"},
    {"training.until-ess", "0.9"},
    {"training.residual-share", "0.5"},
    {"evaluation.pilot-samples", "500"},
    {"pilot.method", "chains"},
    {"pilot.particles", "4096"},
    {"training.max-skipped-steps", "21"},
    {"sampling.particles", "10001"},
    {"output.names", "mu, tau"},
    {"sampling.method", "smc"},
    {"sampling.legs", "7"},
    {"sampling.moves", "2"},
    {"sampling.island", "128"},
    {"sampling.resample-below", "0.25"},
    {"sampling.relative-tolerance", "1.1e-5"},
    {"sampling.absolute-tolerance", "1.2e-5"},
    {"sampling.frames", "3"},
    {"sampling.max-steps", "10001"},
    {"sampling.block", "513"},
    {"evaluation.exact-samples", "10001"},
    {"evaluation.energy-distance-points", "5001"},
    {"study.distances", "5, 10.5"},
    {"study.times", "0.125, 1"},
    {"study.curves", "linear, gradient-flow"},
    {"study.schedules", "linear"},
    {"study.latents", "gaussian, gaussian scale=3"},
    {"study.runs", "runs/a, runs/b"},
    {"study.networks", "yes"},
    {"run.seed", "18446744073709551615"},
    {"run.precision", "double"},
    {"run.reduction", "fast"},
    {"run.watchdog-seconds", "0.75"},
};

TEST(Options, EveryKeyKeepsItsValueThroughTheResolvedText) {
  std::string text = "target.name = funnel\n";
  for (const auto& [key, value] : other_values) text += key + " = " + value + "\n";
  const Options options = resolve({text});
  EXPECT_EQ(options.collocation.box->upper, 12345.678901234567);
  EXPECT_EQ(options.optimizer.gradient_clip, 2.2250738585072014e-308);
  EXPECT_EQ(options.run.seed, 18446744073709551615ull);
  EXPECT_EQ(resolve({resolved_text(options)}), options);
}

// Reaches each key alone, so that a key bound to another's member is found: it would change the other, or itself not.
TEST(Options, EveryKeyChangesItsOwnLineOfTheResolvedTextAndNoOther) {
  const auto lines_of = [](const std::string& text) {
    std::map<std::string, std::string> lines;
    for (const auto& [key, value, where] : parse_config(text, "").assignments) lines[key] = value;
    return lines;
  };
  const std::string target = "[target]\nname = funnel\n";
  const auto defaults = lines_of(resolved_text(resolve({target})));
  const std::set<std::string> without_another_choice = {"latent.name", "curve.name"};
  for (const auto& option : option_descriptions()) {
    if (!option.owner.empty() || option.name() == "target.name") continue;
    SCOPED_TRACE(option.name());
    const auto other = other_values.find(option.name());
    ASSERT_NE(other, other_values.end()) << "give it a value above";
    auto expected = defaults;
    auto found = lines_of(resolved_text(resolve({target, option.name() + " = " + other->second})));
    EXPECT_EQ(found[option.name()] == defaults.at(option.name()), without_another_choice.contains(option.name()));
    found[option.name()] = expected[option.name()] = "";
    EXPECT_EQ(found, expected);
  }
}

TEST(Options, DefaultsOfTheTableAreThoseOfTheStructs) {
  const Options options = resolve({"[target]\nname = funnel\n"});
  Options expected;
  expected.target = options.target;
  expected.latent = options.latent;
  EXPECT_EQ(options, expected);
  std::string text = "target.name = funnel\n";
  for (const auto& option : option_descriptions())
    if (option.owner.empty() && option.name() != "target.name") text += option.name() + " = " + option.default_text + "\n";
  EXPECT_EQ(resolve({text}), options);
}

TEST(Options, EveryKeyHasAMeaningAndARange) {
  std::set<std::string> names;
  for (const auto& option : option_descriptions()) {
    EXPECT_FALSE(option.meaning.empty()) << option.name();
    EXPECT_FALSE(option.range.empty()) << option.name();
    EXPECT_TRUE(names.insert(option.name() + "/" + option.owner).second) << option.name() << " stands twice in the table";
  }
}

TEST(Options, KeysOfATargetAreResolvedWithItsDefaults) {
  const Options options = resolve({"[target]\nname = many-well\ntilt = 0.25\n[latent]\nscale = 2\n"});
  const auto expected = Parameters("many-well", find_target("many-well").parameters, {{"tilt", {"0.25"}}}).values();
  EXPECT_EQ(options.target.values, expected);
  EXPECT_THAT(options.target.values.at("tilt"), ElementsAre("0.25"));
  EXPECT_THAT(options.latent.values.at("scale"), ElementsAre("2"));
}

TEST(Options, NamingAnotherTargetDropsTheKeysOfTheOneBefore) {
  const std::string before = "[target]\nname = asymmetric-two\ndistance = 6\n";
  EXPECT_EQ(resolve({before, "target.name = funnel"}), resolve({"target.name = funnel"}));
  EXPECT_THAT(resolve({before, "target.name = asymmetric-two"}).target.values.at("distance"), ElementsAre("6"));
  EXPECT_THAT(resolve({"target.distance = 6", "target.name = asymmetric-two"}).target.values.at("distance"), ElementsAre("6"));
}

TEST(Options, LinesOfALaterSourceReplaceThoseOfAnEarlierOne) {
  const std::string two = "[target]\nname = gaussian-mixture\nmode = 1 | 0 0 | 1\nmode = 2 | 3 3 | 1\n";
  EXPECT_THAT(resolve({two}).target.values.at("mode"), ElementsAre("1 | 0 0 | 1", "2 | 3 3 | 1"));
  EXPECT_THAT(resolve({two, "target.mode = 1 | 5 5 | 1"}).target.values.at("mode"), ElementsAre("1 | 5 5 | 1"));
  EXPECT_EQ(resolve({resolved_text(resolve({two}))}), resolve({two}));
}

TEST(Options, LaterSourcesMayRepeatAKeyButOneFileMayNot) {
  EXPECT_EQ(resolve({"target.name = funnel\nrun.seed = 2", "run.seed = 3"}).run.seed, 3u);
  EXPECT_THAT([] { resolve({"target.name = funnel\nrun.seed = 2\nrun.seed = 3"}); },
              ThrowsMessage<ConfigError>("file1:3: run.seed is given twice (first at file1:2)"));
}

TEST(Options, ListsAreReadWithAndWithoutBlanksAndAllMeansEveryChoice) {
  const Options options =
      resolve({"target.name = funnel\nstudy.distances = 5,10 , 20\nstudy.schedules = all\nstudy.latents = gaussian scale=3"});
  EXPECT_THAT(options.study.distances, ElementsAre(5, 10, 20));
  EXPECT_EQ(options.study.schedules.size(), choices<Schedule>.size());
  EXPECT_THAT(options.study.latents, ElementsAre("gaussian scale=3"));
  for (const std::string wrong : {"study.distances = 5,,6", "study.distances = -1", "study.curves = lienar", "study.runs = a,"})
    EXPECT_THAT([&] { resolve({"target.name = funnel\n" + wrong}); }, ThrowsMessage<ConfigError>(HasSubstr(wrong + ": must be "))) << wrong;
}

TEST(Options, ATargetMayBeMissingOnlyWhereItIsOptional) {
  EXPECT_EQ(resolve_options({}, TargetName::optional).target.name, "");
  EXPECT_THROW(resolve_options({}), ConfigError);
}

TEST(Options, ReferenceHasARowForEveryKey) {
  const std::string reference = options_reference();
  for (const auto& option : option_descriptions()) EXPECT_THAT(reference, HasSubstr("| `" + option.key + "`"));
}

// ---- The filter in front of the parser

std::vector<std::string> assignments(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto& [key, value, where] : parse_config(text, "f").assignments) lines.push_back(where + " " + key + "=" + value);
  return lines;
}

TEST(ConfigFile, CommentsOfBothKindsEndALineAndBlanksAreTrimmed) {
  EXPECT_THAT(assignments("; head\n# head\n\n  [a]  ; one\n\tb = c d \t; two\ne=f# three\r\n   ;\n"),
              ElementsAre("f:5 a.b=c d", "f:6 a.e=f"));
}

TEST(ConfigFile, KeepsEmptyValuesEqualSignsAndTheLastLineWithoutAnEnd) {
  EXPECT_THAT(assignments("[a]\nb =\n[c]\nd = e = f\ng = h"), ElementsAre("f:2 a.b=", "f:4 c.d=e = f", "f:5 c.g=h"));
}

TEST(ConfigFile, NumbersLinesRightWhereAnAssignmentLooksLikeASection) {
  EXPECT_THAT(assignments("[a] = b\nc = d\n"), ElementsAre("f:1 [a]=b", "f:2 c=d"));
}

TEST(ConfigFile, NamesTheLineThatItCannotRead) {
  EXPECT_THAT([] { parse_config("[a]\nb = 1\n\nc\nd = 2\n", "x.ini"); }, ThrowsMessage<ConfigError>(HasSubstr("x.ini:4: cannot read 'c'")));
  EXPECT_THAT([] { parse_config("nothing", "x.ini"); }, ThrowsMessage<ConfigError>(HasSubstr("x.ini:1: cannot read 'nothing'")));
}

}  // namespace
}  // namespace boltzcurve

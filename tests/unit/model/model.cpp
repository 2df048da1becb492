#include <boltzcurve/error.hpp>
#include <boltzcurve/model.hpp>
#include "collocation/collocation.hpp"
#include "curve/curve.hpp"
#include "pilot/pilot_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

namespace boltzcurve {
namespace {

const Communicator& self() {
  static const Communicator communicator(MPI_COMM_SELF);
  return communicator;
}

ModelSettings normal(const std::string& mode) {
  ModelSettings settings;
  settings.target_name = "gaussian-mixture";
  settings.target_values = {{"mode", {mode}}};
  settings.collocation.points = 256;
  settings.pilot.particles = 512;
  return settings;
}

ModelSettings by_chains(const std::string& mode) {
  auto settings = normal(mode);
  settings.curve.form = CurveForm::contracted;
  return settings;
}

TEST(Model, IsCompleteWhenBuilt) {
  const Model model = build_model(self(), by_chains("1 | 3 -1 | 0.5"));
  EXPECT_EQ(model.dimension(), 2);
  // A normal density has the same curvature everywhere: the pilot finds the width of its mode to rounding.
  EXPECT_NEAR(model.pilot->summary.width, 0.25, 1e-12);
  EXPECT_GT(model.curve->latent_time(), 0);
  EXPECT_EQ(model.parameter_count(), model.networks().parameter_count());
  EXPECT_EQ(model.parameters, model.networks().initial_parameters(model.settings.seed));
  EXPECT_THAT(model.description(), testing::HasSubstr("horizon"));
  EXPECT_LE(model.region->domain.lower[0], model.region->box.lower[0]);
}

// In coordinates of its population, in which a normal density is white.
TEST(Model, OfTheDefaultFormIsCompleteWhenBuilt) {
  const Model model = build_model(self(), normal("1 | 3 -1 | 0.5"));
  ASSERT_NE(model.pilot->population, nullptr);
  EXPECT_EQ(model.pilot->population->count(), 512);
  EXPECT_TRUE(model.coordinates().is_whitening());
  EXPECT_NEAR(model.pilot->summary.width, 1, 0.3);
  EXPECT_GT(model.curve->latent_time(), 0);
  EXPECT_EQ(model.parameters, model.networks().initial_parameters(model.settings.seed));
  std::vector<double> center = {3, -1};
  model.coordinates().to_z(center.data());
  for (const double z : center) EXPECT_NEAR(z, 0, 0.3);
}

TEST(Model, MakesFormAndPilotDefinite) {
  const auto definite = [](CurveName name, CurveForm form, PilotMethod method, Schedule schedule = Schedule::diffusion) {
    auto settings = normal("1 | 0 0 | 1");
    settings.curve.name = name;
    settings.curve.form = form;
    settings.curve.schedule = schedule;
    settings.pilot.method = method;
    settings.pilot.particles = 128;
    const auto model = build_model(self(), settings);
    EXPECT_EQ(model.pilot->population != nullptr, model.settings.pilot.method == PilotMethod::smc);
    EXPECT_EQ(model.pilot->chains != nullptr, model.settings.pilot.method == PilotMethod::chains);
    return std::pair(model.settings.curve.form, model.settings.pilot.method);
  };
  using enum CurveName;
  constexpr auto no_form = CurveForm::automatic;
  constexpr auto no_pilot = PilotMethod::automatic;
  EXPECT_EQ(definite(gradient_flow, no_form, no_pilot), std::pair(CurveForm::network, PilotMethod::smc));
  EXPECT_EQ(definite(gradient_flow, CurveForm::plain, no_pilot), std::pair(CurveForm::plain, PilotMethod::chains));
  EXPECT_EQ(definite(gradient_flow, CurveForm::contracted, PilotMethod::smc), std::pair(CurveForm::contracted, PilotMethod::smc));
  EXPECT_EQ(definite(gradient_flow, no_form, no_pilot, Schedule::learned), std::pair(CurveForm::contracted, PilotMethod::chains));
  for (const auto curve : {linear, learned}) EXPECT_EQ(definite(curve, no_form, no_pilot).second, PilotMethod::chains);
  EXPECT_THAT([&] { definite(gradient_flow, no_form, PilotMethod::chains); },
              testing::ThrowsMessage<ConfigError>(testing::HasSubstr("pilot.method = chains: a curve of the form network")));
}

TEST(Model, OutlivesWhatItIsCopiedFrom) {
  auto first = std::make_unique<Model>(build_model(self(), by_chains("1 | 0 0 | 1")));
  const Model copy = *first;
  const auto parameters = first->parameters;
  first.reset();
  EXPECT_EQ(copy.parameters, parameters);
  copy.pilot->chains->move(4);  // evaluates the target that it shares
  EXPECT_GT(copy.pilot->chains->acceptance(), 0.2);
}

TEST(Model, BuiltFromASummaryHasTheSameCurve) {
  for (auto settings : {normal("1 | 1 2 | 0.3"), by_chains("1 | 1 2 | 0.3")}) {
    settings.pilot.particles = 4096;  // of four islands and more, whose disagreement is a number
    const Model found = build_model(self(), settings), known = build_model(self(), settings, found.pilot->summary);
    EXPECT_EQ(known.pilot->summary, found.pilot->summary);
    EXPECT_EQ(known.description(), found.description());
    EXPECT_EQ(known.curve->latent_time(), found.curve->latent_time());
    EXPECT_EQ(known.parameters, found.parameters);
  }
}

TEST(Model, RefusesASummaryOfAnotherDimension) {
  auto summary = build_model(self(), normal("1 | 1 2 | 0.3")).pilot->summary;
  summary.mean.push_back(0);
  EXPECT_THAT([&] { build_model(self(), normal("1 | 1 2 | 0.3"), summary); },
              testing::ThrowsMessage<InputError>("the checkpoint is of a target in 3 dimensions, this one has 2"));
}

TEST(Model, RefusesSettingsThatDoNotFitWithoutAPilotRun) {
  auto settings = normal("1 | 0 0 | 1");
  settings.curve.horizon = 30;  // nothing of the target is left after exp(-30)
  settings.latent_values = {{"scale", {"1"}}};
  EXPECT_THROW(check_settings(settings), ConfigError);
  settings.curve.horizon = 5;
  EXPECT_NO_THROW(check_settings(settings));
  settings.target_name = "gaussian-mixtur";
  EXPECT_THAT([&] { check_settings(settings); }, testing::ThrowsMessage<ConfigError>(testing::HasSubstr("gaussian-mixture")));
}

}  // namespace
}  // namespace boltzcurve

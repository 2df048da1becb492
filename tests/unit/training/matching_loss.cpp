#include "training/matching_loss.hpp"
#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/error.hpp>
#include <boltzcurve/model.hpp>
#include <boltzcurve/registry.hpp>
#include "pilot/pilot_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace boltzcurve {
namespace {

const Communicator& self() {
  static const Communicator communicator(MPI_COMM_SELF);
  return communicator;
}

ModelSettings two_modes() {
  ModelSettings settings;
  settings.target_name = "gaussian-mixture";
  settings.target_values = {{"mode", {"0.3 | -2 0 1 | 0.5", "0.7 | 2 1 0 | 0.9"}}};
  settings.network.width = 12;
  settings.network.hidden_layers = 2;
  settings.collocation.points = 300;
  settings.pilot.particles = 256;
  settings.precision = Precision::double_precision;
  return settings;
}

/// A model with its loss.
struct Problem {
  Model model;
  std::unique_ptr<BatchLoss> loss;

  explicit Problem(const ModelSettings& settings) : model(build_model(self(), settings)), loss(loss_of(*model.pilot->population)) {}

  std::unique_ptr<BatchLoss> loss_of(const CurvePopulation& population) const {
    BatchLossSettings of_loss;
    of_loss.curve = model.curve;
    of_loss.collocation = model.settings.collocation;
    of_loss.seed = model.settings.seed;
    of_loss.population = std::make_shared<CurvePopulation>(population);
    return make_matching_loss(model.settings.precision, self(), of_loss, model.curve_target(), *model.latent);
  }

  /// Of the order of one, of every network.
  std::vector<double> parameters() const {
    std::vector<double> values(static_cast<std::size_t>(model.networks().parameter_count()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.4 * CounterRng(5, RandomStream::test, 0, i).normal();
    return values;
  }
};

// Central differences of the loss itself, in double: h^2 of a third derivative, and rounding over h.
TEST(MatchingLoss, HasTheGradientOfItsLoss) {
  for (const auto form : {CurveForm::network, CurveForm::contracted}) {
    SCOPED_TRACE(name_of(form));
    auto settings = two_modes();
    settings.curve.form = form;
    settings.pilot.method = PilotMethod::smc;
    const Problem problem(settings);
    auto parameters = problem.parameters();
    const auto found = problem.loss->evaluate(parameters, 3);
    ASSERT_TRUE(found.finite);
    ASSERT_EQ(found.gradient.size(), parameters.size());
    constexpr double h = 1e-4;
    double largest = 0;
    for (std::size_t i = 0; i < parameters.size(); i += 7) {
      const double here = parameters[i];
      parameters[i] = here + h;
      const double high = problem.loss->evaluate(parameters, 3).loss;
      parameters[i] = here - h;
      const double low = problem.loss->evaluate(parameters, 3).loss;
      parameters[i] = here;
      EXPECT_NEAR(found.gradient[i], (high - low) / (2 * h), 1e-6 * (1 + std::fabs(found.gradient[i]))) << i;
      largest = std::max(largest, std::fabs(found.gradient[i]));
    }
    EXPECT_GT(largest, 0.01) << "differences of nothing";
  }
}

TEST(MatchingLoss, IsAFunctionOfParametersAndStepAlone) {
  const Problem problem(two_modes());
  const auto parameters = problem.parameters();
  const auto first = problem.loss->evaluate(parameters, 0), again = problem.loss->evaluate(parameters, 0);
  const auto second = problem.loss->evaluate(parameters, 1);
  EXPECT_EQ(again.loss, first.loss);
  EXPECT_EQ(again.gradient, first.gradient);
  EXPECT_NE(second.loss, first.loss) << "every step has points of its own";
  EXPECT_EQ(problem.loss->take_left_out().points, 0);
}

// Of a normal law in coordinates in which it is white nothing is left to be learned: the goal is the slope of the known energy, but for how
// far a population of 4096 is off. Another law's goals are noisy.
TEST(MatchingLoss, OfANormalLawIsNearlyNothingWithoutANetwork) {
  auto settings = two_modes();
  settings.target_values = {{"mode", {"1 | 30 -7 2 | 4"}}};
  settings.pilot.particles = 4096;
  const Problem problem(settings);
  std::vector<double> parameters(static_cast<std::size_t>(problem.model.networks().parameter_count()), 0.0);
  EXPECT_LT(problem.loss->evaluate(parameters, 0).loss, 1e-2);
  EXPECT_GT(Problem(two_modes()).loss->evaluate(parameters, 0).loss, 1e-1);
}

TEST(MatchingLoss, NamesThePointThatFitsWorst) {
  const Problem problem(two_modes());
  auto worst = problem.loss->worst_point(problem.parameters(), 2);
  EXPECT_GE(worst.index, 0);
  EXPECT_LT(worst.index, 300);
  EXPECT_GE(worst.t, 0);
  EXPECT_LE(worst.t, problem.model.curve->latent_time());
  ASSERT_EQ(worst.x.size(), 3u);
  // The loss of no point exceeds its misfit, and the mean of all is no more than the worst.
  EXPECT_GE(worst.residual, problem.loss->evaluate(problem.parameters(), 2).loss);

  // A goal that is no number is worse than all others, wherever it is.
  auto population = *problem.model.pilot->population;
  population.gradient.back() = std::nan("");
  const auto broken = problem.loss_of(population);
  for (std::int64_t step = 0; step < 20; ++step) {
    if (broken->evaluate(problem.parameters(), step).finite) continue;
    worst = broken->worst_point(problem.parameters(), step);
    EXPECT_FALSE(std::isfinite(worst.residual));
    return;
  }
  FAIL() << "of 6000 points from 256 none was the broken one";
}

TEST(MatchingLoss, GoesOnFromItsStateAlone) {
  const Problem problem(two_modes());
  const auto parameters = problem.parameters();
  problem.loss->evaluate(parameters, 0);
  const auto state = problem.loss->state();
  ASSERT_EQ(state.collocation.size(), 4u);  // positions, gradients, what moves need, islands
  const auto right = problem.loss->evaluate(parameters, 1);

  CurvePopulation nothing;
  nothing.dimension = 3;
  const auto resumed = problem.loss_of(nothing);
  EXPECT_TRUE(resumed->restore(state));
  const auto found = resumed->evaluate(parameters, 1);
  EXPECT_EQ(found.loss, right.loss);
  EXPECT_EQ(found.gradient, right.gradient);
  EXPECT_EQ(resumed->state().collocation, state.collocation);
}

// Chains may begin anew where they do not fit; a population may not, because coordinates and curve were made from it.
TEST(MatchingLoss, RefusesAStateWithoutItsPopulationWhateverIsAccepted) {
  const Problem problem(two_modes());
  problem.loss->evaluate(problem.parameters(), 0);
  auto state = problem.loss->state();
  for (const bool points_must_fit : {true, false}) {
    auto other = state;
    other.collocation.erase(other.collocation.begin() + 1);
    EXPECT_THAT([&] { problem.loss->restore(other, points_must_fit); },
                testing::ThrowsMessage<InputError>("collocation/population/gradient is missing"));
    other = state;
    other.collocation[1].values[5] = INFINITY;
    EXPECT_THAT([&] { problem.loss->restore(other, points_must_fit); },
                testing::ThrowsMessage<InputError>("collocation/population/gradient should hold finite numbers"));
    other = state;
    other.sum_exponents.pop_back();
    EXPECT_THAT([&] { problem.loss->restore(other, points_must_fit); },
                testing::ThrowsMessage<InputError>(testing::StartsWith("reduction/")));
  }
  EXPECT_TRUE(problem.loss->restore(state));
}

TEST(MatchingLoss, HoldsBatchAndPopulation) {
  const Problem problem(two_modes());
  EXPECT_GE(problem.loss->memory_bytes(), std::int64_t{8} * (300 * 7 * 3 + 2 * 256 * 3));
}

TEST(MatchingLoss, IsRefusedForCurvesThatLearnNoGradientAndWithoutAPopulation) {
  auto settings = two_modes();
  const Problem problem(settings);
  BatchLossSettings of_loss;
  of_loss.curve = problem.model.curve;
  of_loss.collocation = settings.collocation;
  const auto make = [&] { make_matching_loss(settings.precision, self(), of_loss, problem.model.curve_target(), *problem.model.latent); };
  EXPECT_THROW(make(), ConfigError);
  settings.pilot.method = PilotMethod::smc;
  settings.curve.name = CurveName::linear;
  const Model linear = build_model(self(), settings);
  of_loss.population = linear.pilot->population;
  ASSERT_NE(of_loss.population, nullptr);
  of_loss.curve = linear.curve;
  EXPECT_THROW(make(), ConfigError);
}

}  // namespace
}  // namespace boltzcurve

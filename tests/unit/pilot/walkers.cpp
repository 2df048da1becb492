#include "pilot/walkers.hpp"
#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "energy/gaussian_mixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

namespace boltzcurve {
namespace {

const Communicator& self() {
  static const Communicator communicator(MPI_COMM_SELF);
  return communicator;
}

// All walkers at temperature 1. 4096 walkers, some ten autocorrelation times apart from their start: as good as independent, so five
// standard errors of 4096 draws.
TEST(Walkers, SettleInTheLawOfASingleMode) {
  const auto target = make_gaussian_mixture({{1, {1.0, -2.0, 0.5}, {0.49}}});
  Walkers::Settings settings{{{-20, -20, -20}, {20, 20, 20}}, 1024};
  settings.hottest = 1;
  Walkers walkers(self(), settings, *target);
  walkers.settle();
  const auto survey = walkers.survey();
  EXPECT_NEAR(survey.width, 0.49, 1e-12);  // D / Lap f of a normal law is its variance everywhere
  const double means[] = {1, -2, 0.5};
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(survey.mean[k], means[k], 5 * 0.7 / 64);
    EXPECT_NEAR(survey.deviation[k], 0.7, 5 * 0.7 / std::sqrt(2) / 64);
  }
  EXPECT_NEAR(walkers.acceptance(), 0.574, 0.05);
}

TEST(Walkers, FindEveryModeOfAFarFlungTarget) {
  const auto& entry = find_target("gmm40");
  const auto target = entry.make(Parameters("target", "gmm40", entry.parameters, {}));
  Walkers walkers(self(), {target->domain(), 1024}, *target);
  walkers.settle();
  for (const auto& mode : target->modes()) {
    int near = 0;
    for (int layer = 0; layer < walkers.layers(); ++layer)
      for (std::int64_t i = 0; i < 1024; ++i)
        near += std::hypot(walkers(layer, i, 0) - mode.center[0], walkers(layer, i, 1) - mode.center[1]) < 3 * 1.3132617;
    EXPECT_GE(near, 5) << "mode at " << mode.center[0] << ", " << mode.center[1];
  }
}

TEST(Walkers, HotOnesSpreadWiderThanColdOnes) {
  const auto target = make_gaussian_mixture({{1, {0.0, 0.0}, {1.0}}});
  Walkers::Settings settings{{{-5, -5}, {5, 5}}, 1024};
  settings.hottest = 9;
  Walkers walkers(self(), settings, *target);
  walkers.settle();
  const auto spread = [&](int layer) {
    double squares = 0;
    for (std::int64_t i = 0; i < 1024; ++i) squares += std::pow(walkers(layer, i, 0), 2);
    return squares / 1024;
  };
  // Temperatures 9^(u^2) with u uniform in [0, 1/4] and [3/4, 1]: means 1.05 and 5.5; 1024 squares have a relative error of 0.044.
  EXPECT_NEAR(spread(0), 1.05, 0.25);
  EXPECT_NEAR(spread(3), 5.5, 1.5);
}

// The descent must not run down the neck, where the density is highest and yet holds no mass: the only minimum is at x_0 = -40.5. What it
// does from the box is to widen: steep walls at x_0 < 0 push towards larger x_0.
TEST(Walkers, StayInTheBodyOfAFunnel) {
  const auto& entry = find_target("funnel");
  const auto target = entry.make(Parameters("target", "funnel", entry.parameters, {{"dimension", {"10"}}}));
  Walkers::Settings settings;
  settings.box.lower.assign(10, -6);
  settings.box.upper.assign(10, 6);
  settings.points = 1024;
  Walkers walkers(self(), settings, *target);
  walkers.settle();
  const auto survey = walkers.survey();
  EXPECT_GT(survey.mean[0], -2);
  EXPECT_LT(survey.mean[0], 6);
  EXPECT_GT(survey.deviation[0], 1.5);
  EXPECT_LT(survey.deviation[0], 6);
}

TEST(Walkers, SayWhereNoEnergyIsFinite) {
  const auto& entry = find_target("many-well");
  const auto target = entry.make(Parameters("target", "many-well", entry.parameters, {{"dimension", {"2"}}}));
  Walkers walkers(self(), {{{1e120, 1e120}, {1e121, 1e121}}, 128}, *target);
  EXPECT_THAT([&] { walkers.settle(); }, testing::ThrowsMessage<InputError>(testing::HasSubstr("finite at none of 512 points")));
}

}  // namespace
}  // namespace boltzcurve

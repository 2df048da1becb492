#include "pilot/mala_chains.hpp"
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

// All chains at temperature 1. 4096 chains, some ten autocorrelation times apart from their start: as good as independent, so five
// standard errors of 4096 draws.
TEST(MalaChains, SettleInTheLawOfASingleMode) {
  const auto target = make_gaussian_mixture({{1, {1.0, -2.0, 0.5}, {0.49}}});
  MalaChains::Settings settings{{{-20, -20, -20}, {20, 20, 20}}, 1024};
  settings.hottest = 1;
  MalaChains chains(self(), settings, *target);
  chains.thermalize();
  const auto pilot = chains.pilot_summary();
  EXPECT_NEAR(pilot.width, 0.49, 1e-12);  // D / Lap f of a normal law is its variance everywhere
  const double means[] = {1, -2, 0.5};
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(pilot.mean[k], means[k], 5 * 0.7 / 64);
    EXPECT_NEAR(pilot.deviation[k], 0.7, 5 * 0.7 / std::sqrt(2) / 64);
  }
  EXPECT_NEAR(chains.acceptance(), 0.574, 0.05);
}

TEST(MalaChains, FindEveryModeOfAFarFlungTarget) {
  const auto target = make_target("gmm40");
  MalaChains chains(self(), {target->domain(), 1024}, *target);
  chains.thermalize();
  for (const auto& mode : target->modes()) {
    int near = 0;
    for (int layer = 0; layer < chains.layers(); ++layer)
      for (std::int64_t i = 0; i < 1024; ++i)
        near += std::hypot(chains(layer, i, 0) - mode.center[0], chains(layer, i, 1) - mode.center[1]) < 3 * 1.3132617;
    EXPECT_GE(near, 5) << "mode at " << mode.center[0] << ", " << mode.center[1];
  }
}

TEST(MalaChains, HotOnesSpreadWiderThanColdOnes) {
  const auto target = make_gaussian_mixture({{1, {0.0, 0.0}, {1.0}}});
  MalaChains::Settings settings{{{-5, -5}, {5, 5}}, 1024};
  settings.hottest = 9;
  MalaChains chains(self(), settings, *target);
  chains.thermalize();
  const auto spread = [&](int layer) {
    double squares = 0;
    for (std::int64_t i = 0; i < 1024; ++i) squares += std::pow(chains(layer, i, 0), 2);
    return squares / 1024;
  };
  // Temperatures 9^(u^2) with u uniform in [0, 1/4] and [3/4, 1]: means 1.05 and 5.5; 1024 squares have a relative error of 0.044.
  EXPECT_NEAR(spread(0), 1.05, 0.25);
  EXPECT_NEAR(spread(3), 5.5, 1.5);
}

// The descent must not run down the neck, where the density is highest and yet holds no mass: the only minimum is at x_0 = -40.5. What it
// does from the box is to widen: steep walls at x_0 < 0 push towards larger x_0.
TEST(MalaChains, StayInTheBodyOfAFunnel) {
  const auto target = make_target("funnel", {{"dimension", {"10"}}});
  MalaChains::Settings settings;
  settings.box.lower.assign(10, -6);
  settings.box.upper.assign(10, 6);
  settings.points = 1024;
  MalaChains chains(self(), settings, *target);
  chains.thermalize();
  const auto pilot = chains.pilot_summary();
  EXPECT_GT(pilot.mean[0], -2);
  EXPECT_LT(pilot.mean[0], 6);
  EXPECT_GT(pilot.deviation[0], 1.5);
  EXPECT_LT(pilot.deviation[0], 6);
}

TEST(MalaChains, SayWhereNoEnergyIsFinite) {
  const auto target = make_target("many-well", {{"dimension", {"2"}}});
  MalaChains chains(self(), {{{1e120, 1e120}, {1e121, 1e121}}, 128}, *target);
  EXPECT_THAT([&] { chains.thermalize(); }, testing::ThrowsMessage<InputError>(testing::HasSubstr("finite at none of 512 points")));
}

}  // namespace
}  // namespace boltzcurve

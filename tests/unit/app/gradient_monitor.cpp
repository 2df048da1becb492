#include "app/commands/gradient_advice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace boltzcurve {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Watched {
  CurveName curve;
  double clip;
  std::int64_t first_step;
};

std::vector<std::string> warnings(const Watched& of, int steps, const std::function<double(int)>& norm) {
  GradientMonitor monitor(of.clip, of.first_step);
  std::vector<std::string> all;
  for (int step = 1; step <= steps; ++step)
    if (const auto trouble = monitor.after(step, true, norm(step))) all.push_back(words_for(*trouble, of.curve, of.clip));
  return all;
}

TEST(GradientMonitor, IsSilentWhereGradientsShrinkOrAreLongInTheWarmUpOnly) {
  EXPECT_THAT(warnings({CurveName::linear, 100, 0}, 1000, [](int step) { return 90.0 / step; }), IsEmpty());
  EXPECT_THAT(warnings({CurveName::linear, 100, 200}, 1000, [](int step) { return step < 200 ? 1e5 : 5.0; }), IsEmpty());
  EXPECT_THAT(warnings({CurveName::linear, 100, 0}, 1000, [](int step) { return step % 5 < 3 ? 1.0 : 5e4; }), IsEmpty()) << "two of five";
  EXPECT_THAT(warnings({CurveName::linear, 0, 0}, 1000, [](int) { return 1e6; }), IsEmpty()) << "nothing to be clipped to";
}

TEST(GradientMonitor, SaysOnceThatGradientsAreClippedForLong) {
  EXPECT_THAT(warnings({CurveName::linear, 100, 0}, 1000, [](int step) { return step % 5 < 2 ? 1.0 : 5e4; }),
              ElementsAre(AllOf(HasSubstr("exploding gradients: up to step 100, 60 of the last 100 were longer than "
                                          "optimizer.gradient-clip = 100"),
                                HasSubstr("curve.name = learned or gradient-flow"))));
}

TEST(GradientMonitor, SaysOnceThatGradientsHaveGrownAHundredfold) {
  EXPECT_THAT(warnings({CurveName::learned, 0, 0}, 1000, [](int step) { return step <= 300 ? 0.5 : 500.0; }),
              ElementsAre(AllOf(HasSubstr("exploding gradients: at step 400 they are 1e+03 times as long as they were, a mean of 500"),
                                HasSubstr("latent.scale"), Not(HasSubstr("curve.name")))));
}

TEST(GradientMonitor, SaysOnceThatAStepWasNotFinite) {
  GradientMonitor monitor(100, 0);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto trouble = monitor.after(7, false, nan);
  ASSERT_TRUE(trouble.has_value());
  EXPECT_EQ(words_for(*trouble, CurveName::linear, 100), "loss or gradient of step 7 is not finite, and the step is skipped");
  EXPECT_FALSE(monitor.after(8, false, nan).has_value());
}

}  // namespace
}  // namespace boltzcurve

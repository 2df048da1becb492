#include "studies/quadrature.hpp"
#include <boltzcurve/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace boltzcurve {
namespace {

// n nodes are exact up to degree 2n - 1: one degree more is not, which shows that the rule is no better than said, either.
TEST(GaussLegendre, IntegratesPolynomialsUpToItsDegreeAndNoFurther) {
  for (const int n : {1, 2, 5, 16}) {
    const GaussLegendre rule(n);
    for (int degree = 0; degree <= 2 * n; ++degree) {
      double sum = 0;
      for (std::size_t i = 0; i < rule.node.size(); ++i) sum += rule.weight[i] * std::pow(rule.node[i], degree);
      const double exact = degree % 2 == 0 ? 2.0 / (degree + 1) : 0.0;
      if (degree < 2 * n) {
        EXPECT_NEAR(sum, exact, 1e-14) << n << " nodes, degree " << degree;
      } else if (n < 16) {  // beyond, the error is below rounding
        EXPECT_GT(std::fabs(sum - exact), 1e-6) << n << " nodes";
      }
    }
  }
}

TEST(GaussLegendre, IntegratesUpToEveryNode) {
  const GaussLegendre rule(7);
  for (int degree = 0; degree < 7; ++degree)
    for (std::size_t i = 0; i < rule.node.size(); ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < rule.node.size(); ++j) sum += rule.integral_to_node[i][j] * std::pow(rule.node[j], degree);
      EXPECT_NEAR(sum, (std::pow(rule.node[i], degree + 1) - std::pow(-1.0, degree + 1)) / (degree + 1), 1e-14) << degree << ", " << i;
    }
}

TEST(IntegrateAdaptively, FindsANarrowPeakAndAnEndOfInfiniteSlope) {
  const double width = 1e-4;
  const auto peak = [&](double x) { return width / ((x - 0.3) * (x - 0.3) + width * width); };
  EXPECT_NEAR(integrate_adaptively(peak, 0, 1, {1e-10}, "peak"), std::atan(0.7 / width) + std::atan(0.3 / width), 1e-9);
  EXPECT_NEAR(integrate_adaptively([](double x) { return std::sqrt(x); }, 0, 1, {1e-10}, "root"), 2.0 / 3, 1e-10);
  EXPECT_NEAR(integrate_adaptively([](double x) { return std::sin(x); }, -1, 1, {0, 1e-12}, "nothing"), 0, 1e-12);
}

TEST(IntegrateAdaptively, SaysWhatItCannotIntegrate) {
  const auto noise = [](double x) { return std::fmod(x * x * 1e9, 1.0); };
  EXPECT_THAT([&] { integrate_adaptively(noise, 0, 1, {1e-10}, "noise", 20); },
              testing::ThrowsMessage<NumericalError>(testing::HasSubstr("noise: 20 intervals integrate it to an error of")));
  EXPECT_THAT([] { integrate_adaptively([](double x) { return 1 / (x - x); }, 0, 1, {}, "pole"); },
              testing::ThrowsMessage<NumericalError>(testing::HasSubstr("pole: the integral is not a finite number")));
}

}  // namespace
}  // namespace boltzcurve

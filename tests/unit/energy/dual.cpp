// Dual numbers against derivatives written by hand, along x(s) = x + a s + b s^2 / 2, so that first and second derivative of the argument
// are both at work. Results are exact but for rounding.
#include "energy/vectorized_energy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <type_traits>

namespace boltzcurve {
namespace {

constexpr double a = 0.7, b = -1.3;  // first and second derivative of every argument

Dual<double> argument(double x) { return {x, a, b}; }

/// Chain rule by hand: (g(x(s)))' = g' a, '' = g'' a^2 + g' b.
void expect_chain(const Dual<double>& found, double g, double g1, double g2) {
  EXPECT_DOUBLE_EQ(found.value, g);
  EXPECT_NEAR(found.first, g1 * a, 1e-14 * (1 + std::fabs(g1)));
  EXPECT_NEAR(found.second, g2 * a * a + g1 * b, 1e-14 * (1 + std::fabs(g2) + std::fabs(g1)));
}

TEST(Dual, FunctionsFollowTheChainRule) {
  for (const double x : {0.3, 1.7, 4.0}) {
    const auto u = argument(x);
    expect_chain(exp(u), std::exp(x), std::exp(x), std::exp(x));
    expect_chain(log(u), std::log(x), 1 / x, -1 / (x * x));
    expect_chain(sqrt(u), std::sqrt(x), 0.5 / std::sqrt(x), -0.25 / (x * std::sqrt(x)));
    expect_chain(1 / u, 1 / x, -1 / (x * x), 2 / (x * x * x));
    expect_chain(u * u * u, x * x * x, 3 * x * x, 6 * x);
    expect_chain(fabs(-u), x, 1, 0);
    expect_chain(fabs(u), x, 1, 0);
  }
}

TEST(Dual, HasTheDerivativesOfSpecialFunctions) {
  for (const double x : {0.3, 0.9, 1.7, 4.0}) {
    const auto u = argument(x);
    const double sine = std::sin(x), cosine = std::cos(x), t = std::tan(x), h = std::tanh(x), e = std::exp(x);
    expect_chain(sin(u), sine, cosine, -sine);
    expect_chain(cos(u), cosine, -sine, -cosine);
    expect_chain(tan(u), t, 1 / (cosine * cosine), 2 * sine / (cosine * cosine * cosine));
    expect_chain(tanh(u), h, 1 - h * h, -2 * h * (1 - h * h));
    expect_chain(log1p(u), std::log1p(x), 1 / (1 + x), -1 / ((1 + x) * (1 + x)));
    expect_chain(expm1(u), std::expm1(x), e, e);
    const double bell = 2 / std::sqrt(std::numbers::pi) * std::exp(-x * x);
    expect_chain(erf(u), std::erf(x), bell, -2 * x * bell);
    expect_chain(pow(u, 2.5), std::pow(x, 2.5), 2.5 * std::pow(x, 1.5), 3.75 * std::sqrt(x));
    expect_chain(pow(u, 3), x * x * x, 3 * x * x, 6 * x);
    expect_chain(pow(2.0, u), std::exp2(x), std::exp2(x) * std::numbers::ln2, std::exp2(x) * std::numbers::ln2 * std::numbers::ln2);
    // u^u = exp(u log u)
    const double power = std::pow(x, x), rate = 1 + std::log(x);
    expect_chain(pow(u, u), power, power * rate, power * (rate * rate + 1 / x));
  }
  // at a = 0 an even power still has its derivatives, and a first power its slope
  expect_chain(pow(argument(0), 2), 0, 0, 2);
  expect_chain(pow(argument(0), 1), 0, 1, 0);
  expect_chain(pow(argument(-2), 2), 4, -4, 2);
}

// psi(1) = -gamma, psi(1/2) = -gamma - 2 log 2, psi'(1) = pi^2/6, psi'(1/2) = pi^2/2, and psi(-1/2) = psi(1/2) + 2 by the recurrence.
TEST(Dual, HasTheDerivativesOfLogGamma) {
  const double pi2 = std::numbers::pi * std::numbers::pi, gamma = std::numbers::egamma, at_half = -gamma - 2 * std::numbers::ln2;
  expect_chain(lgamma(argument(1)), 0, -gamma, pi2 / 6);
  expect_chain(lgamma(argument(0.5)), 0.5 * std::log(std::numbers::pi), at_half, pi2 / 2);
  expect_chain(lgamma(argument(-0.5)), std::log(2 * std::sqrt(std::numbers::pi)), at_half + 2, pi2 / 2 + 4);
  expect_chain(lgamma(argument(3)), std::log(2.0), 1.5 - gamma, pi2 / 6 - 1.25);
  // far out by differences of fourth order, right to h^4 and rounding over h
  for (const double x : {0.2, 7.3, 25.0}) {
    const double h = 1e-3;
    EXPECT_NEAR(lgamma(Dual<double>(x, 1, 0)).first,
                (std::lgamma(x - 2 * h) - 8 * std::lgamma(x - h) + 8 * std::lgamma(x + h) - std::lgamma(x + 2 * h)) / (12 * h), 1e-7);
    EXPECT_NEAR(lgamma(Dual<double>(x, 1, 0)).second,
                (polygamma<1>(x - 2 * h) - 8 * polygamma<1>(x - h) + 8 * polygamma<1>(x + h) - polygamma<1>(x + 2 * h)) / (12 * h), 1e-6);
  }
}

TEST(Dual, ArithmeticOfTwoFollowsTheProductRule) {
  const Dual<double> u(2, 3, 5), v(7, 11, 13);
  const auto product = u * v;
  EXPECT_EQ(product.value, 14);
  EXPECT_EQ(product.first, 3 * 7 + 2 * 11);
  EXPECT_EQ(product.second, 5 * 7 + 2 * 3 * 11 + 2 * 13);
  const auto back = product / v;  // undoes it
  EXPECT_NEAR(back.value, 2, 1e-14);
  EXPECT_NEAR(back.first, 3, 1e-14);
  EXPECT_NEAR(back.second, 5, 1e-13);
  const auto sum = u + v, difference = u - v, negative = -u;
  EXPECT_EQ(sum.value, 9);
  EXPECT_EQ(sum.first, 14);
  EXPECT_EQ(sum.second, 18);
  EXPECT_EQ(difference.value, -5);
  EXPECT_EQ(difference.first, -8);
  EXPECT_EQ(difference.second, -8);
  EXPECT_EQ(negative.value, -2);
  EXPECT_EQ(negative.first, -3);
  EXPECT_EQ(negative.second, -5);
}

TEST(Dual, ConstantsDoNotMove) {
  const Dual<double> u(2, 3, 5);
  // 1 + (3 (u - 4) / 2 - (1 - u)) = 2.5 u - 6
  const auto line = 1 + (3 * (u - 4) / 2 - (1 - u));
  EXPECT_EQ(line.value, -1);
  EXPECT_EQ(line.first, 7.5);
  EXPECT_EQ(line.second, 12.5);
  const Dual<double> constant = 4;
  EXPECT_EQ(constant.value, 4);
  EXPECT_EQ(constant.first, 0);
  EXPECT_EQ(constant.second, 0);
}

TEST(Dual, CompoundAssignmentIsTheSameAsTheOperator) {
  const Dual<double> u(2, 3, 5), v(7, 11, 13);
  Dual<double> w = u;
  w += v, w *= u, w -= 1, w /= v;
  const auto expected = ((u + v) * u - 1) / v;
  EXPECT_EQ(w.value, expected.value);
  EXPECT_EQ(w.first, expected.first);
  EXPECT_EQ(w.second, expected.second);
}

TEST(Dual, ChoicesTakeTheDerivativesOfTheBranchTaken) {
  const Dual<double> u(2, 3, 5), v(7, 11, 13);
  EXPECT_EQ(fmin(u, v).first, 3);
  EXPECT_EQ(fmin(v, u).second, 5);
  EXPECT_EQ(fmax(u, v).first, 11);
  EXPECT_EQ(fmax(v, u).second, 13);
  EXPECT_EQ(select(u < v, u, v).second, 5);
  EXPECT_EQ(select(u > v, u, v).second, 13);
  EXPECT_TRUE(u <= v);
  EXPECT_FALSE(u >= v);
  EXPECT_EQ(fabs(Dual<double>(-2, 3, 5)).first, -3);
  EXPECT_EQ(fabs(Dual<double>(-2, 3, 5)).second, -5);
}

/// Something of everything; smooth for x > 0.
template <class Scalar>
Scalar mixed(const Scalar& x) {
  const Scalar special = sin(x) * cos(x) + tan(0.1 * x) * tanh(x) + log1p(x) * expm1(-x) + erf(x) * lgamma(x) + pow(x, 1.5) + pow(x, -x);
  return sqrt(1 + x * x) * exp(-0.5 * x) - log(x) / (2 + fabs(x - 1)) + fmax(x, 0.25 * x * x) + select(x < Scalar(2), x * x, 4 * x) +
         special;
}

TEST(Dual, OfLowerOrderHasTheSameNumbersAsFarAsItGoes) {
  for (const double x : {0.3, 1.1, 2.6}) {
    const auto all = mixed(Dual<double>(x, a, b));
    const auto first = mixed(Dual<double, 1>(x, a, b));
    const auto value = mixed(Dual<double, 0>(x, a, b));
    EXPECT_NEAR(first.value, all.value, 1e-14 * (1 + std::fabs(all.value)));
    EXPECT_NEAR(first.first, all.first, 1e-14 * (1 + std::fabs(all.first)));
    EXPECT_NEAR(value.value, all.value, 1e-14 * (1 + std::fabs(all.value)));
    static_assert(std::is_same_v<decltype(first.second), Nothing> && std::is_same_v<decltype(value.first), Nothing>);
  }
}

TEST(Dual, OfPacksDoesInEveryLaneWhatItDoesWithNumbers) {
  using P = Pack<double>;
  P x;
  for (int lane = 0; lane < P::lanes; ++lane) x.set(lane, 0.3 + 0.6 * lane);
  const auto packed = mixed(Dual<P>(x, a, b));
  for (int lane = 0; lane < P::lanes; ++lane) {
    const auto single = mixed(Dual<double>(x[lane], a, b));
    EXPECT_NEAR(packed.value[lane], single.value, 1e-14 * (1 + std::fabs(single.value)));
    EXPECT_NEAR(packed.first[lane], single.first, 1e-14 * (1 + std::fabs(single.first)) * 10);
    EXPECT_NEAR(packed.second[lane], single.second, 1e-14 * (1 + std::fabs(single.second)) * 10);
  }
}

TEST(Dual, WorksInFloatAndStaysThere) {
  const auto f = mixed(Dual<float>(1.5f, 1.0f, 0.0f));
  static_assert(std::is_same_v<decltype(f.second), float>);
  const auto exact = mixed(Dual<double>(1.5, 1, 0));
  EXPECT_NEAR(f.value, exact.value, 1e-6);
  EXPECT_NEAR(f.first, exact.first, 1e-6);
  EXPECT_NEAR(f.second, exact.second, 3e-6);
}

}  // namespace
}  // namespace boltzcurve

// exp, log, sigmoid and sqrt of packs against long double, and at the ends of their ranges.
#include "simd/pack_math.hpp"
#include <boltzcurve/counter_rng.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace boltzcurve {
namespace {

template <class Real>
class PackMath : public testing::Test {};

using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(PackMath, Reals);

/// |found - exact| in units of the last place of exact.
template <class Real>
double ulps(Real found, long double exact) {
  int exponent = 0;
  std::frexp(exact, &exponent);
  const int last = std::max(exponent, std::numeric_limits<Real>::min_exponent) - std::numeric_limits<Real>::digits;
  return static_cast<double>(std::fabs(static_cast<long double>(found) - exact) / std::ldexp(1.0L, last));
}

/// Largest error of `function` over 2^17 seeded arguments in all lanes; `argument(u)` maps (0,1) to the range to test.
template <class Real, class Argument, class Function, class Exact>
double largest_error(Argument argument, Function function, Exact exact) {
  CounterRng rng(1, RandomStream::test, 0, 0);
  double largest = 0;
  for (int i = 0; i < (1 << 17); i += Pack<Real>::lanes) {
    Pack<Real> x;
    for (int lane = 0; lane < Pack<Real>::lanes; ++lane) x.set(lane, static_cast<Real>(argument(rng.uniform())));
    const Pack<Real> y = function(x);
    for (int lane = 0; lane < Pack<Real>::lanes; ++lane)
      largest = std::max(largest, ulps(y[lane], exact(static_cast<long double>(x[lane]))));
  }
  return largest;
}

template <class Real>
Real of(Pack<Real> (*function)(Pack<Real>), Real x) {
  return function(Pack<Real>(x))[Pack<Real>::lanes - 1];
}

TYPED_TEST(PackMath, ExpIsRightToTwoUnitsOverItsRangeAndNearZero) {
  using P = Pack<TypeParam>;
  const double lower = sizeof(TypeParam) == 4 ? -86.5 : -707.6, upper = sizeof(TypeParam) == 4 ? 88.72 : 709.78;
  const auto function = [](P x) { return exp(x); };
  const auto exact = [](long double x) { return std::exp(x); };
  EXPECT_LE(largest_error<TypeParam>([&](double u) { return lower + (upper - lower) * u; }, function, exact), 2);
  EXPECT_LE(largest_error<TypeParam>([](double u) { return 2 * u - 1; }, function, exact), 2);
}

TYPED_TEST(PackMath, LogIsRightToTwoUnitsOverItsRangeAndNearOne) {
  using P = Pack<TypeParam>;
  const double decades = sizeof(TypeParam) == 4 ? 37 : 307;
  const auto function = [](P x) { return log(x); };
  const auto exact = [](long double x) { return std::log(x); };
  EXPECT_LE(largest_error<TypeParam>([&](double u) { return std::pow(10.0, decades * (2 * u - 1)); }, function, exact), 2);
  EXPECT_LE(largest_error<TypeParam>([](double u) { return 0.5 + u; }, function, exact), 2);
  EXPECT_LE(largest_error<TypeParam>([](double u) { return 1 + 1e-3 * (u - 0.5); }, function, exact), 2);
}

TYPED_TEST(PackMath, SigmoidIsRightToFourUnits) {
  using P = Pack<TypeParam>;
  const auto function = [](P x) { return sigmoid(x); };
  const auto exact = [](long double x) { return 1 / (1 + std::exp(-x)); };
  EXPECT_LE(largest_error<TypeParam>([](double u) { return 160 * u - 80; }, function, exact), 4);
}

TYPED_TEST(PackMath, ReciprocalIsRightToTwoUnits) {
  using P = Pack<TypeParam>;
  const auto function = [](P x) { return reciprocal(x); };
  const auto exact = [](long double x) { return 1 / x; };
  EXPECT_LE(largest_error<TypeParam>([](double u) { return 1 + u; }, function, exact), 2);
  EXPECT_LE(largest_error<TypeParam>([](double u) { return std::exp(80 * u); }, function, exact), 2);
}

TYPED_TEST(PackMath, SineAndCosineOfTurnsAreRightToTwoUnitsOfOne) {
  using P = Pack<TypeParam>;
  const auto exact_angle = [](long double u) { return 6.283185307179586476925286766559L * u; };
  const double unit = static_cast<double>(std::numeric_limits<TypeParam>::epsilon()) / 2;
  CounterRng rng(1, RandomStream::test, 0, 0);
  double largest = 0;
  const auto compare = [&](TypeParam u) {
    const auto found = sin_cos_of_turns(P(u));
    const int lane = P::lanes - 1;
    const auto angle = exact_angle(static_cast<long double>(u));
    largest = std::max(largest, static_cast<double>(std::fabs(found.sine[lane] - std::sin(angle))));
    largest = std::max(largest, static_cast<double>(std::fabs(found.cosine[lane] - std::cos(angle))));
  };
  for (int i = 0; i < (1 << 16); ++i) compare(static_cast<TypeParam>(rng.uniform()));
  for (int eighths = 0; eighths <= 8; ++eighths) compare(static_cast<TypeParam>(eighths / 8.0));
  EXPECT_LE(largest, 2 * unit);
}

TYPED_TEST(PackMath, SquareRootIsExactlyThatOfTheProcessor) {
  using P = Pack<TypeParam>;
  const auto function = [](P x) { return sqrt(x); };
  EXPECT_LE(largest_error<TypeParam>([](double u) { return 100 * u; }, function, [](long double x) { return std::sqrt(x); }), 0.5);
}

TYPED_TEST(PackMath, ExpHasItsLimits) {
  using Real = TypeParam;
  const Real infinity = std::numeric_limits<Real>::infinity();
  const auto e = [](Real x) { return of<Real>([](Pack<Real> p) { return exp(p); }, x); };
  EXPECT_EQ(e(0), 1);
  EXPECT_EQ(e(-infinity), 0);
  EXPECT_EQ(e(infinity), infinity);
  EXPECT_EQ(e(std::numeric_limits<Real>::lowest()), 0);
  EXPECT_EQ(e(std::numeric_limits<Real>::max()), infinity);
  EXPECT_EQ(e(sizeof(Real) == 4 ? Real(88.73) : Real(709.79)), infinity);
  EXPECT_TRUE(std::isfinite(e(sizeof(Real) == 4 ? Real(88.72) : Real(709.78))));
  EXPECT_TRUE(std::isnan(e(std::numeric_limits<Real>::quiet_NaN())));
}

TYPED_TEST(PackMath, LogHasItsLimits) {
  using Real = TypeParam;
  const Real infinity = std::numeric_limits<Real>::infinity();
  const auto l = [](Real x) { return of<Real>([](Pack<Real> p) { return log(p); }, x); };
  EXPECT_EQ(l(1), 0);
  EXPECT_EQ(l(0), -infinity);
  EXPECT_EQ(l(infinity), infinity);
  EXPECT_TRUE(std::isnan(l(-1)));
  EXPECT_TRUE(std::isnan(l(-infinity)));
  EXPECT_TRUE(std::isnan(l(std::numeric_limits<Real>::quiet_NaN())));
}

TYPED_TEST(PackMath, SigmoidHasItsLimits) {
  using Real = TypeParam;
  const auto s = [](Real x) { return of<Real>([](Pack<Real> p) { return sigmoid(p); }, x); };
  EXPECT_EQ(s(0), Real(0.5));
  EXPECT_EQ(s(1000), 1);
  const Real smallest = sizeof(Real) == 4 ? Real(0x1p-124) : Real(0x1p-1020);  // beyond it: anything below
  for (const Real x : {Real(-1000), std::numeric_limits<Real>::lowest(), -std::numeric_limits<Real>::infinity()}) {
    EXPECT_GE(s(x), 0);
    EXPECT_LE(s(x), smallest);
  }
  EXPECT_EQ(s(std::numeric_limits<Real>::infinity()), 1);
  EXPECT_TRUE(std::isnan(s(std::numeric_limits<Real>::quiet_NaN())));
}

TYPED_TEST(PackMath, SelectAndComparisonsActOnEachLane) {
  using P = Pack<TypeParam>;
  P x;
  for (int lane = 0; lane < P::lanes; ++lane) x.set(lane, static_cast<TypeParam>(lane % 2 == 0 ? -1 - lane : lane));
  const P magnitude = fabs(x), chosen = select(x < P(0), P(7), x), low = fmin(x, P(2)), high = fmax(x, P(2));
  for (int lane = 0; lane < P::lanes; ++lane) {
    EXPECT_EQ(magnitude[lane], std::fabs(x[lane]));
    EXPECT_EQ(chosen[lane], x[lane] < 0 ? 7 : x[lane]);
    EXPECT_EQ(low[lane], std::min<TypeParam>(x[lane], 2));
    EXPECT_EQ(high[lane], std::max<TypeParam>(x[lane], 2));
  }
}

TYPED_TEST(PackMath, LoadAndStoreNeedNoAlignmentAndTouchNothingElse) {
  using P = Pack<TypeParam>;
  TypeParam from[2 * P::lanes + 2], to[P::lanes + 2] = {};
  for (int i = 0; i < 2 * P::lanes + 2; ++i) from[i] = static_cast<TypeParam>(i + 1);
  P::load(from + 1).store(to + 1);
  EXPECT_EQ(to[0], 0);
  EXPECT_EQ(to[P::lanes + 1], 0);
  EXPECT_EQ(std::memcmp(to + 1, from + 1, sizeof(TypeParam) * P::lanes), 0);
}

}  // namespace
}  // namespace boltzcurve

// Numbers and formulas of single targets, from outside the program: published values, closed forms, independent code.
#include "densities.hpp"

#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/dual.hpp>
#include <boltzcurve/error.hpp>
#include "energy/data_table.hpp"
#include "energy/gaussian_mixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <sstream>

#include <unistd.h>

namespace boltzcurve::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// Value, gradient and Laplacian of a function of a vector of any scalar type, by dual numbers.
template <class Function>
std::vector<double> dual_derivatives(const Function& function, const std::vector<double>& x) {
  const std::size_t dimension = x.size();
  std::vector<double> result(dimension + 2, 0.0);
  for (std::size_t d = 0; d < dimension; ++d) {
    std::vector<Dual<double>> moving;
    for (std::size_t e = 0; e < dimension; ++e) moving.push_back({x[e], e == d ? 1.0 : 0.0, 0.0});
    const Dual<double> f = function(moving);
    result[0] = f.value;
    result[1 + d] = f.first;
    result[1 + dimension] += f.second;
  }
  return result;
}

/// Closed form against dual numbers at exact samples moved by noise: both are exact but for rounding, of at most a few hundred terms.
template <class Function>
void expect_closed_form(const Energy& energy, const Function& function) {
  const auto points = draw(energy, 61, 0, 50);
  for (std::size_t i = 0; i < points.extent(0); ++i) {
    std::vector<double> x;
    for (std::size_t d = 0; d < points.extent(1); ++d) x.push_back(points(i, d) += 0.5 * std::sin(static_cast<double>(3 * i + 5 * d)));
    const auto expected = dual_derivatives(function, x);
    const HostPoints<double> point("test::point", 1, x.size());
    for (std::size_t d = 0; d < x.size(); ++d) point(0, d) = x[d];
    const auto found = evaluate(energy, point);
    double scale = 1;
    for (const double number : expected) scale += number * number;
    for (std::size_t c = 0; c < expected.size(); ++c) ASSERT_NEAR(found(0, c), expected[c], 1e-13 * scale) << "component " << c;
  }
}

/// -log sum_k w_k N(x; mu_k, Sigma_k) with the inverse and the determinant given, without any care for underflow.
struct PlainMixture {
  struct Component {
    double weight, determinant;
    std::vector<double> mean, precision;
  };
  std::vector<Component> components;

  template <class Scalar>
  Scalar operator()(const std::vector<Scalar>& x) const {
    Scalar density(0);
    for (const Component& c : components) {
      Scalar form(0);
      for (std::size_t i = 0; i < x.size(); ++i) {
        for (std::size_t j = 0; j < x.size(); ++j) form += (x[i] - c.mean[i]) * (x[j] - c.mean[j]) * c.precision[i * x.size() + j];
      }
      const double norm = std::pow(2 * std::numbers::pi, static_cast<double>(x.size())) * c.determinant;
      density += exp(form * -0.5) * (c.weight / std::sqrt(norm));
    }
    return -log(density);
  }
};

TEST(GaussianMixture, ClosedFormWithFullCovariancesAgreesWithDualNumbersOfThePlainFormula) {
  // [[1, .6], [.6, 2]]: determinant 1.64; [[2, -.5], [-.5, .5]]: determinant .75
  const PlainMixture plain{{{1.0 / 6, 1.64, {-1, 2}, {2 / 1.64, -0.6 / 1.64, -0.6 / 1.64, 1 / 1.64}},
                            {3.0 / 6, std::pow(0.7, 4), {1, 0}, {1 / 0.49, 0, 0, 1 / 0.49}},
                            {2.0 / 6, 0.75, {0, -2}, {0.5 / 0.75, 0.5 / 0.75, 0.5 / 0.75, 2 / 0.75}}}};
  expect_closed_form(*make_target("gaussian-mixture", {{"mode", {"1 | -1 2 | 1 0.6 2", "3 | 1 0 | 0.7", "2 | 0 -2 | 2 -0.5 0.5"}}}), plain);
}

TEST(GaussianMixture, ClosedFormInFourDimensionsAgreesWithDualNumbersOfThePlainFormula) {
  // spherical; the precision of the plain formula is 1/s^2 on the diagonal
  const auto diagonal = [](double variance) {
    std::vector<double> matrix(16, 0.0);
    for (std::size_t d = 0; d < 4; ++d) matrix[5 * d] = 1 / variance;
    return matrix;
  };
  const PlainMixture plain{{{0.25, std::pow(0.25, 4), {1, 2, 3, 4}, diagonal(0.25)}, {0.75, std::pow(4.0, 4), {0, 1, 0, -1}, diagonal(4)}}};
  expect_closed_form(*make_target("gaussian-mixture", {{"mode", {"1 | 1 2 3 4 | 0.5", "3 | 0 1 0 -1 | 2"}}}), plain);
}

TEST(GaussianMixture, FarFromAllModesItIsTheNearestGaussian) {
  // in float the densities underflow there; f is (x - mu)^2 / (2 s^2) + log(s sqrt(2 pi) / w), here with x - mu = 9
  const auto energy = make_target("gaussian-mixture", {{"mode", {"1 | 1 | 0.5", "3 | -7 | 0.5"}}});
  const HostPoints<float> point("test::point", 1, 1);
  point(0, 0) = 10;
  const auto result = evaluate(*energy, point);
  const double f = 9 * 9 / 0.5 + std::log(0.5 * std::sqrt(2 * std::numbers::pi) / 0.25);
  EXPECT_NEAR(result(0, 0), f, 1e-6 * f);
  EXPECT_NEAR(result(0, 1), 36, 1e-5);
  EXPECT_NEAR(result(0, 2), 4, 1e-6 * 36 * 36);
}

TEST(GaussianMixture, IsInfinitelyHighNotUnknownWhereEveryDensityUnderflowsAndItsLogarithmOverflows) {
  const auto energy = make_target("gaussian-mixture", {{"mode", {"1 | 1 | 0.5", "3 | -7 | 0.5"}}});
  const HostPoints<float> points("test::points", 2, 1);
  points(0, 0) = 1e20f;
  points(1, 0) = std::numeric_limits<float>::quiet_NaN();
  const auto results = evaluate(*energy, points);
  EXPECT_GT(results(0, 0), 1e30f);
  EXPECT_TRUE(std::isnan(results(1, 0)));
}

TEST(GaussianMixture, SamplesHaveTheMomentsOfTheMixture) {
  // weights 1/4, 3/4; E x = sum w mu; E x x^T = sum w (Sigma + mu mu^T)
  const auto energy = make_target("gaussian-mixture", {{"mode", {"1 | 2 0 | 1 0.6 2", "3 | 0 1 | 2 -0.5 0.5"}}});
  const auto points = draw(*energy, 71, 0, 1 << 16);
  const double mean[2] = {0.5, 0.75}, second[3] = {(1 + 4 + 3 * 2) / 4.0, (0.6 - 3 * 0.5) / 4, (2 + 3 * (0.5 + 1)) / 4};
  Average x, y, xx, xy, yy;
  for (std::size_t i = 0; i < points.extent(0); ++i) {
    const double u = points(i, 0), v = points(i, 1);
    x.add(u), y.add(v), xx.add(u * u), xy.add(u * v), yy.add(v * v);
  }
  EXPECT_NEAR(x.mean(), mean[0], certain * x.standard_error());
  EXPECT_NEAR(y.mean(), mean[1], certain * y.standard_error());
  EXPECT_NEAR(xx.mean(), second[0], certain * xx.standard_error());
  EXPECT_NEAR(xy.mean(), second[1], certain * xy.standard_error());
  EXPECT_NEAR(yy.mean(), second[2], certain * yy.standard_error());
}

TEST(GaussianMixture, SamplesFallOnModesByTheirWeights) {
  const auto energy = make_target("gaussian-mixture", {{"mode", {"1 | 0 | 1", "2 | 100 | 1", "3 | 200 | 1", "4 | 300 | 1"}}});
  const auto points = draw(*energy, 72, 0, 1 << 16);
  Average share[4];
  for (std::size_t i = 0; i < points.extent(0); ++i) {
    for (int k = 0; k < 4; ++k) share[k].add(std::lround(points(i, 0) / 100) == k ? 1 : 0);
  }
  for (int k = 0; k < 4; ++k) EXPECT_NEAR(share[k].mean(), 0.1 * (k + 1), certain * share[k].standard_error()) << "mode " << k;
}

TEST(GaussianMixture, EntropyOfModesFarApartIsThatOfWeightsAndComponents) {
  // H = -sum w log w + sum w (D/2 log(2 pi e) + log det Sigma / 2), in three dimensions, where it comes from samples
  const auto energy = make_target("gaussian-mixture", {{"mode", {"1 | 0 0 0 | 1", "3 | 50 0 0 | 4 0 0 1 0 1"}}});
  const double expected =
      -0.25 * std::log(0.25) - 0.75 * std::log(0.75) + 1.5 * std::log(2 * std::numbers::pi * std::numbers::e) + 0.75 * std::log(2.0);
  EXPECT_NEAR(*energy->entropy(), expected, 1e-12);
}

TEST(GaussianMixture, EntropyFromSamplesAgreesWithQuadratureOfAProduct) {
  // x is the mixture, y and z are independent standard normals: H = H(x) + log(2 pi e). Its standard error is below 0.005.
  const auto line = make_target("gaussian-mixture", {{"mode", {"1 | -1 | 1", "2 | 1.5 | 1"}}});
  const auto space = make_target("gaussian-mixture", {{"mode", {"1 | -1 0 0 | 1", "2 | 1.5 0 0 | 1"}}});
  EXPECT_NEAR(*space->entropy(), *line->entropy() + std::log(2 * std::numbers::pi * std::numbers::e), certain * 0.005);
}

TEST(GaussianMixture, DefaultsToThreeModes) {
  EXPECT_EQ(make_target("gaussian-mixture")->modes().size(), 3u);
  EXPECT_EQ(make_target("gaussian-mixture", {{"preset", {"two"}}})->modes().size(), 2u);
  EXPECT_THAT(
      [] {
        make_target("gaussian-mixture", {{"preset", {"thre"}}});
      },
      ThrowsMessage<ConfigError>(HasSubstr("preset = thre: there is no such preset; did you mean three?")));
}

TEST(Gmm40, IsThePublishedMixture) {
  const auto energy = make_target("gmm40");
  const auto modes = energy->modes();
  ASSERT_EQ(modes.size(), 40u);
  const double first[3][2] = {{-0.2995, 21.4577}, {-32.9218, -29.4376}, {-15.4062, 10.7263}};
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(modes[k].center[0], first[k][0], 5e-5);
    EXPECT_NEAR(modes[k].center[1], first[k][1], 5e-5);
  }
  for (const Mode& mode : modes) EXPECT_DOUBLE_EQ(mode.weight, 1.0 / 40);
  EXPECT_NEAR(*energy->entropy(), 6.8592, 5e-4);
  EXPECT_EQ(*energy->log_z(), 0);
  // far beyond a corner, where one mode rules: Lap f = D / softplus(1)^2
  const HostPoints<double> point("test::point", 1, 2);
  point(0, 0) = point(0, 1) = -1000;
  EXPECT_NEAR(evaluate(*energy, point)(0, 3), 2 / (1.3132617 * 1.3132617), 1e-6);
}

TEST(AsymmetricTwo, HasAThirdOfItsMassAtFourFour) {
  const auto modes = make_target("asymmetric-two", {{"distance", {"6"}}})->modes();
  ASSERT_EQ(modes.size(), 2u);
  EXPECT_DOUBLE_EQ(modes[0].weight, 1.0 / 3);
  EXPECT_EQ(modes[0].center, (std::vector<double>{4, 4}));
  EXPECT_EQ(modes[1].center, (std::vector<double>{-6, -6}));
  EXPECT_EQ(make_target("asymmetric-two")->modes()[1].center, (std::vector<double>{-8, -8}));
}

TEST(ManyWell, ClosedFormAgreesWithDualNumbers) {
  const auto energy = make_target("many-well", {{"dimension", {"6"}}, {"quartic", {"0.7"}}, {"quadratic", {"3"}}, {"tilt", {"-0.4"}}});
  expect_closed_form(*energy, [](const auto& x) {
    auto f = x[0] * 0;
    for (std::size_t i = 0; i < x.size(); i += 2) {
      const auto u = x[i], v = x[i + 1];
      f += 0.7 * u * u * u * u - 3 * u * u + 0.4 * u + 0.5 * v * v;
    }
    return f;
  });
}

TEST(ManyWell, LogZAndEntropyAreTheKnownOnes) {
  const std::pair<const char*, std::array<double, 2>> known[] = {{"2", {10.293480, 1.718576}},
                                                                 {"8", {41.17392, 6.87430}},
                                                                 {"16", {82.34784, 13.7486}},
                                                                 {"32", {164.69568, 27.4972}},
                                                                 {"64", {329.39135, 54.9944}}};
  for (const auto& [dimension, numbers] : known) {
    const auto energy = make_target("many-well", {{"dimension", {dimension}}});
    EXPECT_NEAR(*energy->log_z(), numbers[0], 6e-6) << "D = " << dimension;    // half a unit of the last digit given
    EXPECT_NEAR(*energy->entropy(), numbers[1], 6e-5) << "D = " << dimension;  // likewise
  }
}

TEST(ManyWell, SamplesHaveTheKnownMoments) {
  // the known numbers have five digits: 5e-6, far below the standard errors
  const auto points = draw(*make_target("many-well"), 81, 0, 1 << 15);
  Average below, u, u2, v2;
  for (std::size_t i = 0; i < points.extent(0); ++i) {
    for (std::size_t d = 0; d < 8; d += 2) {
      below.add(points(i, d) < 0 ? 1 : 0);
      u.add(points(i, d));
      u2.add(std::pow(points(i, d) - 1.18796, 2));
      v2.add(points(i, d + 1) * points(i, d + 1));
    }
  }
  EXPECT_NEAR(below.mean(), 0.15569, certain * below.standard_error());
  EXPECT_NEAR(u.mean(), 1.18796, certain * u.standard_error());
  EXPECT_NEAR(u2.mean(), 1.54855, certain * u2.standard_error());
  EXPECT_NEAR(v2.mean(), 1, certain * v2.standard_error());
}

TEST(ManyWell, ModesAreTheProductsOfBothWells) {
  const auto energy = make_target("many-well", {{"dimension", {"4"}}});
  const auto modes = energy->modes();
  ASSERT_EQ(modes.size(), 4u);
  EXPECT_NEAR(modes[0].weight, 0.15569 * 0.15569, 4e-6);
  EXPECT_NEAR(modes[1].weight, 0.15569 * 0.84431, 6e-6);
  EXPECT_NEAR(modes[3].weight, 0.84431 * 0.84431, 1e-5);
  // the gradient vanishes there
  const HostPoints<double> centers("test::centers", 4, 4);
  for (std::size_t k = 0; k < 4; ++k) {
    for (std::size_t d = 0; d < 4; ++d) centers(k, d) = modes[k].center[d];
  }
  const auto results = evaluate(*energy, centers);
  for (std::size_t k = 0; k < 4; ++k) {
    for (std::size_t d = 0; d < 4; ++d) EXPECT_NEAR(results(k, 1 + d), 0, 1e-12);
  }
  EXPECT_EQ(make_target("many-well", {{"dimension", {"16"}}})->modes().size(), 256u);
  EXPECT_TRUE(make_target("many-well", {{"dimension", {"18"}}})->modes().empty());
  EXPECT_EQ(make_target("many-well", {{"quadratic", {"-2"}}})->modes().size(), 1u);
}

TEST(ManyWell, RefusesAnOddDimensionByName) {
  EXPECT_THAT(
      [] {
        make_target("many-well", {{"dimension", {"7"}}});
      },
      ThrowsMessage<ConfigError>(HasSubstr("dimension = 7: must be even")));
}

TEST(Rings, FourRingsOfWidth15HaveEqualMassAndNoPreferredAngle) {
  // |x|^2 + 0.05^2 = s^2, s ~ N(r, 0.15^2) with r = 1..4 alike; halves between rings are 3.3 widths off: 4e-4 of the mass of one is beyond
  const auto points = draw(*make_target("rings"), 91, 0, 1 << 16);
  Average share[4], square[4], cosine, cosine2;
  for (std::size_t i = 0; i < points.extent(0); ++i) {
    const double x = points(i, 0), y = points(i, 1), s = std::sqrt(x * x + y * y + 0.0025), angle = std::atan2(y, x);
    const int nearest = std::clamp(static_cast<int>(std::lround(s)), 1, 4);
    for (int r = 1; r <= 4; ++r) share[r - 1].add(nearest == r ? 1 : 0);
    square[nearest - 1].add((s - nearest) * (s - nearest));
    cosine.add(std::cos(angle));
    cosine2.add(std::cos(2 * angle));
  }
  for (int r = 0; r < 4; ++r) {
    EXPECT_NEAR(share[r].mean(), 0.25, certain * share[r].standard_error() + 4e-4);
    EXPECT_NEAR(square[r].mean(), 0.0225, certain * square[r].standard_error() + 4e-4);  // who goes astray moves 0.0225 by less than 4e-4
  }
  EXPECT_NEAR(cosine.mean(), 0, certain * cosine.standard_error());
  EXPECT_NEAR(cosine2.mean(), 0, certain * cosine2.standard_error());
}

TEST(Rings, TheOriginIsASmoothPoint) {
  // gradient 0 by symmetry; with f = F(s), s = sqrt(|x|^2 + c^2), Lap f = 2 F'(c) / c there, and F'(c) = 1/c + (c - 1) / w^2 but for e^-66
  const HostPoints<double> origin("test::origin", 1, 2);
  const auto result = evaluate(*make_target("rings"), origin);
  EXPECT_EQ(result(0, 1), 0);
  EXPECT_EQ(result(0, 2), 0);
  EXPECT_NEAR(result(0, 3), 2 / 0.05 * (1 / 0.05 - 0.95 / 0.0225), 1e-9);
}

TEST(Funnel, IsANormalTimesNormalsOfItsScale) {
  // -log of the normalized density is f + log Z
  const auto energy = make_target("funnel", {{"dimension", {"3"}}});
  const HostPoints<double> point("test::point", 1, 3);
  point(0, 0) = 1.2, point(0, 1) = -0.7, point(0, 2) = 2.5;
  const auto minus_log_normal = [](double x, double variance) {
    return x * x / (2 * variance) + 0.5 * std::log(2 * std::numbers::pi * variance);
  };
  const double expected = minus_log_normal(1.2, 9) + minus_log_normal(-0.7, std::exp(1.2)) + minus_log_normal(2.5, std::exp(1.2));
  const auto result = evaluate(*energy, point);
  EXPECT_NEAR(result(0, 0) + *energy->log_z(), expected, 1e-13);
  const double square = 0.7 * 0.7 + 2.5 * 2.5;
  EXPECT_NEAR(result(0, 1), 1.2 / 9 + 1 - std::exp(-1.2) * square / 2, 1e-13);
  EXPECT_NEAR(result(0, 2), -0.7 * std::exp(-1.2), 1e-13);
  EXPECT_NEAR(result(0, 4), 1.0 / 9 + std::exp(-1.2) * (square / 2 + 2), 1e-13);
}

TEST(Funnel, SamplesAreNormalOnceScaled) {
  const auto points = draw(*make_target("funnel"), 101, 0, 1 << 14);
  Average first, first2, z2, z4;
  for (std::size_t i = 0; i < points.extent(0); ++i) {
    first.add(points(i, 0));
    first2.add(points(i, 0) * points(i, 0));
    for (std::size_t d = 1; d < 10; ++d) {
      const double z = points(i, d) * std::exp(-points(i, 0) / 2);
      z2.add(z * z);
      z4.add(z * z * z * z);
    }
  }
  EXPECT_NEAR(first.mean(), 0, certain * first.standard_error());
  EXPECT_NEAR(first2.mean(), 9, certain * first2.standard_error());
  EXPECT_NEAR(z2.mean(), 1, certain * z2.standard_error());
  EXPECT_NEAR(z4.mean(), 3, certain * z4.standard_error());
}

TEST(EightSchools, ClosedFormAgreesWithDualNumbersInBothCoordinates) {
  for (const bool centered : {false, true}) {
    const double constant = std::log(5 * std::numbers::pi / 2) + std::log(5) + 8.5 * std::log(2 * std::numbers::pi);
    expect_closed_form(*make_target("eight-schools", {{"centered", {centered ? "yes" : "no"}}}), [&](const auto& x) {
      const double y[] = {28, 8, -3, 7, -1, 1, 18, 12}, sigma[] = {15, 10, 16, 11, 9, 11, 10, 18};
      // tau ~ half-Cauchy(0, 5), with the Jacobian of its logarithm
      const auto tau = exp(x[1]);
      auto f = x[0] * x[0] * 0.02 + log(tau * tau * 0.04 + 1.0) - x[1] + constant;
      for (std::size_t j = 0; j < 8; ++j) {
        const auto z = centered ? (x[2 + j] - x[0]) / tau : x[2 + j], misfit = (x[0] + tau * z - y[j]) / sigma[j];
        f += (misfit * misfit + z * z) * 0.5 + std::log(sigma[j]);
        if (centered) f += x[1];
      }
      return f;
    });
  }
}

TEST(EightSchools, HasTheEvidenceAndMomentsOfThePosterior) {
  for (const char* centered : {"no", "yes"}) {
    const auto energy = make_target("eight-schools", {{"centered", {centered}}});
    EXPECT_NEAR(*energy->log_z(), -31.31134735, 1e-8);
    const auto moments = *energy->moments();
    EXPECT_NEAR(moments.mean[0], 4.396821, 1e-6);
    EXPECT_NEAR(moments.deviation[0], 3.317704, 1e-6);
    EXPECT_NEAR(moments.mean[1], 0.802140, 1e-6);
    EXPECT_NEAR(moments.deviation[1], 1.171226, 1e-6);
  }
  const double mean[] = {6.211884, 4.940178, 3.927004, 4.757098, 3.615477, 4.042613, 6.296724, 4.854253};
  const double deviation[] = {5.593126, 4.674268, 5.262615, 4.780297, 4.657453, 4.826866, 5.077849, 5.290801};
  const auto moments = *make_target("eight-schools", {{"centered", {"yes"}}})->moments();
  for (std::size_t j = 0; j < 8; ++j) {
    EXPECT_NEAR(moments.mean[2 + j], mean[j], 1e-6);
    EXPECT_NEAR(moments.deviation[2 + j], deviation[j], 1e-6);
  }
}

TEST(EightSchools, SamplesAreThoseOfTau) {
  const auto points = draw(*make_target("eight-schools"), 111, 0, 1 << 15);
  Average tau, log_tau, small;
  for (std::size_t i = 0; i < points.extent(0); ++i) {
    tau.add(std::exp(points(i, 1)));
    log_tau.add(points(i, 1));
    small.add(points(i, 1) < -3 ? 1 : 0);
  }
  EXPECT_NEAR(tau.mean(), 3.597706, certain * tau.standard_error());
  EXPECT_NEAR(log_tau.mean(), 0.802140, certain * log_tau.standard_error());
  EXPECT_NEAR(small.mean(), 0.01011, certain * small.standard_error());
}

TEST(EightSchools, RefusesWhatIsNeitherYesNorNo) {
  EXPECT_THAT(
      [] {
        make_target("eight-schools", {{"centered", {"maybe"}}});
      },
      ThrowsMessage<ConfigError>(HasSubstr("centered = maybe: must be yes or no")));
}

/// |sample mean - mean| and the same of squared deviations, coordinate by coordinate, against the moments that the target claims.
void expect_moments_of_samples(const Energy& energy, std::uint64_t seed) {
  const auto points = draw(energy, seed, 0, 1 << 15);
  const auto moments = energy.moments();
  ASSERT_TRUE(moments);
  for (std::size_t d = 0; d < points.extent(1); ++d) {
    Average mean, square;
    for (std::size_t i = 0; i < points.extent(0); ++i) {
      const double offset = points(i, d) - moments->mean[d];
      mean.add(offset);
      square.add(offset * offset);
    }
    EXPECT_NEAR(mean.mean(), 0, certain * mean.standard_error()) << "coordinate " << d;
    EXPECT_NEAR(square.mean(), moments->deviation[d] * moments->deviation[d], certain * square.standard_error()) << "coordinate " << d;
  }
}

TEST(Moments, AreThoseOfExactSamples) {
  expect_moments_of_samples(*make_target("eight-schools"), 112);
  expect_moments_of_samples(*make_target("eight-schools", {{"centered", {"yes"}}}), 113);
  expect_moments_of_samples(*make_target("banana", {{"dimension", {"4"}}}), 114);
  expect_moments_of_samples(*make_target("student-t", {{"dimension", {"3"}}, {"degrees", {"9"}}}), 115);
  expect_moments_of_samples(*make_target("log-gamma", {{"dimension", {"6"}}}), 116);
  expect_moments_of_samples(*make_target("rastrigin"), 117);
}

TEST(Banana, ClosedFormAgreesWithDualNumbers) {
  expect_closed_form(*make_target("banana", {{"dimension", {"6"}}}), [](const auto& x) {
    auto f = x[0] * 0;
    for (std::size_t i = 0; i < x.size(); i += 2)
      f += 0.05 * (x[i] - 1) * (x[i] - 1) + 5 * (x[i + 1] - x[i] * x[i]) * (x[i + 1] - x[i] * x[i]);
    return f;
  });
  EXPECT_THAT(
      [] {
        make_target("banana", {{"dimension", {"3"}}});
      },
      ThrowsMessage<ConfigError>(HasSubstr("dimension = 3: must be even for banana")));
}

TEST(StudentT, ClosedFormAgreesWithDualNumbersAndLogZWithTheFormula) {
  const auto energy = make_target("student-t", {{"dimension", {"4"}}, {"degrees", {"2.5"}}});
  expect_closed_form(*energy, [](const auto& x) {
    auto square = x[0] * 0;
    for (const auto& u : x) square += u * u;
    return 3.25 * log(1 + square / 2.5);
  });
  EXPECT_NEAR(*make_target("student-t", {{"dimension", {"1"}}, {"degrees", {"1"}}})->log_z(), std::log(std::numbers::pi), 1e-14);
  // of Cauchy's density the entropy is log(4 pi)
  EXPECT_NEAR(*make_target("student-t", {{"dimension", {"1"}}, {"degrees", {"1"}}})->entropy(), std::log(4 * std::numbers::pi), 1e-13);
  EXPECT_NEAR(*make_target("student-t", {{"dimension", {"3"}}, {"degrees", {"1000000"}}})->log_z(), 1.5 * std::log(2 * std::numbers::pi),
              1e-5);
}

TEST(StudentT, IsFiniteWhereHotChainsRunTo) {
  const HostPoints<float> far("test::far", 1, 10);
  Kokkos::deep_copy(far, 1e11f);
  const auto result = evaluate(*make_target("student-t"), far);
  EXPECT_NEAR(result(0, 0), 7.5 * std::log(1e22 * 10 / 5), 1e-3);
  EXPECT_NEAR(result(0, 1) * 1e11, 15 / 10.0, 1e-5);
}

TEST(Phi4, ClosedFormAgreesWithDualNumbers) {
  expect_closed_form(*make_target("phi4", {{"sites", {"7"}}, {"field", {"0.3"}}}), [](const auto& x) {
    const double a = 0.1, beta = 20, n = 7, h = 0.3;
    auto f = x[0] * x[0] * (beta * a * n / 2);
    for (std::size_t i = 0; i < 7; ++i) {
      const auto after = i < 6 ? x[i + 1] : x[0] * 0, depth = 1 - x[i] * x[i];
      f += beta * (a * n / 2 * (after - x[i]) * (after - x[i]) + depth * depth * (1 / (4 * a * n)) + h / n * x[i]);
    }
    return f;
  });
}

TEST(Phi4, LogZIsThatOfTheTransferMatrix) {
  struct {
    const char *sites, *field;
    double log_z;
  } known[] = {{"16", "0", -33.53802},      {"32", "0", -59.49546},   {"64", "0", -119.87021},   {"100", "0", -196.91222},
               {"16", "0.1", -32.52706},    {"32", "0.1", -58.54119}, {"64", "0.1", -118.94411}, {"100", "0.1", -195.99620},
               {"100", "0.25", -193.66445}, {"100", "1", -181.36233}};
  for (const auto& [sites, field, log_z] : known)
    EXPECT_NEAR(*make_target("phi4", {{"sites", {sites}}, {"field", {field}}})->log_z(), log_z, 1.1e-5) << sites << " sites in " << field;
}

TEST(Phi4, ModesAreMinimaWithTheSharesOfTheMiddleSite) {
  const auto energy = make_target("phi4", {{"sites", {"100"}}, {"field", {"0.25"}}});
  const auto modes = energy->modes();
  ASSERT_EQ(modes.size(), 2u);
  EXPECT_NEAR(std::log(modes[1].weight / modes[0].weight), -7.7917, 2e-3);
  const auto even = make_target("phi4")->modes();
  ASSERT_EQ(even.size(), 2u);
  EXPECT_NEAR(even[0].weight, 0.5, 1e-12);
  for (const auto& mode : modes) {
    const HostPoints<double> center("test::center", 1, 100);
    for (std::size_t d = 0; d < 100; ++d) center(0, d) = mode.center[d];
    const auto result = evaluate(*energy, center);
    for (std::size_t d = 0; d < 100; ++d) EXPECT_NEAR(result(0, 1 + d), 0, 1e-9);
  }
}

TEST(DoubleWell4, ClosedFormAgreesWithDualNumbers) {
  const auto energy = make_target("double-well-4");
  const auto points = typical_points(*energy, 121, 50);
  for (std::size_t n = 0; n < points.extent(0); ++n) {
    std::vector<double> x;
    const HostPoints<double> point("test::point", 1, 8);
    for (std::size_t d = 0; d < 8; ++d) x.push_back(point(0, d) = points(n, d));
    const auto expected = dual_derivatives(
        [](const auto& y) {
          auto f = y[0] * 0, along = f, across = f;
          for (std::size_t i = 0; i < 4; ++i) {
            along += y[2 * i];
            across += y[2 * i + 1];
            for (std::size_t j = 0; j < i; ++j) {
              const auto u = y[2 * i] - y[2 * j], v = y[2 * i + 1] - y[2 * j + 1], s = sqrt(u * u + v * v) - 4;
              f += (0.9 * s * s * s * s - 4 * s * s) / 2;
            }
          }
          return f + (along * along + across * across) / 8;
        },
        x);
    const auto found = evaluate(*energy, point);
    for (std::size_t c = 0; c < 10; ++c)
      EXPECT_NEAR(found(0, c), expected[c], 1e-12 * (1 + std::fabs(expected[0]) + std::fabs(expected[9])));
  }
}

// With the center of mass c integrated out, int exp(-2 |c|^2) dc = pi/2, Z is the integral over the places of three particles around the
// fourth: of the first of them by its distance, of the other two by sums over a lattice in the plane, spacing h. exp(-v) has a width of
// 0.35.
TEST(DoubleWell4, LogZIsThatOfTheSumOverALattice) {
  const double h = 0.3;
  const auto boltzmann = [](double distance) {
    const double square = (distance - 4) * (distance - 4);
    return std::exp(-(0.9 * square * square - 4 * square) / 2);
  };
  const int reach = 26, side = 2 * reach + 1;  // distances up to 7.8
  std::vector<double> pair;                    // by displacement, each coordinate from -2 reach to 2 reach
  for (int i = -2 * reach; i <= 2 * reach; ++i)
    for (int j = -2 * reach; j <= 2 * reach; ++j) pair.push_back(boltzmann(h * std::hypot(i, j)));
  double z = 0;
  for (double r = h / 2; r < 8; r += h) {
    // both of the others feel the one at the origin and the one at (r, 0)
    std::vector<double> weight;
    for (int i = -reach; i <= reach; ++i)
      for (int j = -reach; j <= reach; ++j) weight.push_back(boltzmann(h * std::hypot(i, j)) * boltzmann(std::hypot(h * i - r, h * j)));
    double sum = 0;
    for (int i = 0; i < side; ++i)
      for (int j = 0; j < side; ++j) {
        const double first = weight[static_cast<std::size_t>(i * side + j)];
        if (first < 1e-8) continue;
        for (int k = 0; k < side; ++k) {
          const double* seconds = &weight[static_cast<std::size_t>(k * side)];
          const double* pairs = &pair[static_cast<std::size_t>((k - i + 2 * reach) * (4 * reach + 1) + 2 * reach - j)];
          double row = 0;
          for (int l = 0; l < side; ++l) row += seconds[l] * pairs[l];
          sum += first * row;
        }
      }
    z += 2 * std::numbers::pi * r * boltzmann(r) * sum * h * h * h * h * h;
  }
  EXPECT_NEAR(*make_target("double-well-4")->log_z(), std::log(z * std::numbers::pi / 2), 1e-6);
}

/// f(z) of a likelihood g(x) = -log L under the uniform prior on [lower, upper]^D, coordinate by coordinate.
template <class Scalar, class Function>
Scalar on_uniform_prior(const std::vector<Scalar>& z, double lower, double upper, const Function& g) {
  std::vector<Scalar> x;
  Scalar f(0);
  for (const Scalar& u : z) {
    x.push_back(lower + (upper - lower) * (0.5 + 0.5 * erf(u / std::numbers::sqrt2)));
    f += 0.5 * u * u + 0.5 * std::log(2 * std::numbers::pi);
  }
  return f + g(x);
}

TEST(Shells, ClosedFormAgreesWithDualNumbersAndLogZWithTheTable) {
  expect_closed_form(*make_target("shells", {{"dimension", {"3"}}}), [](const auto& z) {
    return on_uniform_prior(z, -6, 6, [](const auto& x) {
      auto sum = x[0] * 0;
      for (const double center : {-3.5, 3.5}) {
        const auto distance = sqrt((x[0] - center) * (x[0] - center) + x[1] * x[1] + x[2] * x[2]);
        sum += exp((distance - 2) * (distance - 2) * -50) / (0.1 * std::sqrt(2 * std::numbers::pi));
      }
      return -log(sum);
    });
  });
  for (const auto& [dimension, log_z] : {std::pair("2", -1.74564), {"5", -5.67360}, {"10", -14.59049}, {"20", -36.08655}})
    EXPECT_NEAR(*make_target("shells", {{"dimension", {dimension}}})->log_z(), log_z, 6e-6);
}

TEST(LogGamma, ClosedFormAgreesWithDualNumbersAndTheEvidenceIsOne) {
  expect_closed_form(*make_target("log-gamma", {{"dimension", {"6"}}}), [](const auto& z) {
    return on_uniform_prior(z, 0, 1, [](const auto& x) {
      const auto log_gamma = [](const auto& u, double m) { return 30 * exp(30 * (u - m) - exp(30 * (u - m))); };
      const auto normal = [](const auto& u, double m) { return exp((u - m) * (u - m) * -450) * (30 / std::sqrt(2 * std::numbers::pi)); };
      auto g = -log(0.5 * log_gamma(x[0], 1.0 / 3) + 0.5 * log_gamma(x[0], 2.0 / 3));
      g -= log(0.5 * normal(x[1], 1.0 / 3) + 0.5 * normal(x[1], 2.0 / 3));
      return g - log(log_gamma(x[2], 2.0 / 3)) - log(log_gamma(x[3], 2.0 / 3)) - log(normal(x[4], 2.0 / 3)) - log(normal(x[5], 2.0 / 3));
    });
  });
  // but for what is below 0: 1 - exp(-exp(-10)) of half of the first coordinate, 2e-9 of others
  EXPECT_NEAR(*make_target("log-gamma")->log_z(), -0.5 * std::exp(-10.0), 3e-9);
  EXPECT_NEAR(*make_target("log-gamma", {{"dimension", {"10"}}})->log_z(), -0.5 * std::exp(-10.0), 3e-8);
}

TEST(Rosenbrock, ClosedFormAgreesWithDualNumbersAndLogZWithTheTable) {
  expect_closed_form(*make_target("rosenbrock", {{"dimension", {"4"}}}), [](const auto& z) {
    return on_uniform_prior(z, -10, 10, [](const auto& x) {
      auto g = x[0] * 0;
      for (std::size_t i = 0; i + 1 < x.size(); ++i) {
        const auto misfit = x[i + 1] - x[i] * x[i];
        g += 2 * (100 * misfit * misfit + (1 - x[i]) * (1 - x[i]));
      }
      return g;
    });
  });
  for (const auto& [dimension, log_z] : {std::pair("2", -7.84247), {"5", -25.15041}, {"10", -53.93394}})
    EXPECT_NEAR(*make_target("rosenbrock", {{"dimension", {dimension}}})->log_z(), log_z, 6e-6);
}

TEST(Rastrigin, ClosedFormAgreesWithDualNumbersAndLogZWithTheTable) {
  expect_closed_form(*make_target("rastrigin"), [](const auto& z) {
    return on_uniform_prior(z, -5.12, 5.12, [](const auto& x) {
      auto g = x[0] * 0;
      for (const auto& u : x) g += 10 + u * u - 10 * cos(2 * std::numbers::pi * u);
      return g;
    });
  });
  for (const char* dimension : {"1", "2", "10"})
    EXPECT_NEAR(*make_target("rastrigin", {{"dimension", {dimension}}})->log_z(), -3.810866 * std::stoi(dimension), 6e-6);
}

TEST(QuantumRing, ClosedFormAgreesWithDualNumbersAndLogZWithTheTable) {
  expect_closed_form(*make_target("quantum-ring", {{"sites", {"6"}}, {"mass", {"3"}}}), [](const auto& x) {
    const double a = 4.0 / 6, m = 3;
    auto f = x[0] * 0;
    for (std::size_t i = 0; i < 6; ++i) {
      const auto step = x[i] - x[(i + 5) % 6], square = x[i] * x[i];
      f += a * (square * square / 4 - m / 2 * square + m / 2 * step * step / (a * a));
    }
    return f;
  });
  struct {
    const char *sites, *mass;
    double log_z;
  } known[] = {{"16", "6", 23.190235}, {"16", "4.5", 9.765234}, {"16", "3", 1.834442},    {"16", "1.5", 1.050924},
               {"4", "1.5", 3.658154}, {"8", "1.5", 3.666390},  {"64", "1.5", -42.213130}};
  for (const auto& [sites, mass, log_z] : known)
    EXPECT_NEAR(*make_target("quantum-ring", {{"sites", {sites}}, {"mass", {mass}}})->log_z(), log_z, 1e-6)
        << sites << " sites, m = " << mass;
}

TEST(LogisticRegression, ClosedFormAgreesWithDualNumbers) {
  const std::vector<std::vector<double>> data = {{1, 2, 0, 0}, {0, 1, 1, 1}, {2, 0, -1, 1},   {-1, 1, 1, 0}, {0.5, -1, 2, 1},
                                                 {1, 1, 1, 0}, {0, 0, 0, 1}, {1, -1, 0.5, 1}, {-2, 1, 0, 0}, {3, 1, 1, 0}};
  std::vector<std::string> rows;
  for (const auto& row : data) {
    rows.emplace_back();
    for (const double number : row) rows.back() += std::to_string(number) + " ";
  }
  const auto energy =
      make_target("logistic-regression",
                  {{"columns", {"a b c y"}}, {"row", rows}, {"response", {"y"}}, {"standardize", {"no"}}, {"prior-deviation", {"2"}}});
  ASSERT_EQ(energy->dimension(), 4);
  const auto points = typical_points(*energy, 131, 20);
  for (std::size_t n = 0; n < points.extent(0); ++n) {
    std::vector<double> x;
    const HostPoints<double> point("test::point", 1, 4);
    for (std::size_t d = 0; d < 4; ++d) x.push_back(point(0, d) = points(n, d));
    const auto expected = dual_derivatives(
        [&](const auto& c) {
          auto f = c[0] * 0 + 2 * std::log(8 * std::numbers::pi);
          for (const auto& u : c) f += u * u / 8;
          for (const auto& row : data) {
            const auto score = c[0] + row[0] * c[1] + row[1] * c[2] + row[2] * c[3];
            f += log(1 + exp(row[3] == 1 ? -score : score));
          }
          return f;
        },
        x);
    const auto found = evaluate(*energy, point);
    for (std::size_t c = 0; c < 6; ++c) EXPECT_NEAR(found(0, c), expected[c], 1e-12 * (1 + std::fabs(expected[0]))) << "component " << c;
  }
}

TEST(LogisticRegression, ModeOfTheShuttleDataIsThePublishedEstimate) {
  const auto mode = make_target("logistic-regression", {{"prior-deviation", {"0"}}, {"standardize", {"no"}}})->modes().at(0).center;
  EXPECT_NEAR(mode[0], 15.0429, 1e-4);
  EXPECT_NEAR(mode[1], -0.2322, 1e-4);
}

// Of a thousand rows f is some 500 nats, whose rounding hides the last steps of Newton's method.
TEST(LogisticRegression, FindsTheModeOfManyRowsWithoutAPrior) {
  std::vector<std::string> rows;
  for (std::uint64_t n = 0; n < 1000; ++n) {
    CounterRng rng(3, RandomStream::test, 77, n);
    std::ostringstream row;
    row << (rng.uniform() < 0.5) << " 1";
    for (int k = 0; k < 20; ++k) row << ' ' << 5 * rng.uniform();
    rows.push_back(row.str());
  }
  std::ostringstream columns;
  columns << "y one";
  for (int k = 0; k < 20; ++k) columns << " a_long_name_of_feature_" << k;
  const auto energy = make_target("logistic-regression", {{"columns", {columns.str()}},
                                                          {"row", rows},
                                                          {"response", {"y"}},
                                                          {"standardize", {"no"}},
                                                          {"intercept", {"no"}},
                                                          {"prior-deviation", {"0"}}});
  const auto mode = energy->modes().at(0).center;
  const HostPoints<double> point("test::mode", 1, mode.size());
  for (std::size_t k = 0; k < mode.size(); ++k) point(0, k) = mode[k];
  const auto found = evaluate(*energy, point);
  for (std::size_t k = 0; k < mode.size(); ++k) EXPECT_NEAR(found(0, k + 1), 0, 1e-8);
}

TEST(LogisticRegression, IsFiniteWhereProbabilitiesUnderflow) {
  const HostPoints<float> far("test::far", 1, 2);
  far(0, 0) = 1e4f, far(0, 1) = -1e4f;
  const auto result = evaluate(*make_target("logistic-regression"), far);
  for (std::size_t c = 0; c < 4; ++c) EXPECT_TRUE(std::isfinite(result(0, c)));
  EXPECT_GT(result(0, 0), 5e7f);  // of the prior alone 1e8
}

TEST(LogisticRegression, InlinesAFileAsColumnsAndRows) {
  const auto folder = std::filesystem::temp_directory_path();
  const std::string name = "boltzcurve_regression_" + std::to_string(getpid()) + ".csv";
  const std::string long_name = "a_name_that_no_short_string_holds";
  std::ofstream(folder / name) << "y, " + long_name + "\n1,0.5\n\n0,-2e3\n";
  const auto values = find_target("logistic-regression").inline_files({{"data", {name}}, {"response", {"y"}}}, folder);
  std::filesystem::remove(folder / name);
  EXPECT_EQ(values, (Parameters::Values{{"columns", {"y " + long_name}}, {"row", {"1 0.5", "0 -2000"}}, {"response", {"y"}}}));
  EXPECT_EQ(make_target("logistic-regression", values)->dimension(), 2);
}

TEST(DataTable, NamesTheLineThatItCannotRead) {
  const auto refused = [](const std::string& text, const std::string& what) {
    EXPECT_THAT(
        [&] {
          std::istringstream stream(text);
          parse_data_table(stream, "d.csv");
        },
        ThrowsMessage<InputError>(HasSubstr("cannot read d.csv" + what)));
  };
  refused("a,b\n1,2\n3\n", ", line 3: expected 2 numbers, found 1");
  refused("a,b\n1,x\n", ", line 2: column b: 'x' is not a number");
  refused("a,a\n1,2\n", ", line 1: two columns are named a");
  refused("a,\n1,2\n", ", line 1: '' is no name of a column");
  refused("a,b\n", ": expected a header and at least one row");
}

TEST(LogisticRegression, RefusesWhatIsNoRegressionByName) {
  const auto refused = [](const Parameters::Values& values, const std::string& text) {
    EXPECT_THAT([&] { make_target("logistic-regression", values); }, ThrowsMessage<ConfigError>(HasSubstr(text)));
  };
  refused({{"response", {"distres"}}}, "response = distres: there is no such column; did you mean distress?");
  refused({{"response", {"temperature"}}}, "column temperature has 66 in row 1: must be 0 or 1");
  refused({{"standardize", {"perhaps"}}}, "standardize = perhaps: must be yes or no");
  refused({{"columns", {"y x"}}, {"row", {"1 2", "0"}}}, "row 2: has 1 numbers, not one for each of the 2 columns");
  refused({{"row", {"1 2"}}}, "columns: must name the numbers of a row");
  // all responses alike, and a constant feature beside the intercept
  refused({{"columns", {"y x"}}, {"row", {"1 2", "1 3"}}, {"prior-deviation", {"0"}}}, "no finite integral");
  refused({{"columns", {"y x c"}}, {"row", {"1 2 1", "0 3 1", "1 4 1", "0 1 1"}}, {"prior-deviation", {"0"}}}, "no finite integral");
}

TEST(GaussianLatent, IsTheNormalLawOfItsMeanAndScale) {
  const auto energy = make_latent("gaussian", 3, {{"mean", {"1, -2, 0.5"}}, {"scale", {"2"}}});
  const HostPoints<double> point("test::point", 1, 3);
  point(0, 0) = 3, point(0, 1) = -1, point(0, 2) = 0;  // offsets 2, 1, -0.5
  const auto result = evaluate(*energy, point);
  EXPECT_DOUBLE_EQ(result(0, 0), (4 + 1 + 0.25) / 8);
  EXPECT_DOUBLE_EQ(result(0, 1), 0.5);
  EXPECT_DOUBLE_EQ(result(0, 3), -0.125);
  EXPECT_DOUBLE_EQ(result(0, 4), 0.75);
  EXPECT_DOUBLE_EQ(*energy->log_z(), 1.5 * std::log(8 * std::numbers::pi));
  EXPECT_DOUBLE_EQ(*energy->entropy(), 1.5 * std::log(8 * std::numbers::pi * std::numbers::e));
}

TEST(GaussianLatent, OneMeanServesAllCoordinatesAndAnotherNumberOfThemIsRefused) {
  EXPECT_EQ(make_latent("gaussian", 4, {{"mean", {"2"}}})->modes()[0].center, (std::vector<double>{2, 2, 2, 2}));
  EXPECT_THAT(
      [] {
        make_latent("gaussian", 4, {{"mean", {"1 2 3"}}});
      },
      ThrowsMessage<ConfigError>(HasSubstr("mean = 1 2 3: has 3 numbers: must be 1 or 4")));
  EXPECT_THAT([] { make_latent("gaussian", 4, {{"scale", {"0"}}}); }, ThrowsMessage<ConfigError>(HasSubstr("scale = 0: must be between")));
}

TEST(GaussianLatent, DrawsFromTheStreamOfLatentParticles) {
  // particle i of a run is this, whoever draws it
  const auto points = draw(*make_latent("gaussian", 2, {{"mean", {"1 -2"}}, {"scale", {"3"}}}), 5, 40, 8);
  for (std::size_t i = 0; i < 8; ++i) {
    CounterRng rng(5, RandomStream::latent_particles, 0, 40 + i);
    EXPECT_DOUBLE_EQ(points(i, 0), 1 + 3 * rng.normal());
    EXPECT_DOUBLE_EQ(points(i, 1), -2 + 3 * rng.normal());
  }
}

}  // namespace
}  // namespace boltzcurve::test

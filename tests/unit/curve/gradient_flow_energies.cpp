#include "curve/gradient_flow_energies.hpp"
#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/registry.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "support/half_known_energy.hpp"

namespace boltzcurve {
namespace {

constexpr double mean = 0.4, scale = 1.3;

std::unique_ptr<Energy> target() { return make_target("many-well", {{"dimension", {"4"}}}); }

std::unique_ptr<Energy> latent() {
  return make_latent("gaussian", 4, {{"mean", {std::to_string(mean)}}, {"scale", {std::to_string(scale)}}});
}

GradientFlow curve(CurveForm form) {
  GradientFlow flow;
  flow.dimension = 4;
  flow.horizon = 6;
  flow.form = form;
  flow.latent_scale = scale;
  flow.width = 0.2;
  flow.clock_width = 0.1;
  return flow;
}

CurveAnchor anchor() { return {{0.3, -0.2, 1, 0}, {2.0, 1.0, 0.5, 3.0}, -4, {}, {}}; }

struct Rows {
  std::vector<double> base, latent;
};

Rows rows_at(const GradientFlow& flow, double t, const std::vector<double>& x) {
  PointScalars<double> time("test::t", 1);
  Points<double> point("test::x", 1, 4), known("test::known", 1, 12);
  time(0) = t;
  for (std::size_t k = 0; k < 4; ++k) point(0, k) = x[k];
  const auto f_target = target(), f_latent = latent();
  GradientFlowEnergies<double>(flow, anchor(), *f_target, *f_latent).evaluate(time, point, known);
  Rows rows;
  for (std::size_t k = 0; k < 6; ++k) {
    rows.base.push_back(known(0, k));
    rows.latent.push_back(known(0, 6 + k));
  }
  return rows;
}

double value_of(const Energy& energy, const std::vector<double>& x) {
  Points<double> point("test::x", 1, 4), out("test::out", 1, 6);
  for (std::size_t k = 0; k < 4; ++k) point(0, k) = x[k];
  energy.evaluate(point, out);
  return out(0, 0);
}

/// The base b(x, t) from its definition, with the schedule, whose own tests are in scheduled_flow.cpp.
double base_value(const GradientFlow& flow, double t, const std::vector<double>& x) {
  const double variance = scale * scale, added = variance * std::expm1(2 * t / variance), g = flow.factors(t).g;
  if (flow.form == CurveForm::plain) return g * value_of(*target(), x);
  if (flow.form == CurveForm::anchored) return g * value_of(*target(), x) + (1 - g) * value_of(*latent(), x);
  std::vector<double> y(4);
  const auto normal = anchor();
  double of_anchor = normal.offset;
  for (std::size_t k = 0; k < 4; ++k) {
    y[k] = mean + (x[k] - mean) * std::exp(t / variance);
    of_anchor += std::pow(y[k] - normal.mean[k], 2) / (2 * (normal.variance[k] + added));
  }
  return g * value_of(*target(), y) + (1 - g) * of_anchor;
}

// Central differences with step h = 1e-4 have an error of h^2/6 of the third derivative, here below 1e-5 of the sizes involved.
TEST(GradientFlowEnergies, AreTheDerivativesOfTheBase) {
  constexpr double h = 1e-4;
  for (const auto form : {CurveForm::plain, CurveForm::anchored, CurveForm::contracted}) {
    for (const auto& schedule : choices<Schedule>) {
      SCOPED_TRACE(schedule.name);
      auto flow = curve(form);
      flow.schedule = schedule.value;
      for (std::uint64_t i = 0; i < 20; ++i) {
        CounterRng rng(1, RandomStream::test, 0, i);
        const double t = 0.02 + 0.5 * rng.uniform();
        std::vector<double> x(4);
        for (auto& coordinate : x) coordinate = rng.normal();
        const auto rows = rows_at(flow, t, x);
        double laplacian = 0, size = 10;
        for (const double row : rows.base) size += std::abs(row);
        for (std::size_t k = 0; k < 4; ++k) {
          auto ahead = x, behind = x;
          ahead[k] += h;
          behind[k] -= h;
          EXPECT_NEAR(rows.base[k + 1], (base_value(flow, t, ahead) - base_value(flow, t, behind)) / (2 * h), 1e-5 * size);
          laplacian += (rows_at(flow, t, ahead).base[k + 1] - rows_at(flow, t, behind).base[k + 1]) / (2 * h);
        }
        EXPECT_NEAR(rows.base[5], laplacian, 1e-5 * size);
        EXPECT_NEAR(rows.base[0], (base_value(flow, t + h, x) - base_value(flow, t - h, x)) / (2 * h), 1e-5 * size);
      }
    }
  }
}

// f~ = L + S log(1 + (f - L)/S) above L: derivatives of the tamed base against differences of the same formula, where f_D is above L.
TEST(GradientFlowEnergies, TameTheWallsOfTheTarget) {
  constexpr double h = 1e-4, t = 0.05;
  auto flow = curve(CurveForm::contracted);
  auto tamed = anchor();
  tamed.taming.level = 5;
  tamed.taming.scale = 20;
  const auto f_target = target(), f_latent = latent();
  const auto rows_of = [&](double time, const std::vector<double>& x) {
    PointScalars<double> at("test::t", 1);
    Points<double> point("test::x", 1, 4), known("test::known", 1, 12);
    at(0) = time;
    for (std::size_t k = 0; k < 4; ++k) point(0, k) = x[k];
    GradientFlowEnergies<double>(flow, tamed, *f_target, *f_latent).evaluate(at, point, known);
    return std::vector<double>{known(0, 0), known(0, 1), known(0, 2), known(0, 3), known(0, 4), known(0, 5)};
  };
  const auto value = [&](double time, std::vector<double> x) {
    const double g = flow.factors(time).g;
    const double whole = base_value(flow, time, x);
    for (auto& coordinate : x) coordinate = mean + (coordinate - mean) * std::exp(time / (scale * scale));
    const double f = value_of(*f_target, x);
    return whole + g * (f > tamed.taming.level
                            ? tamed.taming.level + tamed.taming.scale * std::log(1 + (f - tamed.taming.level) / tamed.taming.scale) - f
                            : 0);
  };
  for (const std::vector<double>& x : {std::vector<double>{2.9, 1, -2.8, 0.5}, {-3.2, 0, 2.5, -1}, {1.7, 0, 1.7, 0}}) {
    const auto rows = rows_of(t, x);
    double laplacian = 0, size = 10;
    for (const double row : rows) size += std::abs(row);
    for (std::size_t k = 0; k < 4; ++k) {
      auto ahead = x, behind = x;
      ahead[k] += h;
      behind[k] -= h;
      EXPECT_NEAR(rows[k + 1], (value(t, ahead) - value(t, behind)) / (2 * h), 1e-5 * size);
      laplacian += (rows_of(t, ahead)[k + 1] - rows_of(t, behind)[k + 1]) / (2 * h);
    }
    EXPECT_NEAR(rows[5], laplacian, 1e-5 * size);
    EXPECT_NEAR(rows[0], (value(t + h, x) - value(t - h, x)) / (2 * h), 1e-5 * size);
  }
}

// v = 1.69 (exp(2 t / 1.69) - 1) is 1.3e3 at t = 5.6, so g = (1 + v/0.2)^-3 is 3e-12, and what is left is the normal law.
TEST(GradientFlowEnergies, LeaveTheTargetOutWhereItsWeightIsNothing) {
  const auto flow = curve(CurveForm::contracted);
  EXPECT_LT(flow.factors(5.6).g, 1e-9);
  const double infinity = std::numeric_limits<double>::infinity();
  const auto far = rows_at(flow, 5.6, {1e60, -1, 3, 4});  // f_D(y) would be 1e250 and more
  for (const double row : far.base) EXPECT_LT(std::abs(row), infinity);
  const double added = 1.69 * std::expm1(2 * 5.6 / 1.69), inverse_alpha = std::exp(5.6 / 1.69);
  EXPECT_NEAR(rows_at(flow, 5.6, {1, -1, 3, 4}).base[2], inverse_alpha * (mean + (-1 - mean) * inverse_alpha + 0.2) / (1 + added), 1e-8);
}

/// All rows of one point in float, of a target that is half known.
std::vector<float> rows_of_half_known(const GradientFlow& flow, GradientFlowRows kind, double variance, double t, double first) {
  const auto f_target = testing_support::half_known(4, variance), f_latent = latent();
  GradientFlowEnergies<float> energies(flow, anchor(), *f_target, *f_latent, kind);
  PointScalars<float> time("test::t", 1);
  Points<float> point("test::x", 1, 4), known("test::known", 1, static_cast<std::size_t>(energies.rows()));
  time(0) = static_cast<float>(t);
  point(0, 0) = static_cast<float>(first);
  energies.evaluate(time, point, known);
  std::vector<float> rows(known.extent(1));
  for (std::size_t k = 0; k < rows.size(); ++k) rows[k] = known(0, k);
  return rows;
}

int not_finite(const std::vector<float>& rows) {
  return static_cast<int>(std::count_if(rows.begin(), rows.end(), [](float row) { return !std::isfinite(row); }));
}

TEST(GradientFlowEnergies, AreNotKnownWhereTheTargetsIsNot) {
  for (const auto form : {CurveForm::plain, CurveForm::anchored, CurveForm::contracted}) {
    for (const auto kind : {GradientFlowRows::mixed, GradientFlowRows::apart}) {
      auto flow = curve(form);
      if (kind == GradientFlowRows::apart) flow.schedule = Schedule::learned;
      EXPECT_EQ(not_finite(rows_of_half_known(flow, kind, 1, 0.3, 0.7)), 0);
      EXPECT_GT(not_finite(rows_of_half_known(flow, kind, 1, 0.3, 1.2)), 0);
    }
  }
  // The contracted form asks at y = 0.4 + (x - 0.4) exp(t/1.69), beyond 1 from x = 0.732 on where t = 1, and not at all where g is nothing.
  const auto flow = curve(CurveForm::contracted);
  EXPECT_EQ(not_finite(rows_of_half_known(flow, GradientFlowRows::mixed, 1, 1, 0.73)), 0);
  EXPECT_GT(not_finite(rows_of_half_known(flow, GradientFlowRows::mixed, 1, 1, 0.735)), 0);
  EXPECT_EQ(not_finite(rows_of_half_known(flow, GradientFlowRows::mixed, 1, 5.6, 2)), 0);
}

TEST(GradientFlowEnergies, StayFiniteWhereTheTargetOverflows) {
  for (const double first : {-1e6, -1e-1})  // f_D = 5e41, and 5e27 with a square of the slope that overflows
    EXPECT_EQ(not_finite(rows_of_half_known(curve(CurveForm::contracted), GradientFlowRows::mixed, 1e-30, 0.3, first)), 0) << first;
}

TEST(GradientFlowEnergies, TellWhereTheyAskForTheTarget) {
  const auto f_target = target(), f_latent = latent();
  const std::vector<double> x = {1.7, -0.3, 0.4, 2};
  const auto asked_at = [&](CurveForm form) {
    auto y = x;
    GradientFlowEnergies<double>(curve(form), anchor(), *f_target, *f_latent).to_target(0.5, y);
    return y;
  };
  EXPECT_EQ(asked_at(CurveForm::anchored), x);
  const auto y = asked_at(CurveForm::contracted);
  for (std::size_t k = 0; k < 4; ++k) EXPECT_NEAR(y[k], mean + (x[k] - mean) * std::exp(0.5 / (scale * scale)), 1e-14);
}

// Time and clock are each other's inverse, and time_per_clock is the derivative of one by the other.
TEST(CurveClock, CanBeReadBothWaysAndKnowsItsRate) {
  for (const auto& clock : choices<CurveClock>) {
    SCOPED_TRACE(clock.name);
    auto flow = curve(CurveForm::contracted);
    flow.clock = clock.value;
    EXPECT_NEAR(flow.time_at(0.0), 0, 1e-15);
    EXPECT_NEAR(flow.time_at(1.0), flow.horizon, 1e-12);
    for (const double s : {0.01, 0.1, 0.3, 0.5, 0.9, 0.99}) {
      const double t = flow.time_at(s), h = 1e-6;
      EXPECT_NEAR(flow.clock_at(t).clock, s, 1e-12);
      const double derivative = (flow.time_at(s + h) - flow.time_at(s - h)) / (2 * h);
      EXPECT_NEAR(flow.clock_at(t).time_per_clock, derivative, 1e-7 * derivative);
      EXPECT_NEAR(flow.clock_at(Pack<float>(static_cast<float>(t))).clock[0], s, 2e-5);
    }
  }
}

}  // namespace
}  // namespace boltzcurve

// The densities f_t of all curves: gradients against differences of values in double, and what they have to be at the ends and beside the
// velocity.
#include "sampling/path_energy.hpp"
#include <boltzcurve/error.hpp>
#include <boltzcurve/model.hpp>
#include <boltzcurve/sampling.hpp>
#include "curve/curve.hpp"
#include "ode/velocity_field.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace boltzcurve {
namespace {

const Communicator& self() {
  static const Communicator one(MPI_COMM_SELF);
  return one;
}

/// With networks that are anything but small.
Model model_of(CurveName name, CurveForm form, Schedule schedule = Schedule::diffusion) {
  ModelSettings settings;
  settings.target_name = "gaussian-mixture";
  settings.target_values = {{"mode", {"0.4 | 1 -1 | 0.5", "0.6 | -1 0.5 | 0.8"}}};
  settings.curve.name = name;
  settings.curve.form = form;
  settings.curve.schedule = schedule;
  settings.network.width = 16;
  settings.collocation.points = 256;
  settings.pilot.particles = 1024;
  settings.precision = Precision::double_precision;
  Model model = build_model(self(), settings);
  for (std::size_t i = 0; i < model.parameters.size(); ++i) model.parameters[i] += 0.1 * std::sin(static_cast<double>(i));
  return model;
}

std::vector<double> energies_at(const PathDensity& density, double t, const std::vector<double>& x) {
  const Points<double> points("test::points", 1, 2), out("test::out", 1, 3);
  const auto host = Kokkos::create_mirror_view(points);
  for (std::size_t k = 0; k < 2; ++k) host(0, k) = x[k];
  Kokkos::deep_copy(points, host);
  density.evaluate(t, points, out);
  const auto found = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out);
  return {found(0, 0), found(0, 1), found(0, 2)};
}

struct Case {
  const char* name;
  CurveName curve;
  CurveForm form;
};
class PathDensities : public testing::TestWithParam<Case> {};

TEST_P(PathDensities, HaveTheGradientOfTheirValue) {
  const Model model = model_of(GetParam().curve, GetParam().form);
  const Flow flow = flow_of(model, model.parameters);
  ASSERT_TRUE(flow.density);
  constexpr double h = 1e-4;
  for (const double clock : {1.0, 0.6, 0.2, 0.0}) {
    const double t = flow.density->time_at(clock);
    const std::vector<double> x = {0.3, -0.2};
    const auto at = energies_at(*flow.density, t, x);
    for (std::size_t k = 0; k < 2; ++k) {
      auto after = x, before = x;
      after[k] += h;
      before[k] -= h;
      const double slope = (energies_at(*flow.density, t, after)[0] - energies_at(*flow.density, t, before)[0]) / (2 * h);
      EXPECT_NEAR(at[k + 1], slope, 1e-5 * (1 + std::fabs(slope))) << "clock " << clock << ", coordinate " << k;
    }
  }
}

TEST_P(PathDensities, FitVelocityAndEnds) {
  const Model model = model_of(GetParam().curve, GetParam().form);
  const Flow flow = flow_of(model, model.parameters);
  const std::vector<double> x = {0.4, 0.1};
  if (GetParam().curve == CurveName::gradient_flow) {  // v = grad(f_t - f_Z)
    const double t = flow.density->time_at(0.5);
    const auto at = energies_at(*flow.density, t, x);
    const PointScalars<double> time("test::t", 1), divergence("test::divergence", 1);
    const Points<double> point("test::x", 1, 2), velocity("test::v", 1, 2), latent("test::latent", 1, 3);
    Kokkos::deep_copy(time, t);
    const auto host = Kokkos::create_mirror_view(point);
    for (std::size_t k = 0; k < 2; ++k) host(0, k) = x[k];
    Kokkos::deep_copy(point, host);
    flow.velocity->evaluate(time, point, velocity, divergence);
    flow.latent.evaluate(point, latent, Wanted::gradient);
    const auto v = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), velocity);
    const auto f = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), latent);
    for (std::size_t k = 0; k < 2; ++k) EXPECT_NEAR(at[k + 1] - f(0, k + 1), v(0, k), 1e-10);
  } else {  // f_Z and f_D
    EXPECT_NEAR(energies_at(*flow.density, flow.latent_time, x)[0], energies_of(flow.latent, x)[0], 1e-12);
    EXPECT_NEAR(energies_at(*flow.density, flow.target_time, x)[0], energies_of(flow.target, x)[0], 1e-12);
  }
}

INSTANTIATE_TEST_SUITE_P(Curves, PathDensities,
                         testing::Values(Case{"network", CurveName::gradient_flow, CurveForm::network},
                                         Case{"contracted", CurveName::gradient_flow, CurveForm::contracted},
                                         Case{"anchored", CurveName::gradient_flow, CurveForm::anchored},
                                         Case{"plain", CurveName::gradient_flow, CurveForm::plain},
                                         Case{"linear", CurveName::linear, CurveForm::automatic},
                                         Case{"learned", CurveName::learned, CurveForm::automatic}),
                         [](const auto& of) { return std::string(of.param.name); });

TEST(PathDensity, IsUnknownWithAScheduleThatIsLearned) {
  const Model model = model_of(CurveName::gradient_flow, CurveForm::contracted, Schedule::learned);
  const Flow flow = flow_of(model, model.parameters);
  EXPECT_FALSE(flow.density);
  SamplingSettings settings;
  settings.legs = 2;
  EXPECT_THROW(Sampler(self(), flow, settings, 1), SettingError);
  settings.legs = 0;
  EXPECT_EQ(Sampler(self(), flow, settings, 1).draw(64).size(), 64u);
}

TEST(PathEnergy, LeadsFromThePathToTheTarget) {
  const Model model = model_of(CurveName::gradient_flow, CurveForm::network);
  const Flow flow = flow_of(model, model.parameters);
  const std::vector<double> x = {0.4, 0.1};
  const double end = energies_at(*flow.density, 0, x)[0], target = energies_of(flow.target, x)[0];
  for (const double b : {0.0, 0.3, 1.0})
    EXPECT_NEAR(energies_of(PathEnergy(flow.density.get(), flow.target, 0, b), x)[0], (1 - b) * end + b * target, 1e-12);
}

}  // namespace
}  // namespace boltzcurve

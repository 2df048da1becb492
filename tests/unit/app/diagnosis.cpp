// Every signature of failure, provoked by particles that have it, and none by particles that have none.
#include "app/commands/diagnosis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <utility>

namespace boltzcurve {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr std::int64_t count = 200;

std::unique_ptr<Curve> linear_curve() {
  CurveInput input;
  input.curve.name = CurveName::linear;
  input.curve.clock = CurveClock::linear;  // t = 1 - s
  input.ends.latent_mean = {0};
  input.ends.latent_deviation = {1};
  input.ends.pilot.mean = {0};
  input.ends.pilot.deviation = {3};
  return make_curve(input);
}

/// Particles on the line, half at -3 and half at 3, where the two modes are, with equal weights; they come from N(0, 1).
struct Case {
  Particles particles = room_for_particles({0, count}, 1);
  MetricInput metrics{Communicator(MPI_COMM_SELF), particles};
  TimeBins bins;
  CurveName curve_name = CurveName::linear;
  Moments latent{{0}, {1}};
  double mode_width = 1;

  Case() {
    for (std::size_t i = 0; i < count; ++i) particles.position[i] = i % 2 == 0 ? -3 : 3;
    particles.energy.assign(count, 1);
    particles.action.assign(count, 9);
    particles.time.assign(count, 1);
    particles.evaluations.assign(count, 20);
    metrics.modes = {{0.5, {-3}}, {0.5, {3}}};
  }

  Diagnosis findings() {
    const auto evaluation = evaluate_metrics(metrics);
    const auto curve = linear_curve();
    return diagnose({metrics, evaluation, curve_name, *curve, {}, latent, mode_width, bins});
  }
  std::vector<std::string> diagnosis() { return findings().texts; }
};

const auto sound = ElementsAre(StartsWith("nothing is wrong that shows; checked: "));

// A clean bill of health says what it rests on; weights alone cannot see a mode that no particle has found.
TEST(Diagnosis, OfGoodParticlesSaysWhatWasChecked) {
  Case good;
  EXPECT_THAT(good.findings().findings, IsEmpty());
  EXPECT_THAT(good.diagnosis(),
              ElementsAre("nothing is wrong that shows; checked: weights (ESS 1 of 200) alone, in which lost modes cannot "
                          "be seen"));
  good.metrics.log_z = -1 + 2e-3;  // two of the floor of 1e-3
  PilotSummary pilot;
  pilot.evaluations = 1;
  pilot.log_z = -1;
  const CurvePopulation population{1, {-3, 3, -3, 3, -3, 3, -3, 3}, std::vector<double>(8, 0.0), {}};
  good.metrics.pilot = &pilot;
  good.metrics.population = &population;
  good.metrics.population_log_weight = {0, 0};
  EXPECT_THAT(
      good.diagnosis(),
      ElementsAre("nothing is wrong that shows; checked: weights (ESS 1 of 200), the pilot's population (forward ESS 1 of 2, largest "
                  "z-score 0 of 3), what is known of the target (largest z-score 2 of 1)"));
}

TEST(Diagnosis, ComparesParticlesWithPopulationAndWithWhatIsKnown) {
  Case bad;
  PilotSummary pilot;
  pilot.evaluations = 1;
  pilot.log_z = -1 + 0.2;
  pilot.log_z_stderr = 0.01;
  pilot.disagreement = 5.5;
  const CurvePopulation population{1, {-3, 3, -3, 3, -3, 3, -3, 3}, std::vector<double>(8, 0.0), {}};
  bad.metrics.pilot = &pilot;
  bad.metrics.population = &population;
  bad.metrics.population_log_weight = {0, std::nan("")};
  bad.metrics.log_z = -1 + 0.2;
  const auto found = bad.findings();
  EXPECT_THAT(found.findings,
              ElementsAre(Finding::stray_samples, Finding::pilot_disagrees, Finding::particles_disagree, Finding::known_disagrees));
  EXPECT_THAT(found.texts, ElementsAre(HasSubstr("1 of 2 points of the pilot's population do not come back to the latent law, which leaves "
                                                 "ess_forward_pilot unknown; the first is at x = (-3)."),
                                       HasSubstr("differ by 5.5 standard errors"),
                                       HasSubstr("differ by up to 19.9 standard errors (3 compared), most in log Z"),
                                       HasSubstr("by up to 200 standard errors (1 compared), most in log Z")));
  bad.metrics.population_log_weight = {0, 12};
  EXPECT_THAT(bad.findings().findings.front(), Finding::lost_modes);
  EXPECT_THAT(bad.diagnosis().front(), HasSubstr("modes are lost: points of the pilot's population show a forward ESS of 2.5e-05 where"));
}

TEST(Diagnosis, SaysWhereTooFewParticlesAreEffective) {
  Case bad;
  bad.particles.log_density[0] = -std::log(1000.0);  // ESS N = 1199^2/1000199
  const auto found = bad.findings();
  EXPECT_THAT(found.findings, ElementsAre(Finding::too_few_effective));
  EXPECT_THAT(found.texts, ElementsAre(HasSubstr("the particles are worth 1.4 of 200")));
}

TEST(Diagnosis, SaysHowManyParticlesFailedHowWhenAndWhere) {
  Case bad;
  for (const std::size_t i : {40, 41, 90}) {
    bad.particles.status[i] = i == 90 ? ParticleStatus::escaped : ParticleStatus::nonfinite;
    bad.particles.time[i] = 0.01 * static_cast<double>(i);
    bad.particles.energy[i] = i == 41 ? 2 : 801;
    bad.particles.position[i] = 77;
  }
  EXPECT_THAT(bad.diagnosis(),
              ElementsAre(AllOf(
                  HasSubstr("3 of 200 particles failed (nonfinite 2, escaped 1), between t = 0.4 and 0.9; the first, number 40, was "
                            "last at x = (77), t = 0.4. 2 of them were where the target's energy is 26 nats or more above the lowest"),
                  HasSubstr("latent.scale"), Not(HasSubstr("max-steps")))));
  // From a file of an earlier version, which does not hold times; an energy that is no number is high.
  bad.particles.time.assign(count, std::numeric_limits<double>::quiet_NaN());
  bad.particles.energy[41] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(bad.diagnosis(), ElementsAre(HasSubstr("(nonfinite 2, escaped 1); the first, number 40, was last at x = (77). 3 of them")));
}

TEST(Diagnosis, DoesNotBlameLowDensityWhereItIsNotLow) {
  Case bad;
  bad.particles.status[199] = ParticleStatus::max_steps;
  EXPECT_THAT(bad.diagnosis(),
              ElementsAre(AllOf(HasSubstr("1 of 200 particles failed (max_steps 1), between t = 1 and 1; the first, number "
                                          "199, was last at x = (3), t = 1. Velocities that steps cannot follow"),
                                HasSubstr("sampling.max-steps"), Not(HasSubstr("energy")))));
}

TEST(Diagnosis, NamesALostModeByItsParticles) {
  Case bad;
  for (std::size_t i = 0; i < count; ++i) bad.particles.position[i] = i < 5 ? -3 : 3;
  EXPECT_THAT(bad.diagnosis(),
              ElementsAre(AllOf(HasSubstr("modes are lost: 1 of 2 modes have less than a fifth of their particles, the one at (-3) a share "
                                          "of 0.025 where 0.5 belongs"),
                                HasSubstr("the linear curve's velocity explodes"), HasSubstr("curve.name = learned"))));
  bad.curve_name = CurveName::learned;
  EXPECT_THAT(bad.diagnosis(), ElementsAre(AllOf(HasSubstr("modes are lost"), HasSubstr("latent.scale"), Not(HasSubstr("explodes")),
                                                 Not(HasSubstr("curve.name")))));
  // Half of the particles having failed where they belong is no lost mode, and neither is a mode of which hardly any are expected.
  bad.metrics.modes = {{0.1, {-3}}, {0.9, {3}}};
  EXPECT_THAT(bad.diagnosis(), sound);
}

// Nearest centers say nothing of two modes at one place, of which the first gets all: exact samples show the same.
TEST(Diagnosis, TakesModesAtOnePlaceForNoLostOnes) {
  Case good;
  good.metrics.modes = {{0.5, {3}}, {0.5, {3}}};
  EXPECT_THAT(good.diagnosis(), Contains(HasSubstr("modes are lost")));
  const HostPoints<double> exact("test::exact", 50, 1);
  for (std::size_t i = 0; i < 50; ++i) exact(i, 0) = i % 2 == 0 ? 3 : -3;
  good.metrics.exact_again = exact;
  EXPECT_THAT(good.diagnosis(), Not(Contains(HasSubstr("modes are lost"))));
}

TEST(Diagnosis, SeesALostModeInTheWeightsOfExactSamples) {
  Case bad;
  bad.metrics.modes.clear();
  bad.metrics.exact_log_weight = {0, 0, 0, 12};  // forward ESS 1/(mean w mean 1/w) = 16/((3 + e^12)(3 + e^-12))
  EXPECT_THAT(bad.diagnosis(), ElementsAre(HasSubstr("modes are lost: exact samples show a forward ESS of 3.3e-05 where the particles, "
                                                     "which cannot see what none of them reached, show 1.")));
}

// One point of four hundred in a far tail is no lost mode, four are: more than half a percent.
TEST(Diagnosis, TellsAThinTailFromALostMode) {
  Case bad;
  bad.metrics.modes.clear();
  bad.metrics.exact_log_weight.assign(400, 0.0);
  bad.metrics.exact_log_weight[7] = 100;
  EXPECT_THAT(bad.findings().findings, ElementsAre(Finding::thin_tail));
  EXPECT_THAT(bad.diagnosis(), ElementsAre(HasSubstr("up to 2 of 400 exact samples lie where the flow has hardly any density: they show a "
                                                     "forward ESS of 1.5e-41, the others 1.")));
  for (const std::size_t i : {100u, 200u, 300u}) bad.metrics.exact_log_weight[i] = 100;
  EXPECT_THAT(bad.findings().findings, ElementsAre(Finding::lost_modes));
}

TEST(Diagnosis, SaysHowManyExactSamplesTheFlowDoesNotCarryBack) {
  Case bad;
  const HostPoints<double> exact("test::exact", 4, 1);
  exact(2, 0) = 5.5;
  bad.metrics.exact = exact;
  bad.metrics.exact_log_weight = {0, 0, std::nan(""), std::nan("")};
  EXPECT_THAT(bad.diagnosis(), ElementsAre(HasSubstr("2 of 4 exact samples of the target do not come back to the latent law, which leaves "
                                                     "ess_forward and eubo unknown; the first is at x = (5.5).")));
}

// Straight paths between independent ends need E|x - z|^2 = 9 + 1 here.
TEST(Diagnosis, NamesAnExplodingVelocity) {
  Case bad;
  bad.particles.action.assign(count, 5000);
  EXPECT_THAT(bad.diagnosis(), ElementsAre(AllOf(HasSubstr("the velocity explodes: its action, 5e+03, is 500 times what is needed"),
                                                 HasSubstr("curve.name = learned or gradient-flow"))));
  bad.particles.action.assign(count, 99);
  EXPECT_THAT(bad.diagnosis(), sound);
  // The linear curve contracts N(0, 8^2) to N(0, 1) early: the integral of (d/dt)^2 of (1/64 + 63 t/64)^-1/2 is 504, by the bound 512.
  bad.latent.deviation = {8};
  for (const auto& [action, explodes] : {std::pair(5000.0, false), std::pair(5200.0, true)}) {
    bad.particles.action.assign(count, action);
    EXPECT_EQ(bad.diagnosis().front().starts_with("the velocity explodes"), explodes) << action;
  }
  bad.curve_name = CurveName::gradient_flow;  // which takes its time, and needs E|x - z|^2 = 9 + 64
  bad.particles.action.assign(count, 740);
  EXPECT_THAT(bad.diagnosis(), ElementsAre(HasSubstr("10.1 times")));
}

TEST(Diagnosis, SaysAtWhichTimesTheResidualHasNotConverged) {
  Case bad;
  bad.particles.log_density[0] = -std::log(60.0);  // one weight of 60: ESS 259^2/(200 3799) = 0.088
  bad.bins.size.fill(0.5);
  for (const std::size_t b : {4, 5}) bad.bins.size[b] = 16.25;  // 47.5 in all: two bins hold most
  EXPECT_THAT(bad.diagnosis(),
              ElementsAre(AllOf(
                  HasSubstr("the residual has not converged: its size at the points of training adds up to 1.5 nats along the curve,"),
                  HasSubstr("half of them between t = 0.812 and 0.875, 6 % of the clock"))));
  bad.bins = {};
  EXPECT_THAT(bad.diagnosis(), ElementsAre(HasSubstr("ESS is 0.088, and no known sign tells why")));
}

TEST(Diagnosis, IsSilentAboutResidualsThatDoNoHarm) {
  Case good;
  good.bins.size.fill(5);
  EXPECT_THAT(good.diagnosis(), sound);
}

}  // namespace
}  // namespace boltzcurve

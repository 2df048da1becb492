#include "metrics/evaluation.hpp"
#include <boltzcurve/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace boltzcurve {
namespace {

// Four particles on the line, one of which escaped.
Particles four_particles() {
  auto particles = room_for_particles({0, 4}, 1);
  particles.position = {-1, 1, 77, 1.5};
  particles.energy = {-std::log(4.0), -std::log(2.0), -700, -std::log(2.0)};
  particles.action = {1, 2, 1e300, 6};
  particles.status[2] = ParticleStatus::escaped;
  particles.evaluations = {20, 26, 8, 30};
  return particles;
}

const PilotSummary& pilot() {
  static const PilotSummary summary = [] {
    PilotSummary found;
    found.log_z = 0.5;
    found.log_z_stderr = 0.125;
    found.evaluations = 40;
    return found;
  }();
  return summary;
}

// Of a target with two modes of weight 1/2 at -1 and 1.
MetricInput input_for(const Particles& particles) {
  MetricInput input(Communicator(MPI_COMM_SELF), particles);
  const HostPoints<double> exact("test::exact", 2, 1), again("test::again", 2, 1);
  exact(0, 0) = -1;
  exact(1, 0) = 1;
  again(0, 0) = -1;
  again(1, 0) = 2;
  input.exact = exact;
  input.exact_again = again;
  input.exact_log_weight = {0.5, 0.5};
  static const CurvePopulation population{1, {-1, 1, -1, 1}, {0, 0, 0, 0}, {}};
  input.pilot = &pilot();
  input.population = &population;
  input.population_log_weight = {0.25, 0.25};
  input.target_values = 12;
  input.target_gradients = 40;
  input.log_z = 0.25;
  input.log_z_thermodynamic = 0.125;
  input.entropy = 1.25;
  input.modes = {{0.5, {-1}}, {0.5, {1}}};
  input.seconds_sample = 2;
  return input;
}

std::vector<EvaluatedMetric> evaluation_of_four() {
  const auto particles = four_particles();
  return evaluate_metrics(input_for(particles));
}

TEST(Evaluation, KeysStandInTheOrderOfTheFile) {
  std::vector<std::string> keys;
  for (const auto& entry : metric_entries())
    if (entry.audience == Audience::file_and_terminal) keys.push_back(entry.key);
  EXPECT_THAT(keys, testing::ElementsAre("particles", "ess", "lineage_ess", "ess_forward", "ess_forward_pilot", "log_z", "log_z_stderr",
                                         "log_z_stderr_islands", "log_z_pilot", "log_z_pilot_stderr", "log_z_exact", "log_z_thermodynamic",
                                         "elbo", "eubo", "nll", "nll_median", "nll_floor", "energy_distance", "energy_distance_floor",
                                         "sliced_w2", "disagreement", "disagreement_known", "action", "evaluations_per_particle", "escaped",
                                         "nonfinite", "step_underflow", "max_steps", "target_values", "target_gradients", "seconds_train",
                                         "seconds_sample", "ranks"));
}

TEST(Evaluation, EveryMetricComesOutAsByHand) {
  const auto evaluation = evaluation_of_four();
  ASSERT_EQ(evaluation.size(), metric_entries().size());
  const std::pair<const char*, double> expected[] = {
      {"particles", 4},
      {"ess", 64. / (4 * 24)},  // weights 4, 2, 0, 2
      {"lineage_ess", 64. / (4 * 24)},
      {"ess_forward", 1},
      {"log_z", std::log(2.0)},
      {"ess_forward_pilot", 1},
      {"log_z_pilot", 0.5},
      {"log_z_pilot_stderr", 0.125},
      {"log_z_exact", 0.25},
      {"log_z_thermodynamic", 0.125},
      {"elbo", std::log(0.75) + std::log(16.0) / 3},
      {"eubo", 0.5},
      {"nll", 0.25 - std::log(16.0) / 3},
      {"nll_median", 0.25 - std::log(2.0)},
      {"nll_floor", 1.25},
      // Of {-1, 1, 1.5} from {-1, 1}: between 2+0+2.5 and 0+2+0.5 over 6, within 2(2+2.5+0.5)/9 and 2(2)/4, halved.
      {"energy_distance", 7. / 6 - 5. / 9 - 0.5},
      {"energy_distance_unbiased", 7. / 6 - 5. / 6 - 1},
      {"energy_distance_floor", 1.5 - 0.75 - 0.5},  // of {-1, 2}: between 0+2+3+1 over 4
      // Quantiles: -1 for 1/3, then 1 against -1 for 1/6, 1 against 1 for 1/6, 1.5 against 1 for 1/3.
      {"sliced_w2", std::sqrt(4. / 6 + 0.25 / 3)},
      {"mode_weight_error", 0.25},          // shares 1/4 and 2/4
      {"mode_weight_error_relative", 0.5},  // (1/4)/(1/2)
      {"mode_weight_error_reweighted", 0},  // 4/8 and 4/8
      {"action", 3},
      {"evaluations_per_particle", 21},
      {"escaped", 1},
      {"nonfinite", 0},
      {"step_underflow", 0},
      {"max_steps", 0},
      {"target_values", 12},
      {"target_gradients", 40},
      {"seconds_sample", 2},
      {"ranks", 1}};
  for (const auto& [key, value] : expected) {
    const auto found = value_of(evaluation, key);
    ASSERT_TRUE(found) << key;
    EXPECT_NEAR(*found, value, 1e-14) << key;
  }
  // Of four particles there is too little to tell errors by.
  const auto unknown = {"seconds_train", "log_z_stderr", "log_z_stderr_islands", "disagreement", "disagreement_known"};
  for (const auto* key : unknown) EXPECT_FALSE(value_of(evaluation, key)) << key;

  const std::pair<const char*, double> standard_errors[] = {
      // influences 2 w/2 - w^2/6 - 1 of the weights 4, 2, 0, 2: 1/3, 1/3, -1, 1/3
      {"ess", 64. / (4 * 24) * std::sqrt(12. / 9 / 3 / 4)},
      {"ess_forward", 0},
      {"ess_forward_pilot", 0},
      {"log_z_pilot", 0.125},
      {"elbo", std::log(2.0) * std::sqrt(6. / 9 / 2 / 3)},  // logs 2, 1, 1 in units of log 2: squares 4/9 + 1/9 + 1/9
      {"eubo", 0},
      {"nll", std::log(2.0) * std::sqrt(6. / 9 / 2 / 3)},
      {"action", std::sqrt(14. / 2 / 3)},                    // 1, 2, 6
      {"evaluations_per_particle", std::sqrt(276. / 3 / 4)}  // 20, 26, 8, 30
  };
  for (const auto& [key, value] : standard_errors) {
    const auto found = std::find_if(evaluation.begin(), evaluation.end(), [&](const auto& metric) { return metric.entry->key == key; });
    ASSERT_TRUE(found->standard_error) << key;
    EXPECT_NEAR(*found->standard_error, value, 1e-14) << key;
  }
  EXPECT_EQ(std::count_if(evaluation.begin(), evaluation.end(), [](const auto& metric) { return metric.standard_error.has_value(); }),
            std::ssize(standard_errors));
  EXPECT_EQ(std::size(expected) + unknown.size(), metric_entries().size());  // none forgotten here
}

TEST(Evaluation, WhatCannotBeKnownHasNoValue) {
  auto particles = four_particles();
  particles.status.assign(4, ParticleStatus::nonfinite);
  auto input = input_for(particles);
  input.exact = HostPoints<double>("test::none", 0, 1);
  input.exact_again = input.exact;
  input.exact_log_weight.clear();
  input.log_z.reset();
  input.modes.clear();
  input.pilot = nullptr;
  input.population_log_weight.clear();
  const auto evaluation = evaluate_metrics(input);
  EXPECT_EQ(value_of(evaluation, "nonfinite"), 4);
  EXPECT_EQ(value_of(evaluation, "ess"), 0);
  for (const auto* key : {"ess_forward", "log_z", "log_z_stderr", "log_z_exact", "elbo", "eubo", "nll", "nll_median", "energy_distance",
                          "energy_distance_unbiased", "energy_distance_floor", "sliced_w2", "mode_weight_error", "action",
                          "ess_forward_pilot", "log_z_pilot", "disagreement", "disagreement_known"})
    EXPECT_FALSE(value_of(evaluation, key)) << key;
}

// Weights 4, 2, 0, 2, ten times over, of mean 2 and mean square 6.
TEST(Evaluation, ErrorOfLogZIsKnownFromTenEffectiveParticlesOn) {
  const auto one = four_particles();
  auto particles = room_for_particles({0, 40}, 1);
  for (std::size_t i = 0; i < 40; ++i) {
    particles.energy[i] = one.energy[i % 4];
    particles.status[i] = one.status[i % 4];
  }
  const auto evaluation = evaluate_metrics(MetricInput(Communicator(MPI_COMM_SELF), particles));
  const auto error = value_of(evaluation, "log_z_stderr");
  ASSERT_TRUE(error);
  EXPECT_NEAR(*error, std::sqrt(0.5 / 39), 1e-14);  // (6 - 4)/4 over N - 1
}

TEST(Evaluation, TableNamesValueUnitAndNumberOfSamples) {
  const auto table = table_of(evaluation_of_four());
  EXPECT_THAT(table, testing::ContainsRegex("\nparticles +4 +4  generated particles\n"));
  EXPECT_THAT(table, testing::ContainsRegex("\nnll +-0\\.674196 +0\\.23 +nats +3  mean of"));
  EXPECT_THAT(table, testing::ContainsRegex("\nlog_z_exact +0\\.25 +nats +log Z"));  // not a statistic: no number beside it
  EXPECT_THAT(table, testing::Not(testing::HasSubstr("seconds_train")));
}

TEST(Evaluation, AsksForKnownKeysOnly) {
  EXPECT_THAT([] { value_of(evaluation_of_four(), "esss"); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("no metric is called esss")));
}

}  // namespace
}  // namespace boltzcurve

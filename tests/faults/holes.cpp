// Targets whose energy is no number at some places of a box that is good otherwise: training does without those points, and particles that
// come there are marked. Nothing of it is silent.
#include "io/metrics_file.hpp"
#include "io/samples_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "faults/tally.hpp"
#include "support/small_run.hpp"

namespace boltzcurve {
namespace {

using testing::HasSubstr;
using testing_support::difference;
using testing_support::Fault;
using testing_support::Outcome;
using testing_support::run_program;
using testing_support::TemporaryFolder;

constexpr double radius = 0.3;  // of the hole about (1, 0): 2.7 % of the mass

class Holes : public testing::Test {
 protected:
  Holes() {
    folder.write("holed.ini",
                 "[target]\nname = holed-normal\n[network]\nwidth = 16\nhidden-layers = 2\n[collocation]\npoints = 700\nbox = -6:6\n"
                 "[optimizer]\ndecay = constant\n[training]\nsteps = 60\nlog-every = 20\n[sampling]\nparticles = "
                 "1000\n[evaluation]\nexact-samples = 10\n");
  }

  Outcome on(int ranks, const std::string& command, const std::string& output, const std::vector<std::string>& more) const {
    std::vector<std::string> words = {
        MPIRUN,      "--oversubscribe", "-n",  std::to_string(ranks), BOLTZCURVE_WITH_A_HOLE, command, "--config",
        "holed.ini", "--output",        output};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words, folder.path());
  }

  void expect_that_points_were_left_out_and_told(const Outcome& outcome, const std::string& output) const {
    const std::string warning = "boltzcurve: warning: the target's energy, or a derivative of it, is not finite at ";
    const auto first = outcome.err.find(warning);
    ASSERT_NE(first, std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.err.find(warning, first + 1), std::string::npos) << outcome.err;
    const auto metrics = read_metrics(folder.path() / output / "metrics.h5", "training");
    const auto left_out = metrics.integer("left_out_points").back();
    EXPECT_GT(left_out, 0);
    EXPECT_LT(left_out, 60 * 700 / 10);
    EXPECT_EQ(metrics.integer("skipped_steps").back(), 0);
    EXPECT_THAT(outcome.out, HasSubstr("left out of training: " + std::to_string(left_out) + " of 42000 points"));
  }

  /// Where they were told of: in the target's coordinates, whatever those of the curve are.
  void expect_that_the_example_is_in_the_hole(const Outcome& outcome) const {
    double x = 0, y = 0;
    const auto at = outcome.err.find("for example at x = (");
    ASSERT_NE(at, std::string::npos) << outcome.err;
    ASSERT_EQ(std::sscanf(outcome.err.c_str() + at, "for example at x = (%lf, %lf)", &x, &y), 2) << outcome.err;
    EXPECT_LT(std::hypot(x - 1, y), radius + 1e-5);
  }

  void expect_that_no_finished_particle_is_in_the_hole(const std::string& output, double z_tolerance) const {
    const auto samples = read_samples(folder.path() / output / "samples.h5md", Shard{0, 1000});
    int failed = 0;
    for (std::size_t i = 0; i < 1000; ++i) {
      const double from_middle = std::hypot(samples.position[2 * i] - 1, samples.position[2 * i + 1]);
      if (samples.status[i] == ParticleStatus::finished) {
        EXPECT_GE(from_middle, radius - 1e-6) << "particle " << i;
        EXPECT_TRUE(std::isfinite(samples.log_weight[i])) << "particle " << i;
      } else {
        ++failed;
        EXPECT_EQ(samples.status[i], ParticleStatus::nonfinite) << "particle " << i;
        EXPECT_EQ(samples.log_weight[i], -std::numeric_limits<double>::infinity()) << "particle " << i;
      }
    }
    EXPECT_GT(failed, 0);
    const auto evaluation = nlohmann::json::parse(std::ifstream(folder.path() / output / "evaluation.json"));
    EXPECT_EQ(evaluation["nonfinite"], failed);
    EXPECT_THAT(evaluation["diagnosis_text"].dump(), HasSubstr(std::to_string(failed) + " of 1000 particles failed"));
    // The flow is next to nothing, from a normal law to that with a hole: those that come through have the weight Z, the others none.
    const double z = evaluation["log_z"].get<double>() - std::log(2 * std::numbers::pi * (1 - failed / 1000.0));
    EXPECT_NEAR(z, 0, z_tolerance);
  }

  void expect_the_same_in_two_parts_on_other_ranks(const std::vector<std::string>& curve) const {
    auto first_half = curve;
    first_half.emplace_back("--training.steps=30");
    ASSERT_EQ(on(3, "train", "parts", first_half).exit_code, 0);
    auto rest = curve;
    rest.emplace_back("--resume");
    const auto resumed = on(2, "run", "parts", rest);
    ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
    EXPECT_EQ(difference(folder, "one/checkpoint.h5", "parts/checkpoint.h5", "/parameters"), "");
    EXPECT_EQ(difference(folder, "one/metrics.h5", "parts/metrics.h5", "/training/left_out_points"), "");
    EXPECT_EQ(difference(folder, "one/samples.h5md", "parts/samples.h5md", "/samples"), "");
  }

  const TemporaryFolder folder;
};

class HolesOnEveryCurve : public Holes, public testing::WithParamInterface<std::vector<std::string>> {};

TEST_P(HolesOnEveryCurve, AreLeftOutOfTrainingAndMarkParticlesOnAnyNumberOfRanks) {
  const Fault fault;
  const auto outcome = on(1, "run", "one", GetParam());
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_that_points_were_left_out_and_told(outcome, "one");
  expect_that_the_example_is_in_the_hole(outcome);
  // In the contracted form some skim the hole's image on their way.
  expect_that_no_finished_particle_is_in_the_hole("one", GetParam().front() == "--curve.form=contracted" ? 5e-3 : 1e-3);
  expect_the_same_in_two_parts_on_other_ranks(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Curves, HolesOnEveryCurve,
                         testing::Values(std::vector<std::string>{"--curve.form=contracted"},
                                         std::vector<std::string>{"--curve.form=anchored"}, std::vector<std::string>{"--curve.name=linear"},
                                         std::vector<std::string>{"--curve.name=learned"}));

// A population has no particle in the hole, so that matching leaves nothing out. Of the hole the curve knows nothing: particles come there.
TEST_F(Holes, AreNoPlaceOfThePopulationAndMarkParticlesOnAnyNumberOfRanks) {
  const Fault fault;
  const auto outcome = on(1, "run", "one", {});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(read_metrics(folder.path() / "one/metrics.h5", "training").integer("left_out_points").back(), 0);
  expect_that_no_finished_particle_is_in_the_hole("one", 0.02);
  expect_the_same_in_two_parts_on_other_ranks({});
}

// About half of the steps have a chunk with too many points in the hole, and are skipped.
TEST_F(Holes, DelayACheckpointThatFallsDueAtASkippedStepToTheNextGoodOne) {
  const Fault fault;
  constexpr std::int64_t interval = 7, steps = 40;
  on(2, "train", "out",
     {"--curve.form=anchored", "--target.radius=1", "--collocation.kind=uniform", "--collocation.box=-2:2", "--training.log-every=1",
      "--training.steps=40", "--training.checkpoint-steps=7", "--training.keep-every=1"});
  const auto metrics = read_metrics(folder.path() / "out/metrics.h5", "training");
  const auto& skipped = metrics.integer("skipped_steps");  // [k]: of steps 0 to k
  ASSERT_EQ(skipped.size(), static_cast<std::size_t>(steps));
  const auto is_good = [&](std::int64_t done) {
    const auto last = static_cast<std::size_t>(done - 1);
    return skipped[last] == (last == 0 ? 0 : skipped[last - 1]);
  };
  int delayed = 0;
  for (std::int64_t due = interval; due < steps; due += interval) {
    auto written = due;
    while (written < steps && !is_good(written)) ++written;
    if (written == steps) continue;
    delayed += written > due;
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "out" / ("checkpoint.step" + std::to_string(written) + ".h5"))) << written;
  }
  EXPECT_GT(delayed, 0);
}

TEST_F(Holes, ThatHoldMostOfTheBoxEndTheTrainingWithCodeFour) {
  const Fault fault;
  const auto outcome =
      on(2, "train", "out", {"--curve.form=anchored", "--target.radius=3", "--collocation.kind=uniform", "--collocation.box=-2:2"});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("boltzcurve: error: loss or gradient was not finite in 21 steps in a row"));
}

}  // namespace
}  // namespace boltzcurve

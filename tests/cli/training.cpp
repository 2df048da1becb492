// Training, sampling and evaluation through the real executable: the files they leave, the same bits on any number of ranks, stopping and
// failing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "support/small_run.hpp"

namespace boltzcurve {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing_support::boltzcurve;
using testing_support::by_matching;
using testing_support::by_residual;
using testing_support::run_program;
using testing_support::small_config;
using testing_support::TemporaryFolder;

/// Of a file of the runs on one rank and on `ranks`: see testing_support::difference().
std::string difference(const TemporaryFolder& folder, const std::string& file, int ranks, const std::string& object) {
  return testing_support::difference(folder, "on1/" + file, "on" + std::to_string(ranks) + "/" + file, object);
}

class TrainingEitherWay : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Forms, TrainingEitherWay, testing::Values(by_matching, by_residual));

TEST_P(TrainingEitherWay, GivesTheSameCheckpointSamplesAndMetricsOnOneTwoThreeAndFourRanks) {
  const TemporaryFolder folder;
  folder.write("small.ini", small_config(GetParam()));
  for (int ranks = 1; ranks <= 4; ++ranks) {
    const auto outcome = boltzcurve(folder, ranks, {"run", "--config", "small.ini", "--output", "on" + std::to_string(ranks)});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    if (ranks == 1) continue;
    for (const char* object : {"/parameters", "/average", "/optimizer", "/reduction", "/survey", "/collocation"})
      EXPECT_EQ(difference(folder, "checkpoint.h5", ranks, object), "") << ranks << " ranks, " << object;
    for (const char* object : {"/samples", "/particles"})
      EXPECT_EQ(difference(folder, "samples.h5md", ranks, object), "") << ranks << " ranks, " << object;
    for (const char* object : {"/training/loss", "/training/gradient_norm", "/evaluation/ess", "/evaluation/energy_distance"})
      EXPECT_EQ(difference(folder, "metrics.h5", ranks, object), "") << ranks << " ranks, " << object;
  }
  // The comparison can fail: another seed gives other numbers.
  const auto outcome = boltzcurve(folder, 2, {"run", "--config", "small.ini", "--output", "on5", "--seed", "2"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(difference(folder, "checkpoint.h5", 5, "/parameters"), "");
  EXPECT_NE(difference(folder, "samples.h5md", 5, "/samples"), "");
}

// Every rank makes the update itself, from the same sums: with matrices that are multiplied and factored, the bits still agree.
TEST(Training, WithSoapGivesTheSameCheckpointOnOneTwoAndThreeRanks) {
  const TemporaryFolder folder;
  folder.write("small.ini", small_config() + "[optimizer]\nname = soap\nprecondition-every = 4\n");
  for (int ranks = 1; ranks <= 3; ++ranks) {
    const auto outcome = boltzcurve(folder, ranks, {"train", "--config", "small.ini", "--output", "on" + std::to_string(ranks)});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    if (ranks == 1) continue;
    for (const char* object : {"/parameters", "/average", "/optimizer"})
      EXPECT_EQ(difference(folder, "checkpoint.h5", ranks, object), "") << ranks << " ranks, " << object;
  }
  const auto sampled = boltzcurve(folder, 1, {"sample", "--output", "on2"});
  EXPECT_EQ(sampled.exit_code, 0) << sampled.err;
}

// The gradient flow is above.
TEST(Training, OfTheLinearAndTheLearnedCurveGivesTheSameCheckpointAndSamplesOnOneTwoAndThreeRanks) {
  for (const std::string curve : {"linear", "learned"}) {
    SCOPED_TRACE(curve);
    const TemporaryFolder folder;
    folder.write("small.ini", small_config());
    for (int ranks = 1; ranks <= 3; ++ranks) {
      const auto outcome =
          boltzcurve(folder, ranks, {"run", "--config", "small.ini", "--curve.name", curve, "--output", "on" + std::to_string(ranks)});
      ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
      if (ranks == 1) continue;
      for (const char* object : {"/parameters", "/average", "/optimizer"})
        EXPECT_EQ(difference(folder, "checkpoint.h5", ranks, object), "") << ranks << " ranks, " << object;
      for (const char* object : {"/samples", "/particles"})
        EXPECT_EQ(difference(folder, "samples.h5md", ranks, object), "") << ranks << " ranks, " << object;
      EXPECT_EQ(difference(folder, "metrics.h5", ranks, "/evaluation/ess"), "") << ranks << " ranks";
    }
    const auto resampled = boltzcurve(folder, 2, {"sample", "--output", "on2"});
    ASSERT_EQ(resampled.exit_code, 0) << resampled.err;
    EXPECT_EQ(difference(folder, "samples.h5md", 2, "/samples"), "");
  }
}

TEST_P(TrainingEitherWay, GivesTheSameCheckpointAndSamplesOnOneTwoAndThreeThreads) {
  const TemporaryFolder folder;
  if (boltzcurve(folder, 1, {"--version"}).out.find("OpenMP") == std::string::npos) GTEST_SKIP() << "Kokkos has no threads here";
  folder.write("small.ini", small_config(GetParam()));
  ASSERT_EQ(boltzcurve(folder, 1, {"run", "--config", "small.ini", "--output", "on1"}).exit_code, 0);
  for (const int threads : {2, 3}) {
    const std::string output = "on" + std::to_string(10 * threads);
    const auto outcome = boltzcurve(folder, threads == 3 ? 2 : 1, {"run", "--config", "small.ini", "--output", output}, threads);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(difference(folder, "checkpoint.h5", 10 * threads, "/parameters"), "") << threads << " threads";
    EXPECT_EQ(difference(folder, "samples.h5md", 10 * threads, "/samples"), "") << threads << " threads";
  }
}

TEST(Training, LeavesTheDocumentedFilesAndKeys) {
  const TemporaryFolder folder;
  folder.write("small.ini", small_config());
  const auto outcome = boltzcurve(folder, 2, {"run", "--config", "small.ini", "--output", "out"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* file : {"checkpoint.h5", "metrics.h5", "config.ini", "samples.h5md", "evaluation.json", "summary.csv"})
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "out" / file)) << file;

  const auto json = nlohmann::json::parse(std::ifstream(folder.path() / "out/evaluation.json"));
  for (const char* key : {"target",
                          "curve",
                          "particles",
                          "ess",
                          "ess_forward",
                          "ess_forward_pilot",
                          "log_z",
                          "log_z_stderr",
                          "log_z_pilot",
                          "log_z_pilot_stderr",
                          "log_z_exact",
                          "log_z_thermodynamic",
                          "elbo",
                          "eubo",
                          "nll",
                          "nll_median",
                          "nll_floor",
                          "energy_distance",
                          "energy_distance_floor",
                          "sliced_w2",
                          "disagreement",
                          "disagreement_known",
                          "action",
                          "evaluations_per_particle",
                          "escaped",
                          "nonfinite",
                          "step_underflow",
                          "max_steps",
                          "target_values",
                          "target_gradients",
                          "seconds_train",
                          "seconds_sample",
                          "ranks",
                          "diagnosis",
                          "diagnosis_text"})
    EXPECT_TRUE(json.contains(key)) << key;
  EXPECT_EQ(json["target"], "gaussian-mixture");
  EXPECT_EQ(json["particles"], 300);
  EXPECT_EQ(json["ranks"], 2);
  EXPECT_TRUE(json["ess"].is_number());
  EXPECT_THAT(outcome.out, HasSubstr("effective sample size"));

  // The resolved configuration stands alone: it describes the same run.
  const auto again = boltzcurve(folder, 1, {"train", "--config", "out/config.ini", "--show-config"});
  std::stringstream resolved;
  resolved << std::ifstream(folder.path() / "out/config.ini").rdbuf();
  EXPECT_EQ(again.out, resolved.str());
}

std::string population_config() {
  return "[target]\nname = gaussian-mixture\nmode = 0.5 | -3 0 | 0.5\nmode = 0.5 | 3 1 | 1\n[pilot]\nparticles = 2048\n[network]\nwidth = "
         "16\nhidden-layers = 2\n[collocation]\npoints = 512\n[training]\nsteps = 400\nlog-every = 20\n[sampling]\nparticles = "
         "1000\n[evaluation]\nexact-samples = 0\npilot-samples = 300\n";
}

// What the population says is the same after the run, and from its checkpoint alone, on another number of ranks.
TEST(Population, IsWhatParticlesAreComparedWithWhereThereAreNoExactSamples) {
  const TemporaryFolder folder;
  folder.write("small.ini", population_config());
  const auto outcome =
      boltzcurve(folder, 2, {"run", "--config", "small.ini", "--output", "out", "--training.steps=60", "--training.evaluate-every=30"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(std::ifstream(folder.path() / "out/evaluation.json"));
  EXPECT_TRUE(json["ess_forward"].is_null());
  EXPECT_NEAR(json["log_z_pilot"].get<double>(), json["log_z_exact"].get<double>(), 5 * json["log_z_pilot_stderr"].get<double>());
  EXPECT_GT(json["ess_forward_pilot"], 0.5);
  EXPECT_LT(json["disagreement"], 5);
  EXPECT_LT(json["disagreement_known"], 5);
  EXPECT_EQ(json["target_values"], 1000 + 300 + 1000 + 300);  // one quick evaluation, then particles and points carried back
  EXPECT_GT(json["target_gradients"], 2048 * 10);
  EXPECT_EQ(json["diagnosis"].dump(), "[]") << json["diagnosis_text"];
  EXPECT_THAT(json["diagnosis_text"].dump(), AllOf(HasSubstr("the pilot's population (forward ESS"), HasSubstr("what is known")));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("target explored: log Z "), HasSubstr(" by a population of 2048 ("), HasSubstr(" of shares 0."),
                                 HasSubstr("evaluations of the target and processor time: pilot "), HasSubstr("; training 1300 values"),
                                 HasSubstr("; sampling 1000 values, "), HasSubstr("; measuring 300 values, ")));
  const auto again = boltzcurve(folder, 3, {"evaluate", "--output", "out"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  const auto from_file = nlohmann::json::parse(std::ifstream(folder.path() / "out/evaluation.json"));
  for (const char* key :
       {"ess_forward_pilot", "log_z_pilot", "log_z_pilot_stderr", "target_values", "target_gradients", "diagnosis", "diagnosis_text"})
    EXPECT_EQ(from_file[key], json[key]) << key;
  // Of energies at positions that were rounded on the way through the file.
  for (const char* key : {"disagreement", "disagreement_known"})
    EXPECT_NEAR(from_file[key].get<double>(), json[key].get<double>(), 1e-6) << key;
}

// At 5 % of 400 steps: both quick evaluations reach it. A training that goes on from the first, or after the end, ends there too.
TEST(UntilEss, EndsTrainingAfterTwoQuickEvaluationsOnAnyNumberOfRanksAndResumed) {
  const TemporaryFolder folder;
  folder.write("small.ini", population_config());
  for (const int ranks : {1, 3}) {
    const auto outcome = boltzcurve(folder, ranks,
                                    {"train", "--config", "small.ini", "--output", "on" + std::to_string(ranks), "--training.until-ess=0.3",
                                     "--training.checkpoint-steps=20", "--training.keep-every=1"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.out,
                HasSubstr("training ended after step 40: two quick evaluations in a row have reached training.until-ess = 0.3: "));
    EXPECT_THAT(outcome.err, HasSubstr("step 20: ESS "));
    EXPECT_THAT(outcome.err, HasSubstr(", forward ESS "));
  }
  EXPECT_EQ(difference(folder, "checkpoint.h5", 3, "/average"), "");
  EXPECT_EQ(difference(folder, "metrics.h5", 3, "/evaluation/ess_forward_pilot"), "");
  for (const std::string from : {"on1/checkpoint.step20.h5", "on1/checkpoint.h5"}) {
    const auto resumed = boltzcurve(folder, 2, {"train", "--resume=" + from, "--output", "on2"});
    ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
    EXPECT_THAT(resumed.out, HasSubstr("training ended after step 40: "));
    EXPECT_EQ(difference(folder, "checkpoint.h5", 2, "/average"), "");
  }
  // A threshold that is not reached is no end.
  const auto outcome = boltzcurve(
      folder, 1, {"train", "--resume=on1/checkpoint.h5", "--output", "on4", "--training.until-ess=0.99999", "--training.max-seconds=2"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, testing::Not(HasSubstr("training ended")));
}

TEST_P(TrainingEitherWay, SamplingFromTheCheckpointRepeatsTheRunAndEvaluationReadsItBack) {
  const TemporaryFolder folder;
  folder.write("small.ini", small_config(GetParam()));
  ASSERT_EQ(boltzcurve(folder, 1, {"run", "--config", "small.ini", "--output", "on1"}).exit_code, 0);
  ASSERT_EQ(boltzcurve(folder, 2, {"train", "--config", "small.ini", "--output", "on2"}).exit_code, 0);
  const auto sampled = boltzcurve(folder, 3, {"sample", "--output", "on2"});
  ASSERT_EQ(sampled.exit_code, 0) << sampled.err;
  EXPECT_EQ(difference(folder, "samples.h5md", 2, "/samples"), "");

  const auto evaluated = boltzcurve(folder, 2, {"evaluate", "--output", "on2"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  const auto first = nlohmann::json::parse(std::ifstream(folder.path() / "on1/evaluation.json"));
  const auto second = nlohmann::json::parse(std::ifstream(folder.path() / "on2/evaluation.json"));
  for (const char* key : {"ess_forward", "energy_distance", "sliced_w2", "action", "diagnosis", "diagnosis_text"})
    EXPECT_EQ(first[key], second[key]) << key;
  // Of energies at positions in the target's coordinates, which were in those of the curve before.
  for (const char* key : {"ess", "log_z", "nll"}) EXPECT_NEAR(first[key].get<double>(), second[key].get<double>(), 1e-12) << key;
}

TEST(Evaluation, WithoutSamplesDrawsFreshParticles) {
  const TemporaryFolder folder;
  folder.write("small.ini", small_config());
  ASSERT_EQ(boltzcurve(folder, 1, {"train", "--config", "small.ini", "--output", "out"}).exit_code, 0);
  const auto outcome = boltzcurve(folder, 2, {"evaluate", "--output", "out", "--sampling.particles=150"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(std::ifstream(folder.path() / "out/evaluation.json"))["particles"], 150);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "out/samples.h5md"));
}

TEST(Sampling, WithoutACheckpointSaysWhichFileIsMissing) {
  const TemporaryFolder folder;
  const auto outcome = boltzcurve(folder, 2, {"sample", "--output", "nothing"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("nothing/checkpoint.h5"));
}

TEST(Sampling, OfADamagedCheckpointIsRefused) {
  const TemporaryFolder folder;
  folder.write("small.ini", small_config());
  ASSERT_EQ(boltzcurve(folder, 1, {"train", "--config", "small.ini", "--output", "out"}).exit_code, 0);
  const auto path = folder.path() / "out/checkpoint.h5";
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path) / 2));
  file.write("damaged!", 8);
  file.close();
  const auto outcome = boltzcurve(folder, 2, {"sample", "--output", "out"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("checkpoint.h5"));
}

// In this box the many-well's quartic exceeds the largest float, and the anchored form does not tame it: every loss is infinite.
TEST(Training, ThatNeverHasAFiniteLossEndsWithCodeFourAndNamesTheWorstPoint) {
  const TemporaryFolder folder;
  folder.write("far.ini",
               "[target]\nname = many-well\ndimension = 2\n[curve]\nform = anchored\n[network]\nwidth = 8\n[collocation]\nkind = "
               "uniform\npoints = 256\n"
               "box = -1e12:1e12\n"
               "[training]\nmax-skipped-steps = 3\n");
  const auto outcome = boltzcurve(folder, 2, {"train", "--config", "far.ini", "--output", "out"});
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("not finite in 4 steps in a row"), HasSubstr("the last of them step 3"),
                                 HasSubstr("worst point: t = "), HasSubstr("x = ("), HasSubstr("checkpoint.h5")));
  EXPECT_EQ(run_program({"h5dump", "-H", "out/checkpoint.h5"}, folder.path()).exit_code, 0) << "the last good checkpoint must be there";
}

TEST(Training, WhoseLastStepsHadNoFiniteLossDoesNotPassForASuccess) {
  const TemporaryFolder folder;
  folder.write("far.ini",
               "[target]\nname = many-well\ndimension = 2\n[curve]\nform = anchored\n[network]\nwidth = 8\n[collocation]\nkind = "
               "uniform\npoints = 256\n"
               "box = -1e12:1e12\n"
               "[training]\nsteps = 2\n");
  const auto outcome = boltzcurve(folder, 1, {"run", "--config", "far.ini", "--output", "out"});
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_THAT(outcome.err, HasSubstr("not finite in 2 steps in a row, the last of them step 1"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "out/samples.h5md"));
}

TEST(Training, PutsAsideWhatAnEarlierRunMeasured) {
  const TemporaryFolder folder;
  folder.write("small.ini", small_config());
  ASSERT_EQ(boltzcurve(folder, 1, {"run", "--config", "small.ini", "--output", "out"}).exit_code, 0);
  ASSERT_EQ(boltzcurve(folder, 1, {"train", "--config", "small.ini", "--output", "out", "--seed=2"}).exit_code, 0);
  for (const std::string file : {"samples", "evaluation"}) {
    const std::string ending = file == "samples" ? ".h5md" : ".json";
    EXPECT_FALSE(std::filesystem::exists(folder.path() / ("out/" + file + ending)));
    EXPECT_TRUE(std::filesystem::exists(folder.path() / ("out/" + file + ".previous" + ending)));
  }
}

TEST(Sampling, RefusesAnotherModelThanTheCheckpointsAndNamesTheSection) {
  const TemporaryFolder folder;
  folder.write("small.ini", small_config());
  ASSERT_EQ(boltzcurve(folder, 1, {"train", "--config", "small.ini", "--output", "out"}).exit_code, 0);
  for (const auto& [option, section] : {std::pair("--curve.horizon=1", "[curve]"), std::pair("--target.name=rings", "[target]"),
                                        std::pair("--latent.scale=3", "[latent]"), std::pair("--network.input-range=5", "[network]")}) {
    const auto outcome = boltzcurve(folder, 1, {"sample", "--output", "out", option});
    EXPECT_EQ(outcome.exit_code, 2) << option;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr(section), HasSubstr("checkpoint.h5 was trained with"))) << option;
  }
  EXPECT_EQ(boltzcurve(folder, 1, {"sample", "--output", "out", "--sampling.particles=70"}).exit_code, 0);
}

TEST(Training, StopsInGoodOrderWhenTheTimeIsUp) {
  const TemporaryFolder folder;
  folder.write("small.ini", small_config());
  const auto outcome = boltzcurve(folder, 2,
                                  {"train", "--config", "small.ini", "--output", "out", "--training.steps=100000000",
                                   "--training.max-seconds=1", "--training.log-every=1000000"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_LT(outcome.seconds, 60);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "out/checkpoint.h5"));
}

// mpirun hands SIGUSR1 on to the ranks.
TEST(Training, StopsOnRequestWithCodeSeventyFiveAndACheckpoint) {
  const TemporaryFolder folder;
  folder.write("small.ini", small_config());
  folder.write("stop.sh",
               "\"$@\" &\npid=$!\nfor i in $(seq 600); do [ -e out/checkpoint.h5 ] && break; sleep 0.1; done\nsleep 0.5\nkill -USR1 "
               "$pid\nwait $pid\n"
               "code=$?\n[ $code -gt 128 ] && { wait $pid; code=$?; }\nexit $code\n");
  const auto outcome = run_program({"bash", "stop.sh", MPIRUN, "--oversubscribe", "-n", "2", BOLTZCURVE_EXECUTABLE, "train", "--config",
                                    "small.ini", "--output", "out", "--training.steps=100000000", "--training.log-every=1000000"},
                                   folder.path());
  EXPECT_EQ(outcome.exit_code, 75) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("stopped by SIGUSR1 after step"));
}

// Modes 40 apart, a latent law of width 1: on the straight line between the two, mass would have to cross the gap in no time. What happens
// is said while training, on the terminal and in the file.
TEST(Diagnosis, NamesExplodingGradientsAndLostModesOfTheLinearCurveBetweenFarModes) {
  const TemporaryFolder folder;
  folder.write(
      "far.ini",
      "[target]\nname = gaussian-mixture\nmode = 0.5 | -20 | 0.5\nmode = 0.5 | 20 | 0.5\n[curve]\nname = linear\n[network]\nwidth = "
      "16\nhidden-layers = 2\n[collocation]\npoints = 512\n[optimizer]\nwarm-up-steps = 10\n[training]\nsteps = 250\nloss = "
      "squared\n[sampling]\nparticles = 300\n[evaluation]\nexact-samples = 200\n");
  const auto outcome = boltzcurve(folder, 2, {"run", "--config", "far.ini", "--output", "out"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("boltzcurve: warning: exploding gradients: "));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("\ndiagnosis: "), HasSubstr("modes are lost: ")));
  const auto json = nlohmann::json::parse(std::ifstream(folder.path() / "out/evaluation.json"));
  ASSERT_TRUE(json["diagnosis"].is_array());
  EXPECT_THAT(json["diagnosis"].dump(), HasSubstr("\"lost_modes\""));
  EXPECT_THAT(json["diagnosis_text"].dump(), HasSubstr("modes are lost: "));
  // The file of samples tells the same story.
  const auto again = boltzcurve(folder, 1, {"evaluate", "--output", "out"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  const auto from_file = nlohmann::json::parse(std::ifstream(folder.path() / "out/evaluation.json"));
  EXPECT_EQ(from_file["diagnosis"], json["diagnosis"]);
  EXPECT_EQ(from_file["diagnosis_text"], json["diagnosis_text"]);
  EXPECT_EQ(from_file["action"], json["action"]);
}

// Steps are allowed that some particles need more of.
TEST(Diagnosis, SaysOfParticlesInAFileHowManyFailedWhenAndWhere) {
  const TemporaryFolder folder;
  folder.write("small.ini", small_config());
  ASSERT_EQ(boltzcurve(folder, 2, {"train", "--config", "small.ini", "--output", "out", "--quiet"}).exit_code, 0);
  ASSERT_EQ(boltzcurve(folder, 2, {"sample", "--output", "out", "--sampling.max-steps=14", "--quiet"}).exit_code, 0);
  const auto outcome = boltzcurve(folder, 2, {"evaluate", "--output", "out"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(std::ifstream(folder.path() / "out/evaluation.json"));
  ASSERT_GT(json["max_steps"], 0);
  ASSERT_LT(json["max_steps"], 300);
  EXPECT_THAT(outcome.out, HasSubstr("diagnosis: " + json["max_steps"].dump() + " of 300 particles failed (max_steps " +
                                     json["max_steps"].dump() + "), between t = "));
  EXPECT_THAT(outcome.out, testing::ContainsRegex("the first, number [0-9]+, was last at x = \\([-0-9., e]+\\), t = [0-9]"));
}

TEST(Latents, OtherThanANormalLawOfOneScaleAreForTheLinearAndTheLearnedCurve) {
  const TemporaryFolder folder;
  folder.write("small.ini", small_config());
  const std::vector<std::vector<std::string>> latents = {{"--latent.name=laplace", "--latent.scale=2"},
                                                         {"--latent.name=generalised-normal", "--latent.power=3"},
                                                         {"--latent.name=soft-box", "--latent.scale=4,5"},
                                                         {"--latent.scale=1,2"}};
  for (const auto& latent : latents) {
    SCOPED_TRACE(latent.front());
    std::vector<std::string> arguments = {"run", "--config", "small.ini", "--output", "out"};
    arguments.insert(arguments.end(), latent.begin(), latent.end());
    const auto refused = testing_support::alone(folder, arguments);
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("latent.name = "),
                                   HasSubstr("the gradient flow needs a gaussian with one scale for all coordinates, since its densities "
                                             "follow the Langevin diffusion towards it"),
                                   HasSubstr("the curves linear and learned take any latent density")));
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "out"));
    for (const char* curve : {"--curve.name=linear", "--curve.name=learned"}) {
      auto taken = arguments;
      taken.emplace_back(curve);
      taken.emplace_back("--training.steps=3");
      const auto outcome = testing_support::alone(folder, taken);
      EXPECT_EQ(outcome.exit_code, 0) << curve << ": " << outcome.err;
    }
    std::filesystem::remove_all(folder.path() / "out");
  }
}

TEST_P(TrainingEitherWay, IsValidatedByOneStepEstimatesAndWritesNothing) {
  const TemporaryFolder folder;
  folder.write("small.ini", small_config(GetParam()));
  const auto outcome = boltzcurve(folder, 2, {"run", "--config", "small.ini", "--output", "out", "--validate"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("nothing was written"), HasSubstr("memory a rank"), HasSubstr("samples.h5md")));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "out"));
}

TEST(Output, ThatCannotBeAFolderIsAnInputError) {
  const TemporaryFolder folder;
  folder.write("small.ini", small_config());
  folder.write("file", "");
  const auto outcome = boltzcurve(folder, 2, {"train", "--config", "small.ini", "--output", "file"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("cannot use output folder file"));
}

}  // namespace
}  // namespace boltzcurve

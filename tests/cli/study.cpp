// Studies through the real executable: their tables, equal on any number of ranks, and what they refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "support/small_run.hpp"

namespace boltzcurve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::alone;
using testing_support::boltzcurve;
using testing_support::run_program;
using testing_support::TemporaryFolder;

/// Rows of a CSV file, each by the names of its columns; none of ours has a quoted cell.
std::vector<std::map<std::string, std::string>> read_csv(const TemporaryFolder& folder, const std::string& name) {
  std::ifstream file(folder.path() / name);
  std::vector<std::vector<std::string>> lines;
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> cells(1);
    for (const char letter : line) letter == ',' ? cells.emplace_back() : cells.back() += letter, void();
    lines.push_back(cells);
  }
  std::vector<std::map<std::string, std::string>> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    rows.emplace_back();
    for (std::size_t c = 0; c < lines[i].size(); ++c) rows.back()[lines[0].at(c)] = lines[i][c];
  }
  return rows;
}

std::string text_of(const TemporaryFolder& folder, const std::string& name) {
  std::stringstream text;
  text << std::ifstream(folder.path() / name).rdbuf();
  return text.str();
}

TEST(VelocityExplosion, WritesTheReferenceTableOfTwoPeaks) {
  const TemporaryFolder folder;
  const auto outcome = alone(folder, {"study", "velocity-explosion", "--study.distances=5,10", "--output", "out"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto rows = read_csv(folder, "out/velocity_explosion.csv");
  ASSERT_EQ(rows.size(), 32u);
  std::map<std::string, std::vector<std::map<std::string, std::string>>> of_curve;
  for (const auto& row : rows) of_curve[row.at("curve")].push_back(row);
  const double norms[2][8] = {{.751, 1.531, 3.197, 6.278, 8.515, 9.175, 9.631, 9.732},
                              {.273, .911, 4.051, 22.28, 54.39, 66.97, 75.38, 77.08}};
  const double times[] = {0, .25, .5, .75, .9, .95, .99, 1}, actions[] = {23.87, 700.9};
  for (std::size_t i = 0; i < 16; ++i) {
    const auto& row = of_curve["linear"].at(i);
    EXPECT_EQ(row.at("distance"), i < 8 ? "5" : "10");
    EXPECT_EQ(std::stod(row.at("t")), times[i % 8]);
    EXPECT_NEAR(std::stod(row.at("velocity_norm")) / norms[i / 8][i % 8], 1, 2e-3);  // three digits
    EXPECT_NEAR(std::stod(row.at("action")) / actions[i / 8], 1, 2e-4);
  }
  // The gradient flow never moves faster than at the target, where f_D' - f_Z' is 2 on a quarter of the mass, and its action is a
  // divergence.
  for (const auto& row : of_curve["gradient-flow"]) EXPECT_LT(std::stod(row.at("velocity_norm")), 1);
  EXPECT_NEAR(std::stod(of_curve["gradient-flow"].at(0).at("action")), 1.47716, 2e-3);
  EXPECT_NEAR(std::stod(of_curve["gradient-flow"].at(8).at("action")), 3.82882, 4e-3);
  // The norm grows like (m - 1) exp(m/4): 1/4 but for terms of exp(-m/4), which count between distances 5 and 10.
  const auto growth = read_csv(folder, "out/velocity_explosion_growth.csv");
  ASSERT_EQ(growth.size(), 2u);
  EXPECT_EQ(growth[1].at("curve"), "linear");
  EXPECT_NEAR(std::stod(growth[1].at("log_norm_per_distance_less_power")), 0.25, 0.02);
  const auto attributes = run_program(
      {"h5dump", "-a", "/format", "-a", "/options", "-a", "/velocity_explosion/action/unit", "out/velocity_explosion.h5"}, folder.path());
  EXPECT_THAT(attributes.out, testing::AllOf(HasSubstr("boltzcurve study"), HasSubstr("distances = 5, 10"), HasSubstr("length^2/time")));
}

TEST(VelocityExplosion, OfATargetHasTheReferenceActionsAndTheSameBytesOnTwoRanks) {
  const TemporaryFolder folder;
  folder.write("a.ini", "[target]\nname = asymmetric-two\ndimension = 1\n[study]\ndistances = 4, 8\ncurves = linear, gradient-flow\n");
  for (const int ranks : {1, 2}) {
    const auto outcome =
        boltzcurve(folder, ranks, {"study", "velocity-explosion", "--config", "a.ini", "--output", "on" + std::to_string(ranks)});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  EXPECT_EQ(text_of(folder, "on1/velocity_explosion.csv"), text_of(folder, "on2/velocity_explosion.csv"));
  EXPECT_EQ(testing_support::difference(folder, "on1/velocity_explosion.h5", "on2/velocity_explosion.h5", "/velocity_explosion"), "");
  std::map<std::string, double> action;
  for (const auto& row : read_csv(folder, "on1/velocity_explosion.csv"))
    action[row.at("curve") + " " + row.at("distance")] = std::stod(row.at("action"));
  ASSERT_EQ(action.size(), 4u);
  EXPECT_NEAR(action["gradient-flow 4"], 7.364, 6e-4);
  EXPECT_NEAR(action["gradient-flow 8"], 23.363, 6e-4);
  EXPECT_NEAR(action["linear 4"], 24.4, 0.05);
  EXPECT_NEAR(action["linear 8"] / 8.13e7, 1, 2e-3);
}

TEST(VelocityExplosion, OfAMixtureTakesItsOwnDistanceAndLatentLaw) {
  const TemporaryFolder folder;
  folder.write("a.ini",
               "[target]\nname = gaussian-mixture\nmode = 1 | 4 | 1\nmode = 2 | -8 | 1\n[latent]\nscale = 3\n[study]\ncurves = linear\n");
  const auto outcome = alone(folder, {"study", "velocity-explosion", "--config", "a.ini", "--output", "out", "--study.times=1"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto rows = read_csv(folder, "out/velocity_explosion.csv");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("distance"), "12");
  EXPECT_NEAR(std::stod(rows[0].at("action")) / 3.07e6, 1, 2e-3);
}

/// Between normal laws on the line, learned in a second or two.
const std::string normal_laws =
    "[target]\nname = gaussian-mixture\nmode = 1 | 1.5 | 0.5\n[network]\nwidth = 16\nhidden-layers = 2\n[collocation]\npoints = 512\n"
    "[training]\nsteps = 400\n[sampling]\nparticles = 2000\n[evaluation]\nexact-samples = 100\n"
    "[study]\nnetworks = yes\ncurves = linear, gradient-flow\n";

// In one dimension networks must find what quadrature knows. Some hundred steps leave errors of a few per cent of the velocity; untrained
// networks are off by a factor of two and more. Four standard errors for chance: a false alarm in 10^4.
TEST(VelocityExplosion, OfTrainedNetworksAgreesWithQuadratureAndOnTwoRanks) {
  const TemporaryFolder folder;
  folder.write("a.ini", normal_laws);
  for (const int ranks : {1, 2}) {
    const auto outcome =
        boltzcurve(folder, ranks, {"study", "velocity-explosion", "--config", "a.ini", "--output", "on" + std::to_string(ranks)});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  EXPECT_EQ(text_of(folder, "on1/velocity_explosion_networks.csv"), text_of(folder, "on2/velocity_explosion_networks.csv"));
  std::map<std::string, std::pair<double, double>> exact;
  for (const auto& row : read_csv(folder, "on1/velocity_explosion.csv"))
    if (row.at("curve") == "linear") exact["linear " + row.at("t")] = {std::stod(row.at("velocity_norm")), std::stod(row.at("action"))};
  int compared = 0;
  for (const auto& row : read_csv(folder, "on1/velocity_explosion_networks.csv")) {
    EXPECT_EQ(row.at("failed"), "0");
    EXPECT_EQ(row.at("particles"), "2000");
    const auto found = exact.find(row.at("curve") + " " + row.at("t"));
    if (found == exact.end()) continue;
    ++compared;
    const auto [norm, action] = found->second;
    EXPECT_NEAR(std::stod(row.at("velocity_norm")), norm, 0.05 * norm + 4 * std::stod(row.at("velocity_norm_error"))) << row.at("t");
    EXPECT_NEAR(std::stod(row.at("action")), action, 0.05 * action + 4 * std::stod(row.at("action_error")));
  }
  EXPECT_EQ(compared, 8);

  // The networks of a run are found by its folder, and give the same numbers.
  const auto again = alone(folder, {"study", "velocity-explosion", "--study.distances=5", "--study.runs", "on1/networks/distancenan_linear",
                                    "--output", "again"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  const auto of_run = read_csv(folder, "again/velocity_explosion_networks.csv"),
             before = read_csv(folder, "on1/velocity_explosion_networks.csv");
  ASSERT_EQ(of_run.size(), 8u);
  EXPECT_EQ(of_run[3].at("velocity_norm"), before[3].at("velocity_norm"));
}

// The gradient flow's horizon is the pilot run's in one row and eight times the variance of the latent law in the other: what is left of
// the action is exp(-2T) of it, and a few thousandths at the pilot run's.
TEST(ActionStudy, OfNetworksAgreesWithQuadratureInBothGeometries) {
  const TemporaryFolder folder;
  folder.write("a.ini", normal_laws);
  const auto outcome = boltzcurve(folder, 2, {"study", "action", "--config", "a.ini", "--output", "out"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  std::map<std::string, std::map<std::string, std::string>> rows;
  for (const auto& row : read_csv(folder, "out/action.csv"))
    rows[row.at("curve") + (row.at("source") == "quadrature" ? " exact" : " network")] = row;
  ASSERT_EQ(rows.size(), 4u);
  for (const std::string curve : {"linear", "gradient-flow"})
    for (const std::string action : {"wasserstein_action", "fisher_rao_action"}) {
      const auto& exact = rows[curve + " exact"];
      const auto& network = rows[curve + " network"];
      const double value = std::stod(exact.at(action));
      EXPECT_NEAR(std::stod(network.at(action)), value, 0.08 * value + 4 * std::stod(network.at(action + "_error")))
          << curve << ", " << action;
    }
  // N(0, 1) to N(1.5, 1/4): W2^2 = 1.5^2 + 0.5^2; on the line the sliced distance is W2 too, of 100 samples a side.
  EXPECT_NEAR(std::stod(rows["linear exact"].at("w2")), std::sqrt(2.5), 1e-6);
  EXPECT_NEAR(std::stod(rows["linear network"].at("w2")), std::sqrt(2.5), 0.5);
  EXPECT_GE(std::stod(rows["linear exact"].at("wasserstein_action")), 2.5);  // Benamou and Brenier, duration 1
}

TEST(Ablation, MakesATableRecordsWhatFailsAndRepeatsNothing) {
  const TemporaryFolder folder;
  folder.write("small.ini", testing_support::small_config());
  // Under a latent law of scale 0.2 nothing is left of the target at the horizon of 2 that the configuration asks for.
  const std::vector<std::string> arguments = {"study",
                                              "ablation",
                                              "--config",
                                              "small.ini",
                                              "--output",
                                              "out",
                                              "--study.curves=gradient-flow, linear",
                                              "--study.schedules=linear, diffusion",
                                              "--study.latents=gaussian scale=1, gaussian scale=0.2"};
  const auto outcome = boltzcurve(folder, 2, arguments);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("2 of 6 combinations failed"));
  std::ifstream table(folder.path() / "out/ablation.csv");
  std::vector<std::string> lines;
  for (std::string line; std::getline(table, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_THAT(lines[0], testing::StartsWith("latent,schedule,curve,ess,ess_forward,nll,nll_floor,energy_distance,"));
  EXPECT_THAT(lines[0], HasSubstr("log_z_error,log_z_stderr,action,failed,seconds_train,seconds_sample,error"));
  EXPECT_THAT(lines[1], testing::StartsWith("gaussian scale=1,linear,gradient-flow,0."));
  EXPECT_THAT(lines[2], testing::StartsWith("gaussian scale=1,diffusion,gradient-flow,0."));
  EXPECT_THAT(lines[3], testing::StartsWith("gaussian scale=1,-,linear,0."));
  EXPECT_THAT(lines[4], testing::AllOf(testing::StartsWith("gaussian scale=0.2,linear,gradient-flow,,"), HasSubstr("curve.horizon = 2")));
  EXPECT_THAT(lines[6], testing::StartsWith("gaussian scale=0.2,-,linear,0."));

  int finished = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path() / "out")) {
    if (entry.path().filename() != "metrics.h5") continue;
    EXPECT_THAT(run_program({"h5dump", "-a", "/state", entry.path().string()}, folder.path()).out, HasSubstr("\"finished\""));
    ++finished;
  }
  EXPECT_EQ(finished, 4);
  const auto first = text_of(folder, "out/ablation.csv");
  const auto trained = folder.path() / "out/runs/linear+-+gaussian_scale=1/checkpoint.h5";
  const auto written = std::filesystem::last_write_time(trained);
  EXPECT_EQ(boltzcurve(folder, 1, arguments).exit_code, 0);
  EXPECT_EQ(text_of(folder, "out/ablation.csv"), first);  // with the seconds that it took
  EXPECT_EQ(std::filesystem::last_write_time(trained), written);
  // Another seed makes others of them.
  auto other = arguments;
  other.push_back("--seed=2");
  EXPECT_EQ(boltzcurve(folder, 1, other).exit_code, 0);
  EXPECT_NE(std::filesystem::last_write_time(trained), written);
}

TEST(Study, SaysWhatItCannotDoAndWritesNothing) {
  const TemporaryFolder folder;
  const auto refuses = [&](std::vector<std::string> arguments, int code, const std::string& message) {
    for (const char* word : {"out", "--output"}) arguments.insert(arguments.begin() + 1, word);
    const auto outcome = alone(folder, arguments);
    EXPECT_EQ(outcome.exit_code, code) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "out"));
  };
  refuses({"study"}, 2, "study needs the name of one; see: boltzcurve list studies");
  refuses({"study", "velocity-explosoin"}, 2, "unknown study 'velocity-explosoin'; did you mean velocity-explosion?");
  refuses({"study", "velocity-explosion", "--study.distances=5,x"}, 2,
          "study.distances = 5,x: must be numbers from 0 to 1000000, separated by commas");
  refuses({"study", "velocity-explosion", "--target.name=rings"}, 2, "on the line");
  refuses({"study", "velocity-explosion", "--target.name=rings", "--study.distances=5"}, 2, "target rings has no key `distance`");
  refuses({"study", "velocity-explosion", "--validate"}, 2, "--validate");
  refuses({"study", "action", "--target.name=rings"}, 2, "--study.networks=yes");
  refuses({"study", "ablation"}, 2, "target.name is not set");
  refuses({"study", "ablation", "--target.name=rings", "--study.latents=gausian"}, 2, "did you mean gaussian?");
  refuses({"study", "ablation", "--target.name=rings", "--study.latents=gaussian 3"}, 2, "'3' must be key=value");
}

TEST(Study, IsListedWithItsSummary) {
  const TemporaryFolder folder;
  const auto outcome = alone(folder, {"list", "studies"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("velocity-explosion  norm of the velocity"));
}

}  // namespace
}  // namespace boltzcurve

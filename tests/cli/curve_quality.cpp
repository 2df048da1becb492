// Trainings of a minute that must reach what their configurations promise. A test of their own in ctest, with the label slow.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

#include "support/small_run.hpp"

namespace boltzcurve {
namespace {

using testing_support::TemporaryFolder;

// Modes 16 apart, sixteen of their widths. Measured: 0.998 and 0.997, from 4000 particles and 2000 exact samples.
TEST(CurveQuality, LearnedCurveReachesFourFarGaussians) {
  const TemporaryFolder folder;
  const auto outcome = testing_support::boltzcurve(
      folder, 2,
      {"run", "--config", CONFIGURATIONS "/paper/four_gaussians.ini", "--curve.name=learned", "--latent.scale=8", "--training.steps=1500",
       "--sampling.particles=4000", "--evaluation.exact-samples=2000", "--output", "out", "--quiet"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(std::ifstream(folder.path() / "out/evaluation.json"));
  EXPECT_GE(json["ess"].get<double>(), 0.9);
  EXPECT_GE(json["ess_forward"].get<double>(), 0.9);
  EXPECT_NEAR(json["log_z_thermodynamic"].get<double>(), json["log_z_exact"].get<double>(), 0.05);
  EXPECT_EQ(json["diagnosis"].dump(), "[]") << json["diagnosis_text"];
}

}  // namespace
}  // namespace boltzcurve

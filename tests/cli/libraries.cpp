// Runs on targets from shared libraries, those of tests/plugins.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/small_run.hpp"

namespace {

using namespace boltzcurve::testing_support;
using testing::AllOf;
using testing::HasSubstr;

const std::filesystem::path plugins = PLUGINS;

/// Small settings with a target in them.
std::string config_of(const std::string& target) {
  return "[target]\n" + target +
         "[network]\nwidth = 16\nhidden-layers = 2\n[pilot]\nparticles = 600\n[collocation]\npoints = 700\n[training]\nsteps = 40\n"
         "log-every = 10\n[sampling]\nparticles = 300\n[evaluation]\nexact-samples = 0\n";
}

class Libraries : public testing::Test {
 protected:
  void copy(const std::string& plugin) const {
    std::filesystem::copy_file(plugins / plugin, folder.path() / "mine.so", std::filesystem::copy_options::overwrite_existing);
  }
  std::string mine() const { return (folder.path() / "mine.so").string(); }
  Outcome on_one(const std::vector<std::string>& arguments) const { return alone(folder, arguments); }

  TemporaryFolder folder;
};

// The library evaluates the function of the target `banana` by the same instructions.
TEST_F(Libraries, RunIsThatOfTheBuiltInTargetToTheBitOnAnyNumberOfRanks) {
  copy("same_banana.so");
  folder.write("built_in.ini", config_of("name = banana\n"));
  folder.write("library.ini", config_of("name = library\npath = mine.so\n"));
  const auto built_in = boltzcurve::testing_support::boltzcurve(folder, 1, {"run", "--config", "built_in.ini", "--output", "built_in"});
  ASSERT_EQ(built_in.exit_code, 0) << built_in.err;
  for (const int ranks : {1, 2, 3}) {
    const std::string output = "library_" + std::to_string(ranks);
    const auto library = boltzcurve::testing_support::boltzcurve(folder, ranks, {"run", "--config", "library.ini", "--output", output});
    ASSERT_EQ(library.exit_code, 0) << library.err;
    for (const char* object : {"/parameters", "/collocation", "/survey"})
      EXPECT_EQ(difference(folder, "built_in/checkpoint.h5", output + "/checkpoint.h5", object), "") << ranks << object;
    for (const char* object : {"/samples/position", "/samples/log_weight"})
      EXPECT_EQ(difference(folder, "built_in/samples.h5md", output + "/samples.h5md", object), "") << ranks << object;
  }
}

TEST_F(Libraries, ExampleFindsItsLogZ) {
  copy("example.so");
  folder.write("own.ini", config_of("name = library\npath = mine.so\noptions = {\"bend\": 0.3}\n"));
  const auto outcome = on_one({"run", "--config", "own.ini", "--output", "own", "--training.steps", "200"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto evaluation = nlohmann::json::parse(std::ifstream(folder.path() / "own" / "evaluation.json"));
  // log 2 pi, within five of its standard errors
  EXPECT_NEAR(evaluation["log_z"].get<double>(), 1.8378770664, 5 * evaluation["log_z_stderr"].get<double>() + 1e-3);
}

class TrainedLibrary : public Libraries {
 protected:
  void SetUp() override {
    copy("library.so");
    folder.write("mine.ini", config_of("name = library\npath = mine.so\n"));
    const auto outcome = on_one({"train", "--config", "mine.ini", "--output", "run"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }
};

TEST_F(TrainedLibrary, RunFolderAloneLoadsNothing) {
  std::filesystem::remove(mine());  // a program that tried would say that it is gone
  const auto needs_the_user = AllOf(HasSubstr("run/checkpoint.h5 names code to run, target.path = " + mine()),
                                    HasSubstr("not run unless you name it too, with --target.path=" + mine()));
  for (const auto& command : std::vector<std::vector<std::string>>{{"sample"}, {"evaluate"}, {"train", "--resume"}}) {
    auto arguments = command;
    arguments.insert(arguments.end(), {"--output", "run"});
    const auto outcome = on_one(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << command[0];
    EXPECT_THAT(outcome.err, needs_the_user);
  }
}

TEST_F(TrainedLibrary, RunGoesOnWithALibraryThatTheUserNames) {
  EXPECT_EQ(on_one({"sample", "--output", "run", "--target.path", "mine.so"}).exit_code, 0);
  EXPECT_EQ(on_one({"sample", "--output", "run", "--config", "mine.ini"}).exit_code, 0);
}

TEST_F(TrainedLibrary, LibraryBuiltAgainElsewhereIsTheSameTarget) {
  std::filesystem::create_directory(folder.path() / "other");
  std::filesystem::copy_file(plugins / "library_of_fast_math.so", folder.path() / "other" / "again.so");
  const auto outcome = on_one({"train", "--resume", "--output", "run", "--target.path", "other/again.so"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("changed: target.path = " + (folder.path() / "other" / "again.so").string()));
}

TEST_F(TrainedLibrary, ResumeRefusesALibraryWithOtherValues) {
  copy("library_of_other_values.so");
  for (const char* command : {"train", "sample"}) {
    std::vector<std::string> arguments = {command, "--output", "run", "--config", "mine.ini"};
    if (command == std::string("train")) arguments.emplace_back("--resume");
    const auto outcome = on_one(arguments);
    EXPECT_EQ(outcome.exit_code, 3) << command;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("run/checkpoint.h5 was made with another target than this"), HasSubstr("CRC-32")));
  }
}

TEST_F(Libraries, UnknownDensitiesAreToldOnce) {
  copy("model.so");
  folder.write("stan.ini", config_of("name = stan\nmodel = mine.so\n"));
  const auto outcome = on_one({"run", "--config", "stan.ini", "--output", "run"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("the first: f = nan at x = ("));
}

}  // namespace

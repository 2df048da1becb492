// Questions and precedence, through the real executable.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/process.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace {

using boltzcurve::testing_support::Outcome;
using boltzcurve::testing_support::run_program;
using boltzcurve::testing_support::TemporaryFolder;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class CommandLine : public testing::Test {
 protected:
  Outcome run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), BOLTZCURVE_EXECUTABLE);
    return run_program(arguments, folder.path());
  }
  const TemporaryFolder folder;
};

template <class Case>
std::string name_of(const testing::TestParamInfo<Case>& test) {
  return test.param.name;
}

// ---- Questions: exit code 0, the answer on stdout, nothing on stderr

struct Question {
  std::string name;
  std::vector<std::string> arguments;
  std::vector<std::string> answers;  ///< each is part of stdout
};

void PrintTo(const Question& question, std::ostream* out) { *out << question.name; }

class AnswersQuestion : public CommandLine, public testing::WithParamInterface<Question> {};

TEST_P(AnswersQuestion, WithExitCodeZero) {
  const Outcome outcome = run(GetParam().arguments);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, IsEmpty());
  for (const auto& answer : GetParam().answers) EXPECT_THAT(outcome.out, HasSubstr(answer));
}

INSTANTIATE_TEST_SUITE_P(
    , AnswersQuestion,
    testing::Values(
        Question{"NoArguments", {}, {"Usage: boltzcurve COMMAND", "list [TOPIC]", "--show-config", "Exit codes: 0 done"}},
        Question{"Help", {"--help"}, {"Usage: boltzcurve COMMAND", "--config FILE"}},
        Question{"ShortHelp", {"-h"}, {"Usage: boltzcurve COMMAND"}},
        Question{"HelpOfACommand",
                 {"list", "--help"},
                 {"Usage: boltzcurve list [TOPIC]", "[network]\n", "--network.width ", "(1 .. 8192)",
                  "units of a hidden layer of psi(x, t) [units]", "of many-well:", "--target.quartic",
                  "(mixture | langevin | trajectory | ou-bridge | uniform | latent)"}},
        Question{"Version", {"--version"}, {"boltzcurve ", "compiler ", "-O", "vector flags ", "Kokkos ", "MPI ", "HDF5 "}},
        Question{"List", {"list"}, {"targets (target.name)\n", "many-well ", "curves (curve.name)\n", "gradient-flow ", "  learned "}},
        Question{"ListReference", {"list", "reference"}, {"## [network]", "| `width` | 64 | 1 .. 8192 | units |", "float \\| double"}},
        Question{
            "ShowConfig", {"--show-config", "--target.name=funnel"}, {"[target]\nname = funnel\ndimension = 10\n", "[run]\nseed = 1\n"}},
        Question{"SpacesAroundValues",
                 {"--show-config", "--target.name", "funnel", "--collocation.box", "-10:10"},
                 {"name = funnel\n", "box = -10:10\n"}},
        Question{"ShortNames",
                 {"--show-config", "--target.name=funnel", "--seed=18446744073709551615", "--precision=double", "--reduction=fast"},
                 {"seed = 18446744073709551615\nprecision = double\nreduction = fast\n"}},
        Question{"LastOfManyOnTheCommandLine", {"--show-config", "--target.name=funnel", "--seed=2", "--run.seed=3"}, {"seed = 3\n"}},
        Question{
            "EmptyValueUndoesAFile", {"--show-config", "--target.name=funnel", "--collocation.box=1:2", "--collocation.box="}, {"box =\n"}},
        Question{"KokkosArgumentsPass", {"list", "curves", "--kokkos-disable-warnings"}, {"gradient-flow"}}),
    name_of<Question>);

TEST_F(CommandLine, ListOfOneTopicShowsOnlyThat) {
  const Outcome outcome = run({"list", "targets"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("gmm40 "));
  EXPECT_THAT(outcome.out, Not(HasSubstr("gradient-flow")));
}

TEST_F(CommandLine, QuietListIsSilent) {
  const Outcome outcome = run({"list", "--quiet"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, IsEmpty());
}

// ---- Errors; bad_inputs.txt has many more

TEST_F(CommandLine, RangeOfATargetsKeyIsNamedWithItsPlace) {
  folder.write("a.ini", "[target]\nname = many-well\ndimension = 0\n");
  const Outcome outcome = run({"--show-config", "--config", "a.ini"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, StartsWith("boltzcurve: error: a.ini:3: target.dimension = 0: must be between 2 and "));
}

// ---- Precedence: defaults < files in order < command line

TEST_F(CommandLine, LaterFilesCountMoreAndTheCommandLineMost) {
  folder.write("a.ini", "[target]\nname = funnel\ndimension = 4\n[network]\nwidth = 10\nhidden-layers = 5\n[training]\nsteps = 100\n");
  folder.write("b.ini", "[network]\nwidth = 20\nhidden-layers = 6\n");
  const Outcome outcome = run({"--network.width=30", "--show-config", "--config", "a.ini", "--config=b.ini"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("[network]\nwidth = 30\nhidden-layers = 6\n"));
  EXPECT_THAT(outcome.out, HasSubstr("[training]\nsteps = 100\n"));
  EXPECT_THAT(outcome.out, HasSubstr("dimension = 4\n"));
  EXPECT_THAT(outcome.out, HasSubstr("[curve]\nname = gradient-flow\nhorizon = 0\n"));
}

TEST_F(CommandLine, ShownConfigurationIsReadBackAsItself) {
  const Outcome first =
      run({"--show-config", "--target.name=many-well", "--target.tilt=0.1", "--optimizer.learning-rate=0.30000000000000004"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("learning-rate = 0.30000000000000004\n"));
  folder.write("shown.ini", first.out);
  EXPECT_EQ(run({"--show-config", "--config", "shown.ini"}).out, first.out);
}

TEST_F(CommandLine, FilesThatATargetNeedsAreFoundBesideTheConfigurationAndEndUpInTheShownOne) {
  std::filesystem::create_directory(folder.path() / "configs");
  folder.write("configs/modes.csv", "weight,mean_1,mean_2,sd\n1,0.5,0,1\n3,4,4,2\n");
  folder.write("configs/a.ini", "[target]\nname = gaussian-mixture\nmodes = modes.csv\n");
  const Outcome first = run({"--show-config", "--config", "configs/a.ini"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.out, Not(HasSubstr("modes.csv")));
  folder.write("alone.ini", first.out);
  std::filesystem::remove_all(folder.path() / "configs");
  EXPECT_EQ(run({"--show-config", "--config", "alone.ini"}).out, first.out);
}

TEST_F(CommandLine, AMissingFileOfATargetIsAnInputError) {
  const Outcome outcome = run({"--show-config", "--target.name=gaussian-mixture", "--target.modes=none.csv"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("none.csv"));
}

// Commands and questions write by ways of their own. /dev/full takes what is buffered, and refuses it when it is flushed.
TEST_F(CommandLine, OutputThatCannotBeWrittenIsAnError) {
  for (const std::string words : {"list", "--help", "--version"}) {
    SCOPED_TRACE(words);
    const Outcome outcome = run_program({"sh", "-c", "exec \"$0\" " + words + " > /dev/full", BOLTZCURVE_EXECUTABLE}, folder.path());
    EXPECT_EQ(outcome.exit_code, 3);
    EXPECT_EQ(outcome.err, "boltzcurve: error: cannot write to standard output: No space left on device\n");
  }
}

// ---- Ranks

TEST_F(CommandLine, RanksAnswerOnce) {
  const Outcome outcome = run_program({MPIRUN, "-n", "3", BOLTZCURVE_EXECUTABLE, "list", "schedules"}, folder.path());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("linear "));
  EXPECT_EQ(outcome.out, run({"list", "schedules"}).out);
}

TEST_F(CommandLine, RanksThatWereAskedDifferentThingsStop) {
  const Outcome outcome =
      run_program({MPIRUN, "-n", "1", BOLTZCURVE_EXECUTABLE, "list", "targets", ":", "-n", "1", BOLTZCURVE_EXECUTABLE, "list", "curves"},
                  folder.path());
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("boltzcurve: error: request differs from that of rank 0: "));
  EXPECT_THAT(outcome.err, HasSubstr("list curves' in place of '"));
  EXPECT_THAT(outcome.err, HasSubstr("(on rank 1)"));
}

}  // namespace

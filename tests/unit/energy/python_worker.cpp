// Needs a Python with numpy (PYTHON_WITH_NUMPY); without one these tests are skipped.
#include "energy/python_worker.hpp"
#include "energy/target_error.hpp"
#include "unit/io/scratch_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>

namespace boltzcurve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class PythonWorkers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::string(PYTHON_WITH_NUMPY).empty()) GTEST_SKIP() << "no Python here has numpy: tools/install_dependencies.sh";
  }

  /// Of a function of two coordinates.
  PythonWorker::Settings settings_of(const std::string& text, const std::string& name = "log_density") const {
    std::ofstream(folder_ / "model.py") << text;
    return {(folder_ / "model.py").string() + ":" + name, "auto", PYTHON_WITH_NUMPY, 2, 30};
  }
  std::string file() const { return (folder_ / "model.py").string(); }

 private:
  testing::ScratchFolder folder_;
};

TEST_F(PythonWorkers, EvaluateEnergiesAndGradientsOfAllThatFits) {
  PythonWorker worker(
      settings_of("def log_density_and_gradient(x): return -x[:, 0] - 3 * x[:, 1], 0 * x - [1, 3]", "log_density_and_gradient"));
  EXPECT_THAT(worker.remark(), HasSubstr("by the function itself"));
  const std::size_t count = worker.capacity();
  ASSERT_EQ(worker.points().size(), 2 * count);
  for (std::size_t i = 0; i < 2 * count; ++i) worker.points()[i] = std::sqrt(static_cast<double>(i));
  worker.evaluate(count, true);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_DOUBLE_EQ(worker.energies()[i], worker.points()[2 * i] + 3 * worker.points()[2 * i + 1]);
    EXPECT_EQ(worker.gradients()[2 * i], 1);
    EXPECT_EQ(worker.gradients()[2 * i + 1], 3);
  }
}

TEST_F(PythonWorkers, KnowNothingOfMpiAndLeaveOtherVariables) {
  setenv("OMPI_COMM_WORLD_RANK", "3", 1);
  setenv("PMIX_RANK", "3", 1);
  setenv("OF_MY_OWN", "7", 1);
  PythonWorker worker(
      settings_of("import os\n"
                  "launched = [name for name in os.environ if name.startswith(('OMPI_', 'PMIX_'))]\n"
                  "def log_density(x): return -len(launched) - float(os.environ['OF_MY_OWN']) / 10"));
  unsetenv("OMPI_COMM_WORLD_RANK");
  unsetenv("PMIX_RANK");
  worker.evaluate(1, false);
  EXPECT_EQ(worker.energies()[0], 0.7);
}

TEST_F(PythonWorkers, TellTheErrorOfAFunctionWithItsPlace) {
  PythonWorker worker(settings_of("def log_density(x):\n    return 1 / (x[0] - x[0])\nimport numpy\nnumpy.seterr(all='raise')"));
  worker.points()[0] = worker.points()[1] = 1;
  EXPECT_THAT([&] { worker.evaluate(1, false); },
              ThrowsMessage<TargetError>(AllOf(HasSubstr(file() + ", line 2, in log_density: "), HasSubstr("Error"))));
}

TEST_F(PythonWorkers, WhoseProcessDiesSayHowAndStayDead) {
  PythonWorker worker(settings_of("import os, signal\ndef log_density(x): os.kill(os.getpid(), signal.SIGKILL)"));
  EXPECT_THAT([&] { worker.evaluate(1, false); }, ThrowsMessage<TargetError>(HasSubstr("was ended by signal 9")));
  EXPECT_THAT([&] { worker.evaluate(1, false); }, ThrowsMessage<TargetError>(HasSubstr("has ended")));
  PythonWorker other(settings_of("import os\ndef log_density(x): os._exit(5)"));
  EXPECT_THAT([&] { other.evaluate(1, false); }, ThrowsMessage<TargetError>(HasSubstr("has ended with exit code 5")));
}

TEST_F(PythonWorkers, ThatHangAreEndedAndShowWhere) {
  auto settings = settings_of("import time\ndef log_density(x):\n    time.sleep(1000)\n");
  settings.timeout_seconds = 2;
  ::testing::internal::CaptureStderr();
  PythonWorker worker(settings);
  EXPECT_THAT([&] { worker.evaluate(1, false); }, ThrowsMessage<TargetError>(HasSubstr("has not returned for 2 s")));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("line 3 in log_density"));
}

TEST_F(PythonWorkers, RefuseInterpretersThatAreNotThereOrNoPython) {
  auto settings = settings_of("def log_density(x): return 0.0");
  settings.interpreter = "/nowhere/python";
  EXPECT_THAT([&] { PythonWorker worker(settings); },
              ThrowsMessage<SettingError>("interpreter = /nowhere/python: cannot start it: No such file or directory"));
  settings.interpreter = "/bin/false";
  EXPECT_THAT(
      [&] { PythonWorker worker(settings); },
      ThrowsMessage<SettingError>(AllOf(HasSubstr("interpreter = /bin/false: "), HasSubstr("exit code 1"), HasSubstr("must be a Python"))));
}

}  // namespace
}  // namespace boltzcurve

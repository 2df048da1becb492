#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "core/suggestion.hpp"
#include "energy/host_energy.hpp"
#include "energy/python_worker.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace boltzcurve {
namespace {

/// An energy f = -log density that a Python function computes, in a process beside this one.
class PythonEnergy final : public HostEnergy {
 public:
  PythonEnergy(int dimension, std::unique_ptr<PythonWorker> worker)
      : HostEnergy({.dimension = dimension, .batch = static_cast<std::int64_t>(worker->capacity())}), worker_(std::move(worker)) {}

  std::string remark() const override { return worker_->remark(); }

 private:
  void evaluate_rows(std::span<const double> x, std::span<double> value, std::span<double> gradient) const override {
    std::copy(x.begin(), x.end(), worker_->points().begin());
    worker_->evaluate(value.size(), !gradient.empty());
    std::copy_n(worker_->energies().begin(), value.size(), value.begin());
    std::copy_n(worker_->gradients().begin(), gradient.size(), gradient.begin());
  }

  std::unique_ptr<PythonWorker> worker_;
};

/// Throws SettingError where `function` does not name a file and a function in it, InputError where the file cannot be read.
void check_function(const std::string& function) {
  const auto colon = function.rfind(':');
  const bool has_both =
      colon != std::string::npos && colon > 0 && colon + 1 < function.size() && function.find('/', colon) == std::string::npos;
  if (!has_both) throw SettingError({"function", " = " + function + ": must be a file and a function in it, as model.py:log_density"});
  const std::string file = function.substr(0, colon);
  if (access(file.c_str(), R_OK) != 0) throw InputError("cannot read " + file + ": " + std::strerror(errno));
}

std::unique_ptr<Energy> make(const Parameters& parameters) {
  const long dimension = parameters.integer("dimension");
  check_function(parameters.text("function"));
  const std::string framework = parameters.text("framework");
  const std::vector<std::string> frameworks = {"auto", "numpy", "jax", "torch"};
  if (std::find(frameworks.begin(), frameworks.end(), framework) == frameworks.end())
    throw SettingError({"framework", " = " + framework + ": must be auto, numpy, jax or torch; did you mean " +
                                         nearest_name(framework, frameworks) + "?"});
  return std::make_unique<PythonEnergy>(static_cast<int>(dimension), std::make_unique<PythonWorker>(PythonWorker::Settings{
                                                                         .function = parameters.text("function"),
                                                                         .framework = framework,
                                                                         .interpreter = parameters.text("interpreter"),
                                                                         .dimension = static_cast<std::size_t>(dimension),
                                                                         .timeout_seconds = parameters.real("timeout-seconds")}));
}

/// Paths that start at the folder of the configuration become absolute; the interpreter's only where it is a path.
Parameters::Values absolute_paths(Parameters::Values values, const std::filesystem::path& folder) {
  for (auto& [key, lines] : values) {
    if (lines.empty() || lines[0].empty()) continue;
    const bool is_path = key == "function" || (key == "interpreter" && lines[0].find('/') != std::string::npos);
    if (is_path) lines[0] = std::filesystem::absolute(folder / lines[0]).lexically_normal().string();
  }
  return values;
}

}  // namespace

TargetEntry python_target() {
  using Kind = ParameterSpec::Kind;
  return {"python",
          "a log density written in Python, with numpy, JAX or PyTorch",
          {{"function", Kind::text, "",
            "PATH:NAME, a file and in it a function of one point, or NAME_and_gradient of many; see jobs/README.md"},
           {"dimension", Kind::integer, "", "number of coordinates", 1, 65536},
           {"framework", Kind::text, "auto",
            "what differentiates the function: numpy (differences), jax, torch; auto: by what the file imports"},
           {"interpreter", Kind::text, "python3", "the Python that runs it, such as that of a virtual environment"},
           {"timeout-seconds", Kind::real, "300", "seconds that loading the function, or a batch of 4096 points, may take; 0: for ever", 0,
            1e9}},
          make,
          absolute_paths};
}

}  // namespace boltzcurve

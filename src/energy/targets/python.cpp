#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "core/suggestion.hpp"
#include "energy/host_energy.hpp"
#include "energy/named_file.hpp"
#include "energy/python_worker.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace boltzcurve {
namespace {

/// An energy f = -log density that a Python function computes, in a process beside this one.
class PythonEnergy final : public HostEnergy {
 public:
  PythonEnergy(int dimension, std::unique_ptr<PythonWorker> worker, std::string digest)
      : HostEnergy({.dimension = dimension, .batch = static_cast<std::int64_t>(worker->capacity()), .digest = std::move(digest)}),
        worker_(std::move(worker)) {}

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

/// The file of `function`, "FILE:NAME". Throws SettingError where it does not name a file and a function in it.
std::string file_of(const std::string& function) {
  const auto colon = function.rfind(':');
  const bool has_both =
      colon != std::string::npos && colon > 0 && colon + 1 < function.size() && function.find('/', colon) == std::string::npos;
  if (!has_both) throw SettingError({"function", " = " + function + ": must be a file and a function in it, as model.py:log_density"});
  return function.substr(0, colon);
}

std::unique_ptr<Energy> make(const Parameters& parameters) {
  const long dimension = parameters.integer("dimension");
  const auto digest = digest_of(read_code(file_of(parameters.text("function"))));
  const std::string framework = parameters.text("framework");
  const std::vector<std::string> frameworks = {"auto", "numpy", "jax", "torch"};
  if (std::find(frameworks.begin(), frameworks.end(), framework) == frameworks.end())
    throw SettingError({"framework", " = " + framework + ": must be auto, numpy, jax or torch; did you mean " +
                                         nearest_name(framework, frameworks) + "?"});
  auto worker = std::make_unique<PythonWorker>(PythonWorker::Settings{.function = parameters.text("function"),
                                                                      .framework = framework,
                                                                      .interpreter = parameters.text("interpreter"),
                                                                      .dimension = static_cast<std::size_t>(dimension),
                                                                      .timeout_seconds = parameters.real("timeout-seconds")});
  return std::make_unique<PythonEnergy>(static_cast<int>(dimension), std::move(worker), digest);
}

/// Paths that start at the folder of the configuration become absolute; the interpreter's only where it is a path.
Parameters::Values absolute_paths(Parameters::Values values, const std::filesystem::path& folder) {
  make_absolute(values, "function", folder);
  const auto interpreter = values.find("interpreter");
  if (interpreter != values.end() && !interpreter->second.empty() && interpreter->second[0].find('/') != std::string::npos)
    make_absolute(values, "interpreter", folder);
  return values;
}

}  // namespace

TargetEntry python_target() {
  using Kind = ParameterSpec::Kind;
  return {"python",
          "a log density written in Python, with numpy, JAX or PyTorch",
          {{.key = "function",
            .kind = Kind::text,
            .default_text = "",
            .meaning = "PATH:NAME, a file and in it a function of one point, or NAME_and_gradient of many; see jobs/README.md",
            .names_code = true},
           {"dimension", Kind::integer, "", "number of coordinates", 1, 65536},
           {"framework", Kind::text, "auto",
            "what differentiates the function: numpy (differences), jax, torch; auto: by what the file imports"},
           {.key = "interpreter",
            .kind = Kind::text,
            .default_text = "python3",
            .meaning = "the Python that runs it, such as that of a virtual environment",
            .names_code = true},
           {"timeout-seconds", Kind::real, "300", "seconds that loading the function, or a batch of 4096 points, may take; 0: for ever", 0,
            1e9}},
          make,
          absolute_paths};
}

}  // namespace boltzcurve

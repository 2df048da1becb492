#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace boltzcurve {

/// A process that evaluates a log density written in Python, for this one alone (tools/boltzcurve_tools/target.py, whose text the library
/// holds). Points and results lie in memory that both share, so a batch costs some ten microseconds beside the function itself. The
/// process knows nothing of MPI, ignores the signals by which a run is stopped in good order, prints to stderr only and ends with this one.
///
/// Not for several threads at once.
class PythonWorker {
 public:
  struct Settings {
    std::string function;        ///< PATH:NAME
    std::string framework;       ///< numpy, jax, torch, or auto: by what the file imports
    std::string interpreter;     ///< a path, or a name to search in PATH
    std::size_t dimension = 0;   ///< D
    double timeout_seconds = 0;  ///< that loading the function, or a batch, may take; 0: for ever
  };

  /// Returns when the function is loaded. Throws SettingError of `interpreter` where that cannot be started or is no such Python, of
  /// `function` where there is no such function, or where its file raises an error, whose traceback stands on stderr then.
  explicit PythonWorker(const Settings& settings);
  ~PythonWorker();
  PythonWorker(const PythonWorker&) = delete;
  PythonWorker& operator=(const PythonWorker&) = delete;

  /// So many points fit at once.
  std::size_t capacity() const;

  std::span<double> points();                 ///< [capacity][D]
  std::span<const double> energies() const;   ///< [capacity], minus log densities: +infinity where a density is zero
  std::span<const double> gradients() const;  ///< [capacity][D], of the energies

  /// Computes energies, and gradients if wanted, of the first `count` points. Throws TargetError where the function raises an error
  /// (with its traceback on stderr), returns what it must not or nothing in time, or where its process has died.
  void evaluate(std::size_t count, bool with_gradients);

  /// How gradients come about, in words.
  const std::string& remark() const;

 private:
  class Process;
  std::unique_ptr<Process> process_;
};

}  // namespace boltzcurve

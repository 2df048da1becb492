#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "support/process.hpp"

// A run of the real executable that takes a second: for tests that are no MPI programs themselves. Needs the macros MPIRUN and
// BOLTZCURVE_EXECUTABLE.
namespace boltzcurve::testing_support {

/// Ways to train the gradient flow, by the form of its curve: by matching from a population, which is the default, and by the residual at
/// points from chains.
inline constexpr const char *by_matching = "auto", *by_residual = "contracted";

inline std::string small_config(const std::string& form = by_matching) {
  return "[target]\nname = gaussian-mixture\npreset = two\n[curve]\nhorizon = 2\nform = " + form +
         "\n[network]\nwidth = 16\nhidden-layers = 2\n[normalizer]\nkind = network\n[pilot]\nparticles = 600\n[collocation]\npoints = "
         "700\nbox = -6:6\n[training]\nsteps = 40\nlog-every = 10\n[sampling]\nparticles = 300\nframes = 3\n[evaluation]\n"
         "exact-samples = 200\n";
}

inline std::vector<std::string> command_on(int ranks, const std::vector<std::string>& arguments, int threads = 1) {
  std::vector<std::string> command = {
      "env", "OMP_NUM_THREADS=" + std::to_string(threads), MPIRUN, "--oversubscribe", "-n", std::to_string(ranks), BOLTZCURVE_EXECUTABLE};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

inline Outcome boltzcurve(const TemporaryFolder& folder, int ranks, const std::vector<std::string>& arguments, int threads = 1) {
  return run_program(command_on(ranks, arguments, threads), folder.path());
}

/// Without a launcher, which takes a second or two to end where the exit code is not 0.
inline Outcome alone(const TemporaryFolder& folder, std::vector<std::string> arguments) {
  for (const auto* word : {BOLTZCURVE_EXECUTABLE, "OMP_NUM_THREADS=1", "env"}) arguments.insert(arguments.begin(), word);
  return run_program(arguments, folder.path());
}

/// Whether something comes true within a time that only a hang exceeds.
inline bool wait_for(const std::function<bool()>& come_true, double seconds = 120) {
  const auto start = std::chrono::steady_clock::now();
  while (!come_true()) {
    if (std::chrono::steady_clock::now() - start > std::chrono::duration<double>(seconds)) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

/// What tells two files, or one object in both, apart: empty if they are equal. h5diff ends with 0 where shapes differ; h5ls lists them.
inline std::string difference(const TemporaryFolder& folder, const std::string& first, const std::string& second,
                              const std::string& object) {
  const auto outcome = run_program({"h5diff", "--nan", "-v1", first, second, object}, folder.path());
  if (outcome.exit_code != 0) return outcome.out + outcome.err;
  const auto shapes = [&](const std::string& file) { return run_program({"h5ls", "-r", file + object}, folder.path()).out; };
  const auto of_first = shapes(first), of_second = shapes(second);
  return of_first == of_second ? std::string() : of_first + " against\n" + of_second;
}

}  // namespace boltzcurve::testing_support

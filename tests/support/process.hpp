#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace boltzcurve::testing_support {

/// What a program left behind.
struct Outcome {
  int exit_code = -1;  ///< 128 + signal for a program that a signal ended, as shells have it
  std::string out, err;
  double seconds = 0;
};

/// Runs a program (found by PATH unless it has a slash) in `folder` and waits for it. Throws std::system_error where it cannot be started.
Outcome run_program(const std::vector<std::string>& command, const std::filesystem::path& folder);

/// A new folder that is gone with everything in it when this is.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& file, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

}  // namespace boltzcurve::testing_support

#pragma once

#include <chrono>
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

/// A program at work (found by PATH unless it has a slash), started in `folder` in a process group of its own; killed if it still runs when
/// this ends. Throws std::system_error where it cannot be started.
class Program {
 public:
  Program(const std::vector<std::string>& command, const std::filesystem::path& folder);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  int pid() const { return pid_; }
  bool is_running();
  void send(int signal) const;

  /// Its descendants of that name, the lowest number first.
  std::vector<int> descendants(const std::string& name) const;
  /// Those that a launcher of MPI has started, by their rank: numbers of processes need not follow it (Open MPI 6).
  std::vector<int> ranks(const std::string& name) const;

  /// Until it ends.
  Outcome wait();

 private:
  std::string name_;
  TemporaryFolder captured_;
  std::chrono::steady_clock::time_point start_;
  int pid_ = -1, status_ = 0;
  bool ended_ = false;
};

/// Runs a program and waits for it.
Outcome run_program(const std::vector<std::string>& command, const std::filesystem::path& folder);

}  // namespace boltzcurve::testing_support

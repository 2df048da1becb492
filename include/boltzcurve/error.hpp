#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace boltzcurve {

/// What the process tells its caller when it ends.
enum class ExitCode : int {
  done = 0,
  internal_error = 1,
  usage = 2,              ///< command line or configuration
  input = 3,              ///< a file: missing, corrupt, disk full
  numerical_failure = 4,  ///< diverged
  stopped_resumable = 75  ///< stopped early on request; a later run can go on from the checkpoint
};

/// An error that a user can act on. The text says what is wrong, where (option, file, dataset), which value was found and what would
/// be right.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& what) : std::runtime_error(what), code_(code) {}
  ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// The command line or the configuration is wrong. Example: "network.width = 0: must be between 1 and 65536".
class ConfigError : public Error {
 public:
  explicit ConfigError(const std::string& what) : Error(ExitCode::usage, what) {}
};

/// A setting of a module is wrong. what() names it as the module does, as in "width = 0: must be between 1 and 65536"; a program that keeps
/// settings in sections names it so with in_section().
class SettingError : public ConfigError {
 public:
  /// The text in pieces: names of settings and what is said of them, in turn, a name first. `group`: whose settings these are ("latent"),
  /// where not of the module that the caller had asked.
  explicit SettingError(std::vector<std::string> pieces, std::string group = {})
      : ConfigError(joined("", pieces)), pieces_(std::move(pieces)), group_(std::move(group)) {}

  /// The same text with "section." before every name, or with the name of the group.
  ConfigError in_section(const std::string& section) const {
    return ConfigError(joined((group_.empty() ? section : group_) + ".", pieces_));
  }

 private:
  static std::string joined(const std::string& prefix, const std::vector<std::string>& pieces) {
    std::string text;
    for (std::size_t i = 0; i < pieces.size(); ++i) text += (i % 2 == 0 ? prefix : "") + pieces[i];
    return text;
  }

  std::vector<std::string> pieces_;
  std::string group_;
};

/// A file cannot be read or written. Example: "cannot read modes.csv, line 3: expected 4 numbers, found 3".
class InputError : public Error {
 public:
  explicit InputError(const std::string& what) : Error(ExitCode::input, what) {}
};

/// The same of a file that may be whole, for all that is known: the system would not read it, or a newer program wrote it. Nobody takes
/// such a file for damaged, and puts another in its place.
class NotDamaged : public InputError {
 public:
  using InputError::InputError;
};

/// The computation left the realm of finite numbers and cannot go on.
class NumericalError : public Error {
 public:
  explicit NumericalError(const std::string& what) : Error(ExitCode::numerical_failure, what) {}
};

}  // namespace boltzcurve

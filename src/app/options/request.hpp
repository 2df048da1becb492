#pragma once

#include "app/options/options.hpp"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace boltzcurve {

/// A command as the command line knows it.
struct CommandDescription {
  std::string name;
  std::string arguments;  ///< what follows the name, in brackets what may be left out ("ACTION [FILE]"); empty: nothing
  std::string summary;    ///< one line
};

/// What a run goes on from instead of beginning: training from a checkpoint, sampling from the particles that are finished.
struct ResumeRequest {
  bool automatic = false;      ///< --resume=auto: from the newest checkpoint that is valid, or from the start where there is none
  std::filesystem::path from;  ///< a checkpoint, or a folder for the newest in it; empty: the output folder
};

/// Options of `boltzcurve sweep`.
struct SweepRequest {
  std::string rows;       ///< of the manifest, as "0-3,7"; empty: all
  int ranks_per_run = 0;  ///< 0: as the sweep file says
  bool failed = false;    ///< plan failed rows again
};

/// An option that is no key of the configuration, or a short name of one.
struct CommonOption {
  std::string_view name, value;  ///< `value`: its name in the help, empty for a switch, in brackets where it may be left out
  std::string_view key;          ///< the key that it is short for, else empty
  std::string_view meaning;
  std::string_view command = {};  ///< the only one that has it; empty: all
};

/// All of them, in the order of the help.
std::span<const CommonOption> common_option_descriptions();

/// What the command line asks for.
struct Request {
  enum class Question { none, show_config, version, help };  // of several, the last of this list counts

  Question question = Question::none;       ///< answered instead of doing anything
  std::string command;                      ///< name of one of the commands; may be empty beside a question
  std::string argument;                     ///< what followed it, if anything
  std::vector<std::string> more_arguments;  ///< and what came behind that
  bool validate = false;                    ///< parse, allocate, estimate, one step, quit
  bool quiet = false;                       ///< nothing on the terminal but errors
  std::optional<ResumeRequest> resume;
  double max_walltime = 0;  ///< seconds from the program's start by which to stop in good order; 0: none
  SweepRequest sweep;
  bool accept_changes = false;         ///< resume also where changed options make another training of it
  std::filesystem::path output = ".";  ///< folder of all files
  std::vector<OptionSource> sources;   ///< configuration files in their order, then the command line
  std::string command_line;            ///< as one line, quoted for a shell

  /// All of it as text, to compare between ranks.
  std::string text() const;
};

/// Reads `boltzcurve COMMAND [ARGUMENT]... [--config FILE]... [--section.key=value]...` and the files it names. Options may stand anywhere;
/// `--option value` and `--option=value` mean the same; of an option given twice the later counts. Arguments that begin with --kokkos-
/// are left to Kokkos. Keys are checked here, values by resolve_options().
/// Throws ConfigError for an unknown command or option (naming the nearest one) and a missing value, InputError for an unreadable file.
Request parse_command_line(int argc, const char* const* argv, std::span<const CommandDescription> commands);

/// The help: of the program where `command` is empty, else of that command.
std::string help_text(std::span<const CommandDescription> commands, const std::string& command);

}  // namespace boltzcurve

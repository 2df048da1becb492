#include "app/options/request.hpp"
#include <boltzcurve/error.hpp>
#include "core/pattern.hpp"
#include "core/suggestion.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>

namespace boltzcurve {
namespace {

constexpr std::array common_options = {
    CommonOption{"config", "FILE", "", "read options from an INI file; may be repeated, later files count more"},
    CommonOption{"output", "DIR", "", "folder of all files, made if missing (default: the current one)"},
    CommonOption{"resume", "[=PATH|auto]", "",
                 "go on from the checkpoint in the output folder, or PATH; auto: from the start where there is none"},
    CommonOption{"accept-changes", "", "", "resume also with options that make another training of it"},
    CommonOption{"max-walltime", "TIME", "",
                 "stop in good order in time to be done by then, in seconds or [DAYS-]HOURS:MINUTES:SECONDS from the start (exit code 75)"},
    CommonOption{"seed", "N", "run.seed", "short for --run.seed"},
    CommonOption{"precision", "NAME", "run.precision", "short for --run.precision: float or double"},
    CommonOption{"reduction", "NAME", "run.reduction", "short for --run.reduction: reproducible or fast"},
    CommonOption{"rows", "ROWS", "", "the rows of the manifest to run, for example 0-3,7 (default: all)", "sweep"},
    CommonOption{"ranks-per-run", "N", "", "ranks that work on a run together (default: as the sweep file says)", "sweep"},
    CommonOption{"failed", "", "", "plan: rows that failed are to be run again, from the start", "sweep"},
    CommonOption{"validate", "", "", "parse, allocate, estimate memory and file sizes, do one step, quit"},
    CommonOption{"show-config", "", "", "print all options as a configuration file and quit"},
    CommonOption{"quiet", "", "", "print nothing but warnings and errors"},
    CommonOption{"version", "", "", "print version, compiler, flags and libraries and quit"},
    CommonOption{"help", "", "", "print help, after a command with all its keys, and quit"},
};

std::string quoted(const std::string& word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+.,:/@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string text = "'";
  for (const char letter : word) text += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  text += "'";
  return text;
}

std::vector<std::string> all_option_names() {
  std::set<std::string> names;  // targets share some keys
  for (const auto& option : common_options) names.emplace(option.name);
  for (const auto& description : option_descriptions()) names.insert(description.name());
  return {names.begin(), names.end()};
}

[[noreturn]] void throw_unknown_option(const std::string& name) {
  throw ConfigError(fmt::format("command line: unknown option --{}; did you mean --{}?", name, nearest_name(name, all_option_names())));
}

/// "5400", "1:30:00", "1-12:00:00".
double walltime_from(const std::string& text) {
  const auto part = groups_of(text, "([0-9]{1,9}([.][0-9]{1,9})?)|(([0-9]{1,5})-)?([0-9]{1,6}):([0-9]{1,2}):([0-9]{1,2})");
  double seconds = 0;
  if (!part.empty()) {
    const auto number = [&](std::size_t i) { return part[i].empty() ? 0.0 : std::stod(part[i]); };
    seconds = part[1].empty() ? ((number(4) * 24 + number(5)) * 60 + number(6)) * 60 + number(7) : number(1);
  }
  if (seconds > 0) return seconds;
  throw ConfigError(
      fmt::format("command line: --max-walltime = {}: must be seconds, or hours:minutes:seconds with or without days- before, for example "
                  "5400 or 1:30:00",
                  text));
}

int ranks_from(const std::string& text) {
  constexpr int most = 9'999'999;
  if (const auto ranks = number_from<int>(text); ranks && *ranks > 0 && *ranks <= most) return *ranks;
  throw ConfigError(fmt::format("command line: --ranks-per-run = {}: must be a whole number from 1 on", text));
}

/// How many words may follow a command: those of "ACTION [FILE]".
std::size_t max_arguments_of(const CommandDescription& command) {
  std::istringstream words(command.arguments);
  std::size_t count = 0;
  for (std::string word; words >> word;) ++count;
  return count;
}

std::string usage_of(const CommandDescription& command) {
  return fmt::format("boltzcurve {} {}[options]", command.name, command.arguments.empty() ? "" : command.arguments + " ");
}

std::vector<boost::program_options::option> split(const std::vector<std::string>& arguments) {
  namespace po = boost::program_options;
  po::options_description known;
  for (const auto& name : all_option_names()) {
    const auto common = std::find_if(common_options.begin(), common_options.end(), [&](const auto& option) { return option.name == name; });
    if (common != common_options.end() && common->value.empty())
      known.add_options()(name.c_str(), "");
    else if (common != common_options.end() && common->value.starts_with('['))
      known.add_options()(name.c_str(), po::value<std::string>()->implicit_value(""), "");
    else
      known.add_options()(name.c_str(), po::value<std::string>(), "");
  }
  // No abbreviations: a new key would change what an old command line means. No single dash: negative numbers are values.
  using namespace po::command_line_style;
  constexpr int style = allow_long | long_allow_adjacent | long_allow_next;
  try {
    return po::command_line_parser(arguments).options(known).style(style).run().options;
  } catch (const po::unknown_option& error) {
    std::string name = error.get_option_name();
    name.erase(0, name.find_first_not_of('-'));
    throw_unknown_option(name.substr(0, name.find('=')));
  } catch (const po::error& error) {
    throw ConfigError(std::string("command line: ") + error.what());
  }
}

}  // namespace

std::span<const CommonOption> common_option_descriptions() { return common_options; }

std::string Request::text() const {
  std::string all = command_line + "\n";
  for (const auto& source : sources)
    for (const auto& assignment : source.assignments)
      all += fmt::format("{}: {} = {}\n", assignment.where, assignment.key, assignment.value);
  return all;
}

Request parse_command_line(int argc, const char* const* argv, std::span<const CommandDescription> commands) {
  Request request;
  std::vector<std::string> arguments;
  for (int i = 0; i < argc; ++i) {
    const std::string argument = argv[i];
    request.command_line.append(i > 0 ? " " : "").append(quoted(argument));
    if (i == 0 || argument.starts_with("--kokkos-")) continue;
    arguments.push_back(argument == "-h" ? "--help" : argument);
    // Boost's parser takes an empty value only as a word of its own.
    if (argument.starts_with("--") && argument.find('=') + 1 == argument.size()) {
      arguments.back().pop_back();
      arguments.emplace_back();
    }
  }
  if (arguments.empty()) request.question = Request::Question::help;

  std::vector<std::string> words;
  std::vector<const CommonOption*> given;
  OptionSource from_command_line{{}, std::filesystem::current_path(), true};
  for (const auto& option : split(arguments)) {
    const auto& name = option.string_key;
    const auto value = option.value.empty() ? std::string() : option.value.front();
    const auto common = std::find_if(common_options.begin(), common_options.end(), [&](const auto& known) { return known.name == name; });
    if (common != common_options.end()) given.push_back(common);
    if (option.position_key >= 0)
      words.push_back(value);
    else if (name == "config" && value.empty())
      throw ConfigError("command line: --config needs the name of a file");
    else if (name == "config")
      request.sources.push_back(read_config_file(value));
    else if (name == "output")
      request.output = value;
    else if (name == "resume")
      request.resume = {value == "auto", value == "auto" ? std::string() : value};
    else if (name == "max-walltime")
      request.max_walltime = walltime_from(value);
    else if (name == "rows")
      request.sweep.rows = value;
    else if (name == "ranks-per-run")
      request.sweep.ranks_per_run = ranks_from(value);
    else if (name == "failed")
      request.sweep.failed = true;
    else if (name == "accept-changes")
      request.accept_changes = true;
    else if (name == "validate")
      request.validate = true;
    else if (name == "quiet")
      request.quiet = true;
    else if (name == "help")
      request.question = std::max(request.question, Request::Question::help);
    else if (name == "version")
      request.question = std::max(request.question, Request::Question::version);
    else if (name == "show-config")
      request.question = std::max(request.question, Request::Question::show_config);
    else
      from_command_line.assignments.push_back(
          {common != common_options.end() ? std::string(common->key) : name, std::string(trimmed(value)), "command line"});
  }
  request.sources.push_back(std::move(from_command_line));
  if (request.output.empty()) throw ConfigError("command line: --output needs the name of a folder");

  if (request.accept_changes && !request.resume)
    throw ConfigError("command line: --accept-changes is for a run that goes on: give --resume too, or leave it out");

  for (const auto& word : words)
    if (word.starts_with("-")) throw ConfigError(fmt::format("command line: unknown option {}; options begin with two dashes", word));
  if (words.empty()) {
    if (request.question != Request::Question::none) return request;
    throw ConfigError("command line: no command given; see: boltzcurve --help");
  }
  request.command = words[0];
  const auto command = std::find_if(commands.begin(), commands.end(), [&](const auto& known) { return known.name == words[0]; });
  if (command == commands.end()) {
    std::vector<std::string> names;
    for (const auto& known : commands) names.push_back(known.name);
    throw ConfigError(fmt::format("command line: unknown command '{}'; did you mean {}?", words[0], nearest_name(words[0], names)));
  }
  for (const auto& option : given)
    if (!option->command.empty() && option->command != command->name)
      throw ConfigError(fmt::format("command line: --{} is for {}, not for {}", option->name, option->command, command->name));
  const auto given_words = words.size() - 1, most = max_arguments_of(*command);
  if (given_words > most) throw ConfigError(fmt::format("command line: '{}' is too much; usage: {}", words[1 + most], usage_of(*command)));
  if (given_words > 0) request.argument = words[1];
  if (given_words > 1) request.more_arguments.assign(words.begin() + 2, words.end());
  return request;
}

std::string help_text(std::span<const CommandDescription> commands, const std::string& command) {
  std::string text;
  const auto described = std::find_if(commands.begin(), commands.end(), [&](const auto& known) { return known.name == command; });
  if (described == commands.end()) {
    text += "Samples from Boltzmann densities along learned curves of densities.\n\nUsage: boltzcurve COMMAND [options]\n\nCommands:\n";
    for (const auto& known : commands)
      text +=
          fmt::format("  {:<22}  {}\n", known.name + (known.arguments.empty() ? "" : fmt::format(" {}", known.arguments)), known.summary);
  } else {
    text += fmt::format("Usage: {}\n\n  {}\n", usage_of(*described), described->summary);
  }
  text += "\nOptions:\n";
  for (const auto& option : common_options) {
    if (!option.command.empty() && option.command != command) continue;
    text +=
        fmt::format("  {:<22}  {}\n",
                    fmt::format("--{}{}{}", option.name, option.value.empty() || option.value.starts_with('[') ? "" : " ", option.value),
                    option.meaning);
  }
  text += fmt::format("  {:<22}  {}\n", "--SECTION.KEY VALUE", "any key of a configuration; counts more than files");
  if (described == commands.end())
    text += "\nAll keys with default, unit, meaning and range: boltzcurve COMMAND --help\n";
  else
    text += "\nKeys: default, meaning [unit] (range)\n" + options_help();
  text +=
      "\nExit codes: 0 done, 1 internal error, 2 usage or configuration, 3 input or file, 4 numerical failure, 75 stopped early on request "
      "(can be resumed)\n";
  return text;
}

}  // namespace boltzcurve

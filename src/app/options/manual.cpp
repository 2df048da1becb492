#include "app/options/manual.hpp"
#include <boltzcurve/registry.hpp>
#include <boltzcurve/version.hpp>
#include "io/build.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

/// The names among which a key chooses ("a | b | c"), if it does.
std::vector<std::string> names_of(const std::string& range) {
  constexpr std::string_view between = " | ";
  std::vector<std::string> names;
  if (range.find(between) == std::string::npos) return names;
  for (std::size_t begin = 0; begin <= range.size();) {
    const auto end = std::min(range.find(between, begin), range.size());
    names.push_back(range.substr(begin, end - begin));
    begin = end + between.size();
  }
  const auto is_name = [](const std::string& word) { return !word.empty() && word.find_first_of(" <>,") == std::string::npos; };
  return std::all_of(names.begin(), names.end(), is_name) ? names : std::vector<std::string>();
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// Text for roff: a backslash is itself, hyphens are those of the keyboard, and no line begins with a control character.
std::string roff(std::string_view words) {
  std::string text;
  for (const char letter : words) {
    if (letter == '\\')
      text += "\\e";
    else if (letter == '-')
      text += "\\-";
    else
      text += letter;
  }
  if (!text.empty() && (text[0] == '.' || text[0] == '\'')) text.insert(0, "\\&");
  return text;
}

std::string item(const std::string& name, const std::string& value, const std::string& meaning) {
  return fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", roff(name), value.empty() ? "" : fmt::format(" \\fI{}\\fR", roff(value)), roff(meaning));
}

struct NamedText {
  std::string_view name, text;
};

constexpr NamedText files[] = {
    {"config.ini", "the resolved configuration, enough to repeat the run"},
    {"checkpoint.h5", "all that training goes on from"},
    {"metrics.h5", "the course of training and of evaluations, a row at a time"},
    {"samples.h5md", "particles, their weights and frames of them, H5MD 1.1"},
    {"evaluation.json", "the metrics, one flat object; null where unknown"},
    {"STOP", "made by anybody: the run stops in good order and removes it"},
};

constexpr NamedText exit_codes[] = {
    {"0", "done"},
    {"1", "internal error"},
    {"2", "wrong command line or configuration"},
    {"3", "a file: missing, corrupt, or no space to write it"},
    {"4", "the computation diverged; the last good checkpoint is kept"},
    {"75", "stopped early on request; can be resumed"},
};

}  // namespace

std::string bash_completion(std::span<const CommandDescription> commands, std::span<const std::string> topics) {
  std::vector<std::string> command_names, options;
  std::map<std::string, std::vector<std::string>> values;  // of options that choose among names
  for (const auto& command : commands) command_names.push_back(command.name);
  std::set<std::string> keys;
  for (const auto& option : option_descriptions()) {
    keys.insert("--" + option.name());
    if (auto names = names_of(option.range); !names.empty()) values["--" + option.name()] = std::move(names);
  }
  for (const auto& target : target_entries()) values["--target.name"].push_back(target.name);
  for (const auto& latent : latent_entries()) values["--latent.name"].push_back(latent.name);
  for (const auto& option : common_option_descriptions()) {
    const auto name = fmt::format("--{}", option.name);
    options.push_back(name);
    if (const auto of_key = values.find(fmt::format("--{}", option.key)); of_key != values.end()) values[name] = of_key->second;
  }
  options.insert(options.end(), keys.begin(), keys.end());

  std::string cases;
  for (const auto& [option, names] : values) cases += fmt::format("    {}) words='{}' ;;\n", option, joined(names));
  return fmt::format(R"(# bash completion for boltzcurve {version}, made by: boltzcurve list completion
_boltzcurve() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} option=${{COMP_WORDS[COMP_CWORD-1]}} words=
  COMPREPLY=()
  # Bash takes --key=value for three words.
  if [ "$word" = = ]; then
    word=
  elif [ "$option" = = ]; then
    option=${{COMP_WORDS[COMP_CWORD-2]}}
  fi
  case $option in
    --config) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    --resume) words=auto ;;
    list) words='{topics}' ;;
    sweep) words='plan run status collect' ;;
{cases}    *)
      if [ "$COMP_CWORD" -eq 1 ]; then words='{commands}'; fi
      case $word in -*) words='{options}' ;; esac
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}}
complete -F _boltzcurve boltzcurve
)",
                     fmt::arg("version", version()), fmt::arg("topics", joined({topics.begin(), topics.end()})), fmt::arg("cases", cases),
                     fmt::arg("commands", joined(command_names)), fmt::arg("options", joined(options)));
}

std::string man_page(std::span<const CommandDescription> commands) {
  std::string text = fmt::format(
      ".TH BOLTZCURVE 1 \"\" \"boltzcurve {}\" \"User Commands\"\n"
      ".SH NAME\nboltzcurve \\- sample from Boltzmann densities along learned curves of densities\n"
      ".SH SYNOPSIS\n.B boltzcurve\n.I COMMAND\n[\\fB\\-\\-config\\fR "
      "\\fIFILE\\fR]...\n[\\fB\\-\\-\\fIsection\\fB.\\fIkey\\fB=\\fIvalue\\fR]...\n"
      ".PP\n.B mpirun \\-n\n.I N\n.B boltzcurve\n.I COMMAND\n[...]\n"
      ".SH DESCRIPTION\nDraws independent samples, with importance weights, from a density known only as exp(\\-f) up to a constant. It "
      "learns a\n"
      "curve of densities between an easy law and the target, moves particles along it with a differential equation, and estimates the\n"
      "normalizing constant on the way.\n.PP\nThe same seed gives the same files, bit for bit, on any number of ranks. Later sources of "
      "options win\n"
      "over earlier ones: defaults, the checkpoint, files in their order, the command line.\n",
      roff(version()));
  text += ".SH COMMANDS\n";
  for (const auto& command : commands) text += item(command.name, command.arguments, command.summary);
  text += ".SH OPTIONS\n";
  for (const auto& option : common_option_descriptions())
    text += item(fmt::format("--{}", option.name), std::string(option.value), std::string(option.meaning));
  text += ".SH KEYS\nIn a configuration file: a line [section], then lines key = value. On the command line: \\-\\-section.key=value.\n";
  std::string section;
  for (const auto& option : option_descriptions()) {
    if (option.section != section) {
      section = option.section;
      text += fmt::format(".SS [{}]\n", roff(section));
    }
    text += item(option.key, option.owner.empty() ? "" : fmt::format("({})", option.owner),
                 fmt::format("{}. Range: {}{}. Default: {}.", option.meaning, option.range,
                             option.unit.empty() ? "" : fmt::format(" [{}]", option.unit),
                             option.default_text.empty() ? "none" : option.default_text));
  }
  text += ".SH FILES\nIn the folder that \\-\\-output names:\n";
  for (const auto& file : files) text += item(std::string(file.name), "", std::string(file.text));
  text += ".SH EXIT STATUS\n";
  for (const auto& code : exit_codes) text += item(std::string(code.name), "", std::string(code.text));
  text +=
      ".SH EXAMPLES\n.nf\nmpirun \\-n 4 boltzcurve run \\-\\-config jobs/configs/gmm40.ini \\-\\-seed 7 \\-\\-output runs/gmm40\n"
      "boltzcurve run \\-\\-config jobs/configs/gmm40.ini \\-\\-validate\nboltzcurve list targets\n.fi\n"
      ".SH SEE ALSO\n.BR mpirun (1)\n";
  return text;
}

}  // namespace boltzcurve

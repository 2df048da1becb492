#include "app/options/completion.hpp"
#include <boltzcurve/registry.hpp>
#include <boltzcurve/version.hpp>

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

}  // namespace boltzcurve

#include "app/options/options.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace boltzcurve {

std::string options_help() {
  std::size_t key_width = 0, default_width = 0;
  for (const auto& option : option_descriptions()) {
    key_width = std::max(key_width, option.name().size() + 2);
    default_width = std::max(default_width, option.default_text.size());
  }
  std::string text, section, owner;
  for (const auto& option : option_descriptions()) {
    if (option.section != section) {
      section = option.section;
      owner.clear();
      text += fmt::format("\n[{}]\n", section);
    }
    if (option.owner != owner) {
      owner = option.owner;
      text += fmt::format("  of {}:\n", owner);
    }
    text += fmt::format("  {:<{}}  {:<{}}  {}{} ({})\n", fmt::format("--{}", option.name()), key_width, option.default_text, default_width,
                        option.meaning, option.unit.empty() ? "" : fmt::format(" [{}]", option.unit), option.range);
  }
  return text;
}

std::string options_reference() {
  std::string text, section;
  const auto cell = [](const std::string& words) {
    std::string escaped;
    for (const char letter : words) escaped.append(letter == '|' ? "\\" : "").push_back(letter);
    return escaped;
  };
  for (const auto& option : option_descriptions()) {
    if (option.section != section) {
      text += fmt::format("{}## [{}]\n\n| key | default | range | unit | meaning |\n|---|---|---|---|---|\n", section.empty() ? "" : "\n",
                          option.section);
      section = option.section;
    }
    text += fmt::format("| `{}`{} | {} | {} | {} | {} |\n", option.key, option.owner.empty() ? "" : fmt::format(" ({})", option.owner),
                        cell(option.default_text), cell(option.range), option.unit, cell(option.meaning));
  }
  return text;
}

}  // namespace boltzcurve

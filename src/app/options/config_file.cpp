#include <boltzcurve/error.hpp>
#include "app/options/options.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>

namespace boltzcurve {
namespace {

constexpr const char* blanks = " \t\r";
constexpr std::size_t longest_file = std::size_t{64} << 20;  // devices never end

/// The text without ;-comments (Boost's parser knows only #), line for line, and the numbers of the lines that assign something.
struct Filtered {
  std::string text;
  std::vector<int> assignment_lines;
};

Filtered filter(const std::string& text) {
  Filtered filtered;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    line.erase(std::min(line.find_first_of(";#"), line.size()));
    filtered.text += line + '\n';
    const auto first = line.find_first_not_of(blanks);
    if (first == std::string::npos) continue;
    const bool is_section = line[first] == '[' && line[line.find_last_not_of(blanks)] == ']';
    if (!is_section) filtered.assignment_lines.push_back(number);
  }
  return filtered;
}

}  // namespace

OptionSource parse_config(const std::string& text, const std::string& name, const std::filesystem::path& folder) {
  namespace po = boost::program_options;
  const auto place = [&](auto line) { return name + ":" + std::to_string(line); };
  if (const auto zero = text.find('\0'); zero != std::string::npos)
    throw ConfigError(place(1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(zero), '\n')) +
                      ": holds a zero byte: this is no text file");
  constexpr std::string_view mark = "\xEF\xBB\xBF";  // that some editors put before UTF-8
  const Filtered filtered = filter(text.starts_with(mark) ? text.substr(mark.size()) : text);

  std::istringstream stream(filtered.text);
  OptionSource source{{}, folder, false};
  try {
    constexpr bool take_unknown_keys = true;  // resolve_options knows the keys, and the nearest one
    const auto parsed = po::parse_config_file(stream, po::options_description(), take_unknown_keys);
    for (std::size_t i = 0; i < parsed.options.size(); ++i) {
      const auto& option = parsed.options[i];
      source.assignments.push_back(
          {option.string_key, option.value.empty() ? "" : option.value.front(), place(filtered.assignment_lines.at(i))});
    }
  } catch (const po::error&) {
    // The parser stops behind the line that it does not understand.
    const auto end = filtered.text.begin() + static_cast<std::ptrdiff_t>(stream.tellg());
    const auto number = std::count(filtered.text.begin(), end, '\n');
    std::istringstream original(text);
    std::string line;
    for (auto i = number; i > 0; --i) std::getline(original, line);
    throw ConfigError(place(number) + ": cannot read '" + line + "'; expected [section], key = value or a comment behind ; or #");
  }
  return source;
}

std::string read_configuration(const std::filesystem::path& file, const std::string& kind) {
  const auto fail = [&](const std::string& reason) { throw InputError("cannot read " + kind + " " + file.string() + ": " + reason); };
  std::error_code unreadable;
  if (std::filesystem::is_directory(file, unreadable)) fail("it is a folder");
  errno = 0;
  std::ifstream stream(file);
  if (!stream) fail(std::strerror(errno));
  std::string text(longest_file + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) fail(std::strerror(errno));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > longest_file) fail("it is longer than 64 MiB: this is no configuration");
  return text;
}

OptionSource read_config_file(const std::filesystem::path& file) {
  return parse_config(read_configuration(file, "config file"), file.string(), file.parent_path());
}

}  // namespace boltzcurve

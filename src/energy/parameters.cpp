#include "core/text.hpp"

#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "core/suggestion.hpp"

#include <algorithm>
#include <cmath>

namespace boltzcurve {
namespace {

using Kind = ParameterSpec::Kind;

std::string must_be(const ParameterSpec& spec) {
  const bool below = std::isfinite(spec.lower), above = std::isfinite(spec.upper);
  if (!below && !above) return "must be finite";
  if (below && above) return "must be between " + format_real(spec.lower) + " and " + format_real(spec.upper);
  return below ? "must be at least " + format_real(spec.lower) : "must be at most " + format_real(spec.upper);
}

/// `all` is the value that `text` is, or stands in.
void check_number(const ParameterSpec& spec, const std::string& all, std::string_view text) {
  const bool valid = spec.kind != Kind::integer || parse_integer(text);
  const auto number = parse_real(text);
  if (!valid || !number)
    throw SettingError({spec.key, " = " + all + ": '" + std::string(text) + "' is not " +
                                      (spec.kind == Kind::integer ? "an integer" : "a number") + ": " + must_be(spec)});
  if (*number < spec.lower || *number > spec.upper) throw SettingError({spec.key, " = " + all + ": " + must_be(spec)});
}

void check(const ParameterSpec& spec, const std::vector<std::string>& lines) {
  if (spec.kind != Kind::text_lines && lines.size() != 1) {
    throw SettingError({spec.key, ": given " + std::to_string(lines.size()) + " times: must be given once"});
  }
  if (spec.kind == Kind::text || spec.kind == Kind::text_lines) return;
  if (spec.kind != Kind::real_list) return check_number(spec, lines[0], lines[0]);
  const auto pieces = split_list(lines[0]);
  if (pieces.empty()) throw SettingError({spec.key, " = " + lines[0] + ": expected numbers, separated by blanks or commas"});
  for (const auto piece : pieces) check_number(spec, lines[0], piece);
}

/// A key given with nothing after it has no value, like one not given.
bool is_blank(const std::vector<std::string>& lines) {
  return std::all_of(lines.begin(), lines.end(), [](const std::string& line) { return trimmed(line).empty(); });
}

}  // namespace

Parameters::Parameters(const std::string& owner, const std::vector<ParameterSpec>& specs, const Values& given) {
  std::vector<std::string> known;
  for (const ParameterSpec& spec : specs) known.push_back(spec.key);
  for (const auto& [key, lines] : given) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string nearest = nearest_name(key, known);
    if (nearest.empty()) throw SettingError({key, ": unknown option of " + owner + ", which has none"});
    throw SettingError({key, ": unknown option of " + owner + "; did you mean ", nearest, "?"});
  }
  for (const ParameterSpec& spec : specs) {
    const auto found = given.find(spec.key);
    const bool absent = found == given.end() || (is_blank(found->second) && spec.default_text.empty());
    if (absent && spec.default_text.empty()) continue;
    const auto& lines = values_[spec.key] = absent ? std::vector<std::string>{spec.default_text} : found->second;
    check(spec, lines);
  }
}

bool Parameters::has(const std::string& key) const { return values_.contains(key); }

std::vector<std::string> Parameters::lines(const std::string& key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) throw SettingError({key, ": has no value, but one is needed"});
  return found->second;
}

std::string Parameters::text(const std::string& key) const { return std::string(trimmed(lines(key).at(0))); }

long Parameters::integer(const std::string& key) const {
  const std::string word = text(key);
  if (const auto number = parse_integer(word)) return *number;
  throw SettingError({key, " = " + word + ": is not an integer"});
}

double Parameters::real(const std::string& key) const {
  const std::string word = text(key);
  if (const auto number = parse_real(word)) return *number;
  throw SettingError({key, " = " + word + ": is not a number"});
}

std::vector<double> Parameters::real_list(const std::string& key) const {
  std::vector<double> numbers;
  const std::string words = text(key);
  for (const auto word : split_list(words)) {
    const auto number = parse_real(word);
    if (!number) throw SettingError({key, " = " + words + ": '" + std::string(word) + "' is not a number"});
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace boltzcurve

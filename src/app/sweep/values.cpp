#include "app/sweep/values.hpp"
#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/error.hpp>
#include "core/suggestion.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <boost/random/sobol.hpp>

namespace boltzcurve {
namespace {

constexpr std::int64_t max_values = 1'000'000;  // a row is a folder

/// At commas outside of double quotes, which are taken off.
std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts;
  std::string part;
  bool quoted = false;
  const auto finish = [&] {
    part = std::string(trimmed(part));
    if (part.size() >= 2 && part.front() == '"' && part.back() == '"') part = part.substr(1, part.size() - 2);
    if (part.empty()) throw ConfigError(fmt::format("'{}': a value of the list is empty", text));
    parts.push_back(part);
    part.clear();
  };
  for (const char letter : text) {
    if (letter == '"') quoted = !quoted;
    if (letter == ',' && !quoted)
      finish();
    else
      part += letter;
  }
  if (quoted) throw ConfigError(fmt::format("'{}': a double quote has no partner", text));
  finish();
  return parts;
}

double number_in(const std::string& text, const std::string& whole) {
  const auto number = number_from<double>(text);
  if (!number || !std::isfinite(*number)) throw ConfigError(fmt::format("'{}': '{}' is no number", whole, text));
  return *number;
}

bool is_whole(Scale scale) { return scale == Scale::integers || scale == Scale::log_integers; }
bool has_ratios(Scale scale) { return scale == Scale::logarithmic || scale == Scale::log_integers; }

ValueRange parse_range(const std::string& text, const std::string& name, const std::string& arguments) {
  std::vector<std::string> names;
  for (const auto& choice : choices<Scale>) names.emplace_back(choice.name);
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw ConfigError(fmt::format("'{}': unknown scale '{}'; did you mean {}?", text, name, nearest_name(name, names)));
  const auto parts = parts_of(arguments);
  if (parts.size() < 2 || parts.size() > 3)
    throw ConfigError(fmt::format("'{}': expected {}(LOWER, UPPER), or in a grid {}(LOWER, UPPER, COUNT)", text, name, name));

  ValueRange range{
      choices<Scale>[static_cast<std::size_t>(found - names.begin())].value, number_in(parts[0], text), number_in(parts[1], text), {}};
  if (parts.size() == 3) {
    const double count = number_in(parts[2], text);
    if (count != std::floor(count) || count < 1 || count > static_cast<double>(max_values))
      throw ConfigError(fmt::format("'{}': the count must be a whole number from 1 to {}", text, max_values));
    range.count = static_cast<std::int64_t>(count);
  }
  if (!(range.lower <= range.upper)) throw ConfigError(fmt::format("'{}': the lower bound is above the upper one", text));
  if (has_ratios(range.scale) && range.lower <= 0) throw ConfigError(fmt::format("'{}': both bounds must be above 0", text));
  constexpr double largest_exact = 0x1p53;
  if (is_whole(range.scale) && (range.lower != std::floor(range.lower) || range.upper != std::floor(range.upper) ||
                                std::max(-range.lower, range.upper) > largest_exact))
    throw ConfigError(fmt::format("'{}': both bounds must be whole numbers", text));
  return range;
}

std::string text_of(double number, Scale scale) {
  return is_whole(scale) ? fmt::format("{:.0f}", std::round(number)) : fmt::format("{:.12g}", number);
}

/// From lower at 0 to upper at 1.
double between(const ValueRange& range, double u) {
  if (u <= 0) return range.lower;
  if (u >= 1) return range.upper;
  if (has_ratios(range.scale)) return range.lower * std::pow(range.upper / range.lower, u);
  return range.lower + u * (range.upper - range.lower);
}

}  // namespace

Values parse_values(const std::string& text) {
  const std::string all(trimmed(text));
  const auto open = all.find('(');
  const bool is_call =
      open != std::string::npos && open > 0 && all.back() == ')' && all.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == open;
  if (is_call) return parse_range(all, all.substr(0, open), all.substr(open + 1, all.size() - open - 2));
  return parts_of(all);
}

std::vector<std::string> listed(const Values& values) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&values)) return *list;
  const auto& range = std::get<ValueRange>(values);
  auto count = range.count;
  if (!count && range.scale == Scale::integers) {
    if (range.upper - range.lower >= static_cast<double>(max_values))
      throw ConfigError(fmt::format("more than {} values; give a count", max_values));
    count = static_cast<std::int64_t>(range.upper - range.lower) + 1;
  }
  if (!count) throw ConfigError(fmt::format("how many values? {}(LOWER, UPPER, COUNT)", name_of(range.scale)));
  std::vector<std::string> all;
  for (std::int64_t i = 0; i < *count; ++i) {
    const double u = *count > 1 ? static_cast<double>(i) / static_cast<double>(*count - 1) : 0;
    all.push_back(text_of(between(range, u), range.scale));
    if (i > 0 && all[all.size() - 2] == all.back())
      throw ConfigError(fmt::format("{} values from {} to {} are not all different; ask for fewer", *count, range.lower, range.upper));
  }
  return all;
}

std::string drawn(const Values& values, double u) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&values))
    return (*list)[std::min(static_cast<std::size_t>(u * static_cast<double>(list->size())), list->size() - 1)];
  const auto& range = std::get<ValueRange>(values);
  if (range.count) throw ConfigError("a draw has bounds and no count; `draws` says how many there are");
  if (range.scale == Scale::integers)
    return text_of(std::min(range.lower + std::floor(u * (range.upper - range.lower + 1)), range.upper), range.scale);
  return text_of(between(range, u), range.scale);
}

UnitPoints sobol_points(std::size_t dimension, std::int64_t count) {
  boost::random::sobol sequence(dimension);
  UnitPoints points(static_cast<std::size_t>(count), std::vector<double>(dimension));
  for (auto& point : points)
    for (auto& x : point) x = std::ldexp(static_cast<double>(sequence() >> 11), -53);  // the leading 53 of 64 bits, below 1
  return points;
}

UnitPoints random_points(std::uint64_t seed, std::size_t dimension, std::int64_t count) {
  UnitPoints points(static_cast<std::size_t>(count), std::vector<double>(dimension));
  for (std::size_t i = 0; i < points.size(); ++i)
    for (std::size_t d = 0; d < dimension; ++d) points[i][d] = CounterRng(seed, RandomStream::sweep_draws, d, i).uniform();
  return points;
}

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/core/choice.hpp>
#include <boltzcurve/core/suggestion.hpp>
#include <boltzcurve/run/options.hpp>

#include <algorithm>
#include <charconv>
#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <fmt/format.h>

// Values of options as text: how each type is read, written and described.
namespace boltzcurve {

/// Bounds of a number, inclusive unless `below_upper`.
struct Range {
  double lower, upper;
  bool below_upper = false;
};

inline constexpr double many =
    1e12;  // bound of counts: beyond any run, exact in a double, and times a size of a number still far from overflow

template <class Number>
std::string number_text(Number number) {
  return fmt::format("{}", number);  // shortest text that reads back as the same number
}

template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

inline bool contains(const Range& range, double number) {
  return number >= range.lower && (range.below_upper ? number < range.upper : number <= range.upper);
}

/// Reading, writing and describing a value of a type. read() returns nothing for text that is no such value.
template <class Value>
struct TextOf;

template <std::integral Integer>
struct TextOf<Integer> {
  static std::string range(const Range& range) { return fmt::format("{} .. {}", range.lower, last(range)); }
  static std::string need(const Range& range) { return fmt::format("must be a whole number from {} to {}", range.lower, last(range)); }
  static std::optional<Integer> read(const std::string& text, const Range& range) {
    const auto number = number_from<Integer>(text);
    return number && contains(range, static_cast<double>(*number)) ? number : std::nullopt;
  }
  static std::string write(Integer number) { return number_text(number); }

 private:
  static std::string last(const Range& range) {
    constexpr auto largest = std::numeric_limits<Integer>::max();
    if (range.upper >= static_cast<double>(largest)) return number_text(largest);
    return range.upper == many ? "1e12" : number_text(static_cast<Integer>(range.upper));
  }
};

template <>
struct TextOf<bool> {
  static std::string range(const Range&) { return "yes | no"; }
  static std::string need(const Range&) { return "must be yes or no"; }
  static std::optional<bool> read(const std::string& text, const Range&) {
    return text == "yes" ? std::optional(true) : text == "no" ? std::optional(false) : std::nullopt;
  }
  static std::string write(bool value) { return value ? "yes" : "no"; }
};

template <>
struct TextOf<double> {
  static std::string range(const Range& range) {
    return fmt::format("{} .. {}{}", range.lower, range.below_upper ? "below " : "", range.upper);
  }
  static std::string need(const Range& range) {
    return fmt::format("must be a number from {} {} {}", range.lower, range.below_upper ? "to below" : "to", range.upper);
  }
  static std::optional<double> read(const std::string& text, const Range& range) {
    const auto number = number_from<double>(text);
    return number && contains(range, *number) ? number : std::nullopt;
  }
  static std::string write(double number) { return number_text(number); }
};

template <>
struct TextOf<std::optional<Interval>> {
  static std::string range(const Range&) { return "lower:upper"; }
  static std::string need(const Range&) { return "must be two numbers as lower:upper with lower < upper, for example -10:10, or empty"; }
  static std::optional<std::optional<Interval>> read(const std::string& text, const Range& range) {
    if (text.empty()) return std::optional<Interval>();
    const auto colon = text.find(':');
    if (colon == std::string::npos) return std::nullopt;
    const auto lower = TextOf<double>::read(text.substr(0, colon), range), upper = TextOf<double>::read(text.substr(colon + 1), range);
    if (!lower || !upper || *lower >= *upper) return std::nullopt;
    return Interval{*lower, *upper};
  }
  static std::string write(const std::optional<Interval>& box) {
    return box ? number_text(box->lower) + ":" + number_text(box->upper) : std::string();
  }
};

template <>
struct TextOf<std::vector<CollocationShare>> {
  static std::string range(const Range&) { return "kind:share, ..."; }
  static std::string need(const Range&) {
    return "must be kinds with shares above 0, for example langevin:0.5, trajectory:0.5; kinds are those of `boltzcurve list collocations` "
           "but mixture";
  }
  static std::optional<std::vector<CollocationShare>> read(const std::string& text, const Range& range) {
    std::vector<CollocationShare> shares;
    std::string rest = text;
    std::erase(rest, ' ');
    for (bool more = true; more;) {
      const auto comma = rest.find(',');
      const auto part = rest.substr(0, comma), name = part.substr(0, part.find(':'));
      more = comma != std::string::npos;
      if (more) rest.erase(0, comma + 1);
      if (name.size() == part.size()) return std::nullopt;
      const auto kind = std::find_if(choices<CollocationKind>.begin(), choices<CollocationKind>.end(),
                                     [&](const auto& choice) { return choice.name == name; });
      const auto share = TextOf<double>::read(part.substr(name.size() + 1), range);
      if (kind == choices<CollocationKind>.end() || kind->value == CollocationKind::mixture || !share || *share <= 0) return std::nullopt;
      shares.push_back({kind->value, *share});
    }
    return shares;
  }
  static std::string write(const std::vector<CollocationShare>& shares) {
    std::string text;
    for (const auto& part : shares) text += (text.empty() ? "" : ", ") + std::string(name_of(part.kind)) + ":" + number_text(part.share);
    return text;
  }
};

template <class Enum>
requires std::is_enum_v<Enum>
struct TextOf<Enum> {
  static std::string range(const Range&) {
    std::string text;
    for (const auto& choice : choices<Enum>) text.append(text.empty() ? "" : " | ").append(choice.name);
    return text;
  }
  static std::optional<Enum> read(const std::string& text, const Range&) {
    for (const auto& choice : choices<Enum>)
      if (choice.name == text) return choice.value;
    return std::nullopt;
  }
  static std::string write(Enum value) { return std::string(name_of(value)); }
};

template <class Enum>
std::string need_of_choice(const std::string& text) {
  std::vector<std::string> names;
  for (const auto& choice : choices<Enum>) names.emplace_back(choice.name);
  return fmt::format("did you mean {}? Must be one of {}", nearest_name(text, names), TextOf<Enum>::range({}));
}

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/choice.hpp>
#include "app/options/options.hpp"
#include "core/suggestion.hpp"
#include "core/text.hpp"

#include <algorithm>
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

template <class Number>
std::string number_text(Number number) {
  return fmt::format("{}", number);  // shortest text that reads back as the same number
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
    return range.upper == max_count ? "1e12" : number_text(static_cast<Integer>(range.upper));
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

/// The parts of a list, which commas separate, without blanks at their ends; none for an empty text.
inline std::vector<std::string> list_parts(const std::string& text) {
  std::vector<std::string> parts;
  if (trimmed(text).empty()) return parts;
  for (const auto part : split(text, ',')) parts.emplace_back(trimmed(part));
  return parts;
}

template <class Part>
std::string list_text(const std::vector<Part>& values, const auto& part_text) {
  std::string text;
  for (const auto& value : values) text.append(text.empty() ? "" : ", ").append(part_text(value));
  return text;
}

template <>
struct TextOf<std::vector<double>> {
  static std::string range(const Range& range) { return "list of " + TextOf<double>::range(range); }
  static std::string need(const Range& range) {
    return fmt::format("must be numbers from {} to {}, separated by commas", range.lower, range.upper);
  }
  static std::optional<std::vector<double>> read(const std::string& text, const Range& range) {
    std::vector<double> numbers;
    for (const auto& part : list_parts(text)) {
      const auto number = TextOf<double>::read(part, range);
      if (!number) return std::nullopt;
      numbers.push_back(*number);
    }
    return numbers;
  }
  static std::string write(const std::vector<double>& numbers) { return list_text(numbers, number_text<double>); }
};

template <>
struct TextOf<std::vector<std::string>> {
  static std::string range(const Range&) { return "list of texts"; }
  static std::string need(const Range&) { return "must be texts separated by commas, none of them empty"; }
  static std::optional<std::vector<std::string>> read(const std::string& text, const Range&) {
    auto parts = list_parts(text);
    if (std::find(parts.begin(), parts.end(), "") != parts.end()) return std::nullopt;
    return parts;
  }
  static std::string write(const std::vector<std::string>& texts) {
    return list_text(texts, [](const std::string& text) { return text; });
  }
};

template <class Enum>
requires std::is_enum_v<Enum>
struct TextOf<std::vector<Enum>> {
  static std::string names() {
    std::string text;
    for (const auto& choice : choices<Enum>) text.append(text.empty() ? "" : ", ").append(choice.name);
    return text;
  }
  static std::string range(const Range&) { return "list of " + names() + "; or all"; }
  static std::string need(const Range&) { return "must be of " + names() + ", separated by commas, or all"; }
  static std::optional<std::vector<Enum>> read(const std::string& text, const Range&) {
    std::vector<Enum> values;
    if (text == "all") {
      for (const auto& choice : choices<Enum>) values.push_back(choice.value);
      return values;
    }
    for (const auto& part : list_parts(text)) {
      const auto choice = std::find_if(choices<Enum>.begin(), choices<Enum>.end(), [&](const auto& known) { return known.name == part; });
      if (choice == choices<Enum>.end()) return std::nullopt;
      values.push_back(choice->value);
    }
    return values;
  }
  static std::string write(const std::vector<Enum>& values) {
    return list_text(values, [](Enum value) { return std::string(name_of(value)); });
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

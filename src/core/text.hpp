#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace boltzcurve {

/// `text` without blanks at its ends.
std::string_view trimmed(std::string_view text);

/// The number that all of `text` spells, blanks not among it; nothing if it spells none. Independent of the locale.
template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The number that all of `text` spells, blanks at its ends aside; nothing if it spells none or one that is not finite. Independent of the
/// locale.
std::optional<double> parse_real(std::string_view text);
std::optional<long> parse_integer(std::string_view text);

/// Pieces between separators, also empty ones.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Pieces between runs of commas and blanks; none of them is empty.
std::vector<std::string_view> split_list(std::string_view text);

/// Whether pieces of a list stand between blanks, and a comma within one of them: "0,5 1,5" is two numbers where the comma is decimal.
bool has_commas_within(std::string_view list);

/// The shortest text that reads back as the same number.
std::string format_real(double number);

}  // namespace boltzcurve

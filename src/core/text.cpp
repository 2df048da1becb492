#include "core/text.hpp"

#include <cmath>

namespace boltzcurve {
namespace {

constexpr std::string_view blanks = " \t\r\n\f\v";

template <class Number>
std::optional<Number> parse(std::string_view text) {
  text = trimmed(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);  // from_chars knows no plus sign
  return number_from<Number>(text);
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::optional<double> parse_real(std::string_view text) {
  const auto number = parse<double>(text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<long> parse_integer(std::string_view text) { return parse<long>(text); }

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const auto end = text.find(separator);
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> split_list(std::string_view text) {
  constexpr std::string_view separators = ", \t\r\n";
  std::vector<std::string_view> pieces;
  for (auto begin = text.find_first_not_of(separators); begin != std::string_view::npos;
       begin = text.find_first_not_of(separators, begin)) {
    const auto end = std::min(text.find_first_of(separators, begin), text.size());
    pieces.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return pieces;
}

bool has_commas_within(std::string_view list) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto is_blank = [&](std::size_t at) { return at >= list.size() || blanks.find(list[at]) != std::string_view::npos; };
  list = trimmed(list);
  bool between_blanks = false, within = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == ',') {
      within = within || !(is_blank(i + 1) || i == 0 || is_blank(i - 1));
    } else if (is_blank(i)) {
      const auto next = list.find_first_not_of(blanks, i);
      const auto before = list.find_last_not_of(blanks, i);
      between_blanks = between_blanks || (list[next] != ',' && list[before] != ',');
    }
  }
  return between_blanks && within;
}

std::string format_real(double number) {
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, number);
  return std::string(buffer, result.ptr);
}

}  // namespace boltzcurve

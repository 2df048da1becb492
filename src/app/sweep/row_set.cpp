#include "app/sweep/row_set.hpp"

#include <boltzcurve/error.hpp>
#include "core/pattern.hpp"

#include <algorithm>
#include <set>
#include <sstream>

#include <fmt/format.h>

namespace boltzcurve {

std::vector<std::int64_t> parse_rows(const std::string& text, std::int64_t rows) {
  const auto fail = [&] {
    throw ConfigError(fmt::format("command line: --rows = {}: must be rows from 0 to {}, for example 3 or 0-3,7", text, rows - 1));
  };
  std::set<std::int64_t> all;
  std::istringstream parts(text);
  std::string part;
  while (std::getline(parts, part, ',')) {
    const auto match = groups_of(part, "([0-9]{1,12})(-([0-9]{1,12}))?");
    if (match.empty()) fail();
    const auto first = std::stoll(match[1]), last = match[3].empty() ? first : std::stoll(match[3]);
    if (last < first || first >= rows) fail();
    for (auto row = first; row <= std::min<std::int64_t>(last, rows - 1); ++row) all.insert(row);
  }
  if (all.empty() || text.back() == ',') fail();
  return {all.begin(), all.end()};
}

std::string rows_text(const std::vector<std::int64_t>& ascending) {
  std::string text;
  for (std::size_t i = 0; i < ascending.size();) {
    std::size_t last = i;
    while (last + 1 < ascending.size() && ascending[last + 1] == ascending[last] + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", ascending[i]);
    if (last > i) text += fmt::format("-{}", ascending[last]);
    i = last + 1;
  }
  return text;
}

}  // namespace boltzcurve

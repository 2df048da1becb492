#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace boltzcurve {

/// The fields of a record of CSV that begins at `at`, which is moved behind its line break. Fields in double quotes may hold commas, line
/// breaks and, doubled, quotes.
std::vector<std::string> csv_record(const std::string& text, std::size_t& at);

/// A field as CSV has it: in double quotes where it holds a comma, a quote or a line break.
std::string csv_field(const std::string& text);

/// A record with its line break.
std::string csv_line(const std::vector<std::string>& fields);

}  // namespace boltzcurve

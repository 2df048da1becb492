#pragma once

#include "io/provenance.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace boltzcurve {

using Integers = std::vector<std::int64_t>;
using Reals = std::vector<double>;
using Texts = std::vector<std::string>;

/// A column of a table. Numbers are NaN where they are unknown.
struct Column {
  std::string name;  ///< for example "velocity_norm"
  std::string unit;  ///< for example "length/time"; "1" for a pure number, "text" or nothing for words
  std::variant<Integers, Reals, Texts> values = Reals();

  bool operator==(const Column&) const = default;
};

using Cell = std::variant<std::int64_t, double, std::string>;

/// Columns of one length.
struct Table {
  std::string name;
  std::vector<Column> columns;

  std::size_t rows() const;
  /// A value per column. Throws Error where number or type is not as declared.
  void add(const std::vector<Cell>& row);
  /// A header and a line per row: numbers with as many digits as it takes to read back the same, nothing for NaN.
  std::string csv() const;
};

/// Replaces the file as a whole: a group per table, named like it, with a dataset per column and the columns' order in the attribute
/// `columns`; the unit of each as attribute; provenance, of this `format`, at the root. For one process. Throws InputError.
void write_tables(const std::filesystem::path& path, Provenance provenance, const char* format, std::span<const Table* const> tables);

/// The fields of a record of CSV that begins at `at`, which is moved behind its line break. Fields in double quotes may hold commas, line
/// breaks and, doubled, quotes.
std::vector<std::string> csv_record(const std::string& text, std::size_t& at);

/// A record with its line break; fields are in double quotes where they hold a comma, a quote or a line break.
std::string csv_line(const std::vector<std::string>& fields);

}  // namespace boltzcurve

#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace boltzcurve {

/// Numbers under names.
struct DataTable {
  std::vector<std::string> columns;
  std::vector<std::vector<double>> rows;
};

/// A CSV file with a header line; blank lines count for nothing. Throws InputError, naming file and line, for what it cannot read, a field
/// that is not a finite number, a row of another length, a name given twice, or no row at all.
DataTable read_data_table(const std::filesystem::path& file);
DataTable parse_data_table(std::istream& text, const std::string& file);

}  // namespace boltzcurve

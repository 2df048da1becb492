#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace boltzcurve {

/// Numbers under names.
struct DataTable {
  std::vector<std::string> columns;
  std::vector<std::vector<double>> rows;
};

/// Throws InputError, with file and line in front of what is wrong.
using CsvFail = std::function<void(const std::string& what)>;

/// Reads CSV text of numbers under a header line; blank lines count for nothing. `columns_of` makes the names of the columns from the
/// header, `take` gets every row. Throws InputError, naming file and line, for a field that is not a finite number or a row of another
/// length, and where there is no row, which is called `row`.
void read_csv(std::istream& text, const std::string& file, const std::string& row,
              const std::function<std::vector<std::string>(const std::string& header, const CsvFail&)>& columns_of,
              const std::function<void(std::vector<double> numbers, const CsvFail&)>& take);

/// Throws InputError, naming the file, where it cannot be read.
std::ifstream open_csv(const std::filesystem::path& file);

/// A CSV file with a header line. Throws what read_csv() throws, and InputError for a name given twice.
DataTable read_data_table(const std::filesystem::path& file);
DataTable parse_data_table(std::istream& text, const std::string& file);

}  // namespace boltzcurve

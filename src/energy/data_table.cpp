#include "energy/data_table.hpp"

#include <boltzcurve/error.hpp>
#include "core/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <istream>

namespace boltzcurve {

void read_csv(std::istream& text, const std::string& file, const std::string& row,
              const std::function<std::vector<std::string>(const std::string& header, const CsvFail&)>& columns_of,
              const std::function<void(std::vector<double> numbers, const CsvFail&)>& take) {
  int line_number = 0;
  const CsvFail fail = [&](const std::string& what) -> void {
    throw InputError("cannot read " + file + ", line " + std::to_string(line_number) + ": " + what);
  };
  std::vector<std::string> columns;
  bool any = false;
  for (std::string line; std::getline(text, line);) {
    ++line_number;
    if (line_number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // the mark that spreadsheets put before UTF-8
    if (trimmed(line).empty()) continue;
    if (columns.empty()) {
      columns = columns_of(line, fail);
      continue;
    }
    const auto fields = split(line, ',');
    if (fields.size() != columns.size())
      fail("expected " + std::to_string(columns.size()) + " numbers, found " + std::to_string(fields.size()));
    std::vector<double> numbers;
    for (std::size_t c = 0; c < fields.size(); ++c) {
      const auto number = parse_real(fields[c]);
      if (!number) fail("column " + columns[c] + ": '" + std::string(trimmed(fields[c])) + "' is not a number");
      numbers.push_back(*number);
    }
    take(std::move(numbers), fail);
    any = true;
  }
  if (text.bad()) throw InputError("cannot read " + file + ": " + std::strerror(errno));
  if (!any) throw InputError("cannot read " + file + ": expected a header and at least one " + row + ", found neither or only the header");
}

std::ifstream open_csv(const std::filesystem::path& file) {
  std::error_code unreadable;
  if (std::filesystem::is_directory(file, unreadable)) throw InputError("cannot read " + file.string() + ": it is a folder");
  errno = 0;
  std::ifstream text(file);
  if (!text) throw InputError("cannot read " + file.string() + ": " + std::strerror(errno));
  return text;
}

DataTable parse_data_table(std::istream& text, const std::string& file) {
  DataTable table;
  read_csv(
      text, file, "row",
      [&](const std::string& header, const CsvFail& fail) {
        for (const auto field : split(header, ',')) {
          const std::string name(trimmed(field));
          if (name.empty() || name.find_first_of(" \t") != std::string::npos) fail("'" + name + "' is no name of a column");
          if (std::find(table.columns.begin(), table.columns.end(), name) != table.columns.end()) fail("two columns are named " + name);
          table.columns.push_back(name);
        }
        return table.columns;
      },
      [&](std::vector<double> numbers, const CsvFail&) { table.rows.push_back(std::move(numbers)); });
  return table;
}

DataTable read_data_table(const std::filesystem::path& file) {
  auto text = open_csv(file);
  return parse_data_table(text, file.string());
}

}  // namespace boltzcurve

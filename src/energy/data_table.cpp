#include "energy/data_table.hpp"

#include <boltzcurve/error.hpp>
#include "core/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <istream>

namespace boltzcurve {

DataTable parse_data_table(std::istream& text, const std::string& file) {
  DataTable table;
  int line_number = 0;
  const auto fail = [&](const std::string& what) {
    throw InputError("cannot read " + file + ", line " + std::to_string(line_number) + ": " + what);
  };
  for (std::string line; std::getline(text, line);) {
    ++line_number;
    if (line_number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // the mark that spreadsheets put before UTF-8
    if (trimmed(line).empty()) continue;
    const auto fields = split(line, ',');
    if (table.columns.empty()) {
      for (const auto field : fields) {
        const std::string name(trimmed(field));
        if (name.empty() || name.find_first_of(" \t") != std::string::npos) fail("'" + name + "' is no name of a column");
        if (std::find(table.columns.begin(), table.columns.end(), name) != table.columns.end()) fail("two columns are named " + name);
        table.columns.push_back(name);
      }
      continue;
    }
    if (fields.size() != table.columns.size())
      fail("expected " + std::to_string(table.columns.size()) + " numbers, found " + std::to_string(fields.size()));
    std::vector<double> row;
    for (std::size_t c = 0; c < fields.size(); ++c) {
      const auto number = parse_real(fields[c]);
      if (!number) fail("column " + table.columns[c] + ": '" + std::string(trimmed(fields[c])) + "' is not a number");
      row.push_back(*number);
    }
    table.rows.push_back(std::move(row));
  }
  if (text.bad()) throw InputError("cannot read " + file + ": " + std::strerror(errno));
  if (table.rows.empty())
    throw InputError("cannot read " + file + ": expected a header and at least one row, found neither or only the header");
  return table;
}

DataTable read_data_table(const std::filesystem::path& file) {
  std::error_code unreadable;
  if (std::filesystem::is_directory(file, unreadable)) throw InputError("cannot read " + file.string() + ": it is a folder");
  errno = 0;
  std::ifstream text(file);
  if (!text) throw InputError("cannot read " + file.string() + ": " + std::strerror(errno));
  return parse_data_table(text, file.string());
}

}  // namespace boltzcurve

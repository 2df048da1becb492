#include "io/table.hpp"
#include <boltzcurve/error.hpp>
#include "io/durable_file.hpp"
#include "io/hdf5.hpp"

#include <cmath>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + "\"";
}

std::string text_of(const std::string& text) { return text; }
std::string text_of(std::int64_t number) { return fmt::format("{}", number); }
std::string text_of(double number) { return std::isnan(number) ? std::string() : fmt::format("{}", number); }

}  // namespace

std::size_t Table::rows() const {
  return columns.empty() ? 0 : std::visit([](const auto& values) { return values.size(); }, columns[0].values);
}

void Table::add(const std::vector<Cell>& row) {
  bool fits = row.size() == columns.size();
  for (std::size_t c = 0; fits && c < row.size(); ++c) fits = row[c].index() == columns[c].values.index();
  if (!fits) throw Error(ExitCode::internal_error, fmt::format("table {}: a row does not fit its {} columns", name, columns.size()));
  for (std::size_t c = 0; c < row.size(); ++c)
    std::visit([&]<class T>(std::vector<T>& values) { values.push_back(std::get<T>(row[c])); }, columns[c].values);
}

std::string Table::csv() const {
  std::vector<std::string> fields;
  for (const auto& column : columns) fields.push_back(column.name);
  std::string text = csv_line(fields);
  for (std::size_t row = 0; row < rows(); ++row) {
    for (std::size_t c = 0; c < columns.size(); ++c)
      fields[c] = std::visit([&](const auto& values) { return text_of(values[row]); }, columns[c].values);
    text += csv_line(fields);
  }
  return text;
}

void write_tables(const std::filesystem::path& path, Provenance provenance, const char* format, std::span<const Table* const> tables) {
  hdf5::FileInMemory memory(path);
  provenance.format = format;
  provenance.format_version = 1;
  write_provenance(memory.file(), provenance);
  for (const auto* table : tables) {
    const auto group = hdf5::create_groups(memory.file(), table->name);
    std::vector<std::string> names;
    for (const auto& column : table->columns) {
      names.push_back(column.name);
      const auto write = [&]<class T>(const std::vector<T>& values) {
        if constexpr (std::is_same_v<T, std::string>)
          hdf5::write_dataset(group, column.name, values);
        else
          hdf5::write_dataset<T>(group, column.name, values, {static_cast<std::int64_t>(values.size())});
      };
      std::visit(write, column.values);
      hdf5::write_attribute(hdf5::open_dataset(group, column.name), "unit", column.unit);
    }
    hdf5::write_attribute(group, "columns", names);
  }
  replace_file(path, memory.close());
}

std::vector<std::string> csv_record(const std::string& text, std::size_t& at) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char letter = text[at];
    if (quoted && letter == '"' && at + 1 < text.size() && text[at + 1] == '"')
      fields.back() += text[++at];
    else if (letter == '"')
      quoted = !quoted;
    else if (!quoted && letter == ',')
      fields.emplace_back();
    else if (!quoted && letter == '\n')
      return ++at, fields;
    else if (quoted || letter != '\r')
      fields.back() += letter;
  }
  return fields;
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) line.append(i > 0 ? "," : "").append(csv_field(fields[i]));
  return line.append("\n");
}

}  // namespace boltzcurve

#include "app/commands/study_table.hpp"
#include <boltzcurve/error.hpp>
#include "io/durable_file.hpp"
#include "io/hdf5.hpp"

#include <cmath>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

std::string csv_cell(const StudyValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (text->find_first_of(",\"\n") == std::string::npos) return *text;
    std::string quoted = "\"";
    for (const char letter : *text) quoted.append(letter == '"' ? "\"" : "").push_back(letter == '\n' ? ' ' : letter);
    return quoted + "\"";
  }
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *integer);
  const double number = std::get<double>(value);
  return std::isnan(number) ? std::string() : fmt::format("{:.10g}", number);
}

template <class T>
std::vector<T> column_of(const StudyTable& table, std::size_t column) {
  std::vector<T> values;
  for (const auto& row : table.rows()) values.push_back(std::get<T>(row[column]));
  return values;
}

template <class T>
void write_numbers(const hdf5::Location& group, const StudyTable& table, std::size_t column) {
  const auto values = column_of<T>(table, column);
  hdf5::write_dataset<T>(group, table.columns()[column].name, values, {static_cast<std::int64_t>(values.size())});
}

}  // namespace

void StudyTable::add(std::vector<StudyValue> row) {
  bool fits = row.size() == columns_.size();
  for (std::size_t c = 0; fits && c < row.size(); ++c) fits = row[c].index() == static_cast<std::size_t>(columns_[c].type);
  if (!fits) throw Error(ExitCode::internal_error, fmt::format("table {}: a row does not fit its {} columns", name_, columns_.size()));
  rows_.push_back(std::move(row));
}

std::string StudyTable::csv() const {
  std::string text;
  for (const auto& column : columns_) text.append(text.empty() ? "" : ",").append(column.name);
  text += "\n";
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < row.size(); ++c) text.append(c > 0 ? "," : "").append(csv_cell(row[c]));
    text += "\n";
  }
  return text;
}

void write_study(const Run& run, const std::string& study, const std::vector<const StudyTable*>& tables) {
  on_root(run.world(), [&] {
    const auto path = run.output(study + ".h5");
    hdf5::FileInMemory file(path);
    auto provenance = run.provenance();
    provenance.format = "boltzcurve study";
    provenance.format_version = 1;
    write_provenance(file.file(), provenance);
    for (const auto* table : tables) {
      auto group = hdf5::create_groups(file.file(), table->name());
      for (std::size_t c = 0; c < table->columns().size(); ++c) {
        const auto& column = table->columns()[c];
        if (column.type == StudyColumn::Type::text) hdf5::write_dataset(group, column.name, column_of<std::string>(*table, c));
        if (column.type == StudyColumn::Type::integer) write_numbers<std::int64_t>(group, *table, c);
        if (column.type == StudyColumn::Type::real) write_numbers<double>(group, *table, c);
        auto dataset = hdf5::open_dataset(group, column.name);
        hdf5::write_attribute(dataset, "unit", column.unit);
        dataset.close();
      }
      group.close();
    }
    replace_file(path, file.close());
    for (const auto* table : tables) replace_file(run.output(table->name() + ".csv"), table->csv());
  });
}

}  // namespace boltzcurve

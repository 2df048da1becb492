#include "io/metrics_file.hpp"
#include <boltzcurve/error.hpp>
#include "io/durable_file.hpp"
#include "io/hdf5.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr auto format_name = "boltzcurve metrics";
constexpr std::int64_t newest_format_version = 1;

// 8 KiB a column: small beside the file system's blocks, since each row rewrites the last chunk, and 10^6 rows are still 1000 chunks only.
constexpr hsize_t rows_per_chunk = 1024;

constexpr std::int64_t metadata_bytes = 65'536;  // more than new chunks add to the file beside themselves

constexpr auto columns_attribute = "columns";
constexpr auto unit_attribute = "unit";

[[noreturn]] void misuse(const std::string& what) { throw Error(ExitCode::internal_error, "metrics: " + what); }

bool is_integer(const Column& column) { return std::holds_alternative<Integers>(column.values); }

std::string title(const Column& column) {
  return fmt::format("{} [{}, {}]", column.name, is_integer(column) ? "int64" : "float64", column.unit);
}

hdf5::Dataset create_column(const hdf5::Group& group, const Column& column) {
  const auto properties = hdf5::dataset_properties();
  hdf5::check(H5Pset_chunk(properties.id(), 1, &rows_per_chunk), {"set the chunks of", group.id(), column.name});
  const hdf5::Shape empty{0}, unlimited{-1};
  auto dataset = is_integer(column) ? hdf5::create_dataset<std::int64_t>(group, column.name, empty, properties, unlimited)
                                    : hdf5::create_dataset<double>(group, column.name, empty, properties, unlimited);
  hdf5::write_attribute(dataset, unit_attribute, column.unit);
  return dataset;
}

std::vector<Column> columns_of(const hdf5::Group& group) {
  std::vector<Column> columns;
  for (const auto& name : hdf5::read_attribute_texts(group, columns_attribute)) {
    const auto dataset = hdf5::open_dataset(group, name);
    const auto type = hdf5::type_name_of(dataset);
    if (type != "int64" && type != "float64")
      throw InputError(fmt::format("column {} in {} is of type {}, expected int64 or float64", hdf5::object_path(group.id(), name),
                                   hdf5::file_name(group.id()), type));
    columns.push_back({name, hdf5::read_attribute_text(dataset, unit_attribute)});
    if (type == "int64") columns.back().values = Integers();
  }
  return columns;
}

void require_same_columns(const std::vector<Column>& found, const std::vector<Column>& declared, const std::string& where) {
  const auto [first, second] = std::mismatch(found.begin(), found.end(), declared.begin(), declared.end());
  if (first == found.end() && second == declared.end()) return;
  throw InputError(fmt::format("cannot append to {}: its column {} is {}, this program writes {}; move the file away", where,
                               first - found.begin() + 1, first == found.end() ? "missing" : title(*first),
                               second == declared.end() ? "none there" : title(*second)));
}

std::int64_t length_of(const hdf5::Dataset& column) { return hdf5::shape_of(column).at(0); }

// A process that was killed within a flush may leave columns of different lengths: complete rows are as many as the shortest has.
std::int64_t complete_rows(const std::vector<hdf5::Dataset>& columns) {
  auto rows = std::numeric_limits<std::int64_t>::max();
  for (const auto& column : columns) rows = std::min(rows, length_of(column));
  return columns.empty() ? 0 : rows;
}

template <class T>
std::vector<T> first_rows(const hdf5::Dataset& column, std::int64_t rows) {
  std::vector<T> values(static_cast<std::size_t>(rows));
  hdf5::read_slab<T>(column, {{0}, {rows}}, values);
  return values;
}

struct OpenTable {
  hdf5::Group group;
  std::vector<Column> columns;
  std::vector<hdf5::Dataset> datasets;
  std::int64_t rows = 0;

  void resize(std::int64_t count) {
    for (const auto& dataset : datasets) hdf5::resize(dataset, {count});
    rows = count;
  }
};

template <class T>
void write_last(const OpenTable& table, std::size_t column, T value) {
  hdf5::write_slab<T>(table.datasets[column], {{table.rows - 1}, {1}}, std::span<const T>(&value, 1), hdf5::independent_transfer());
}

}  // namespace

struct MetricsFile::State {
  hdf5::File file;
  std::map<std::string, OpenTable> tables;

  OpenTable& table(const std::string& name) {
    const auto found = tables.find(name);
    if (found == tables.end()) misuse("table " + name + " is not declared");
    return found->second;
  }
};

MetricsFile::MetricsFile(const std::filesystem::path& path, const Provenance& provenance) : state_(std::make_unique<State>()) {
  if (!std::filesystem::exists(path)) {
    // Whole from its first moment: a process killed here leaves a file that the next one can open, or none.
    hdf5::FileInMemory empty(path);
    auto stamped = provenance;
    stamped.format = format_name;
    stamped.format_version = newest_format_version;
    write_provenance(empty.file(), stamped);
    replace_file(path, empty.close());
  }
  require_readable(path);
  // Looked at before it is opened for writing, by which HDF5 cuts off what stands after its own end: another kind of file stays as it is.
  read_provenance(hdf5::open_file(path, hdf5::Mode::read_only, hdf5::unlocked_file_access()), format_name, newest_format_version);
  state_->file = hdf5::open_file(path, hdf5::Mode::read_write, hdf5::unlocked_file_access());
}

MetricsFile::~MetricsFile() = default;
MetricsFile::MetricsFile(MetricsFile&&) noexcept = default;
MetricsFile& MetricsFile::operator=(MetricsFile&&) noexcept = default;

void MetricsFile::declare(const std::string& name, const std::vector<Column>& columns) {
  if (columns.empty()) misuse("table " + name + " has no columns");
  const auto& file = state_->file;
  OpenTable table;
  table.columns = columns;
  if (hdf5::exists(file, name)) {
    table.group = hdf5::open_group(file, name);
    require_same_columns(columns_of(table.group), columns, hdf5::file_name(file.id()) + " /" + name);
    for (const auto& column : columns) table.datasets.push_back(hdf5::open_dataset(table.group, column.name));
    table.resize(complete_rows(table.datasets));
  } else {
    table.group = hdf5::create_groups(file, name);
    std::vector<std::string> names;
    for (const auto& column : columns) {
      table.datasets.push_back(create_column(table.group, column));
      names.push_back(column.name);
    }
    hdf5::write_attribute(table.group, columns_attribute, names);
  }
  hdf5::flush(file);
  state_->tables.insert_or_assign(name, std::move(table));
}

void MetricsFile::append(const std::string& name, std::span<const Cell> row) {
  auto& table = state_->table(name);
  if (row.size() != table.columns.size())
    misuse(fmt::format("table {} has {} columns, a row of {} values was given", name, table.columns.size(), row.size()));
  for (std::size_t i = 0; i < row.size(); ++i)
    if (is_integer(table.columns[i]) && std::holds_alternative<double>(row[i]))
      misuse(fmt::format("column {} of table {} holds integers, {} was given", table.columns[i].name, name, std::get<double>(row[i])));

  if (table.rows % static_cast<std::int64_t>(rows_per_chunk) == 0)
    reserve_space(hdf5::file_name(state_->file.id()),
                  static_cast<std::int64_t>(row.size() * rows_per_chunk * sizeof(double)) + metadata_bytes);
  table.resize(table.rows + 1);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto* integer = std::get_if<std::int64_t>(&row[i]);
    if (is_integer(table.columns[i]))
      write_last(table, i, std::get<std::int64_t>(row[i]));
    else
      write_last(table, i, integer ? static_cast<double>(*integer) : std::get<double>(row[i]));
  }
  hdf5::flush(state_->file);
}

void MetricsFile::remove_after(const std::string& name, const std::string& column, std::int64_t last) {
  auto& table = state_->table(name);
  const auto found = std::find_if(table.columns.begin(), table.columns.end(), [&](const auto& other) { return other.name == column; });
  if (found == table.columns.end() || !is_integer(*found)) misuse(fmt::format("table {} has no integer column {}", name, column));
  const auto values = first_rows<std::int64_t>(table.datasets[static_cast<std::size_t>(found - table.columns.begin())], table.rows);
  const auto beyond = std::find_if(values.begin(), values.end(), [&](auto value) { return value > last; });
  table.resize(beyond - values.begin());
  hdf5::flush(state_->file);
}

void MetricsFile::set_training(const std::string& training) {
  write_training(state_->file, training);
  hdf5::flush(state_->file);
}

void MetricsFile::set_state(const std::string& state) {
  hdf5::write_attribute(state_->file, run_state_attribute, state);
  hdf5::flush(state_->file);
}

std::int64_t MetricsFile::rows(const std::string& name) const { return state_->table(name).rows; }

void MetricsFile::close() {
  for (auto& [name, table] : state_->tables) {
    for (auto& dataset : table.datasets) dataset.close();
    table.group.close();
  }
  state_->tables.clear();
  state_->file.close();
}

const std::vector<double>& MetricsTable::real(const std::string& name) const {
  for (const auto& column : series)
    if (const auto* values = std::get_if<Reals>(&column.values); values && column.name == name) return *values;
  throw InputError("metrics: there is no column " + name + " of real numbers");
}

const std::vector<std::int64_t>& MetricsTable::integer(const std::string& name) const {
  for (const auto& column : series)
    if (const auto* values = std::get_if<Integers>(&column.values); values && column.name == name) return *values;
  throw InputError("metrics: there is no column " + name + " of integers");
}

Provenance read_metrics_provenance(const std::filesystem::path& path) {
  require_readable(path);
  return read_provenance(hdf5::open_file(path, hdf5::Mode::read_only, hdf5::unlocked_file_access()), format_name, newest_format_version);
}

MetricsTable read_metrics(const std::filesystem::path& path, const std::string& name) {
  const auto file = hdf5::open_file(path, hdf5::Mode::read_only, hdf5::unlocked_file_access());
  MetricsTable table;
  table.provenance = read_provenance(file, format_name, newest_format_version);
  if (hdf5::has_attribute(file, run_state_attribute)) table.state = hdf5::read_attribute_text(file, run_state_attribute);
  const auto group = hdf5::open_group(file, name);
  table.series = columns_of(group);
  std::vector<hdf5::Dataset> datasets;
  for (const auto& column : table.series) datasets.push_back(hdf5::open_dataset(group, column.name));
  const auto rows = complete_rows(datasets);
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    auto& values = table.series[i].values;
    if (is_integer(table.series[i]))
      values = first_rows<std::int64_t>(datasets[i], rows);
    else
      values = first_rows<double>(datasets[i], rows);
  }
  return table;
}

}  // namespace boltzcurve

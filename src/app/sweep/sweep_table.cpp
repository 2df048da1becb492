#include "app/sweep/sweep_table.hpp"
#include <boltzcurve/error.hpp>
#include "app/sweep/csv.hpp"
#include "app/sweep/row_state.hpp"
#include "io/durable_file.hpp"
#include "io/hdf5.hpp"
#include "io/metrics_file.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace boltzcurve {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

std::optional<double> number_from(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// A varied key: numbers if all values are.
SweepColumn parameter_column(const Manifest& manifest, std::size_t key) {
  std::vector<double> numbers;
  std::vector<std::string> texts;
  for (const auto& row : manifest.rows) {
    texts.push_back(row.values[key]);
    if (const auto number = number_from(texts.back())) numbers.push_back(*number);
  }
  if (numbers.size() == texts.size()) return {manifest.keys[key], "", numbers};
  return {manifest.keys[key], "", texts};
}

/// Of a run that has ended.
struct Results {
  double step = none, loss = none;
  nlohmann::json metrics = nlohmann::json::object();
};

Results results_of(const std::filesystem::path& folder, RowState state) {
  Results results;
  std::error_code missing;
  // metrics.h5 of a run at work may be in the middle of a change.
  if (state != RowState::running && state != RowState::killed && std::filesystem::exists(folder / "metrics.h5", missing)) {
    const auto table = read_metrics(folder / "metrics.h5", "training");
    if (const auto& steps = table.integer("step"); !steps.empty()) {
      results.step = static_cast<double>(steps.back());
      results.loss = table.real("loss").back();
    }
  }
  const auto file = folder / "evaluation.json";
  if (state == RowState::done && std::filesystem::exists(file, missing)) {
    const auto bytes = read_file(file);
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    results.metrics = nlohmann::json::parse(text, text + bytes.size(), nullptr, false);
    if (!results.metrics.is_object()) throw InputError(fmt::format("cannot read {}: it is no JSON object; evaluate again", file.string()));
  }
  return results;
}

}  // namespace

std::vector<SweepColumn> collect_table(const std::filesystem::path& folder, const Manifest& manifest,
                                       const std::vector<SweepMetric>& metrics) {
  std::vector<std::int64_t> rows;
  std::vector<std::string> states, details, folders;
  std::vector<double> steps, losses;
  std::vector<std::vector<double>> values(metrics.size());
  for (std::size_t row = 0; row < manifest.rows.size(); ++row) {
    const auto run = folder / manifest.rows[row].folder;
    auto status = status_of(run);
    Results results;
    try {
      results = results_of(run, status.state);
    } catch (const InputError& error) {
      status.detail += (status.detail.empty() ? "" : "; ") + std::string(error.what());  // of one row: the others have theirs
    }
    rows.push_back(static_cast<std::int64_t>(row));
    states.emplace_back(name_of(status.state));
    details.push_back(status.detail);
    folders.push_back(manifest.rows[row].folder.string());
    steps.push_back(results.step);
    losses.push_back(results.loss);
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      const auto found = results.metrics.find(metrics[m].key);
      values[m].push_back(found != results.metrics.end() && found->is_number() ? found->get<double>() : none);
    }
  }
  std::vector<SweepColumn> table = {{"row", "1", rows}, {"state", "", states}, {"detail", "", details}, {"folder", "", folders}};
  for (std::size_t key = 0; key < manifest.keys.size(); ++key) table.push_back(parameter_column(manifest, key));
  table.push_back({"step", "1", steps});
  table.push_back({"loss", "squared unit of the residual", losses});
  for (std::size_t m = 0; m < metrics.size(); ++m) table.push_back({metrics[m].key, metrics[m].unit, values[m]});
  return table;
}

std::string to_csv(const std::vector<SweepColumn>& table) {
  std::string text;
  for (const auto& column : table) text.append(text.empty() ? "" : ",").append(csv_field(column.name));
  text += "\n";
  const auto rows = std::visit([](const auto& values) { return values.size(); }, table.at(0).values);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t c = 0; c < table.size(); ++c) {
      if (c > 0) text += ",";
      if (const auto* numbers = std::get_if<std::vector<double>>(&table[c].values))
        text += std::isnan((*numbers)[row]) ? std::string() : fmt::format("{}", (*numbers)[row]);
      else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&table[c].values))
        text += fmt::format("{}", (*integers)[row]);
      else
        text += csv_field(std::get<std::vector<std::string>>(table[c].values)[row]);
    }
    text += "\n";
  }
  return text;
}

void write_table(const std::filesystem::path& path, const std::vector<SweepColumn>& table, const Provenance& provenance) {
  hdf5::FileInMemory memory(path);
  auto stamped = provenance;
  stamped.format = "boltzcurve sweep";
  stamped.format_version = 1;
  write_provenance(memory.file(), stamped);
  {
    const auto group = hdf5::create_groups(memory.file(), "sweep");
    std::vector<std::string> names;
    for (const auto& column : table) {
      names.push_back(column.name);
      if (const auto* texts = std::get_if<std::vector<std::string>>(&column.values))
        hdf5::write_dataset(group, column.name, *texts);
      else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&column.values))
        hdf5::write_dataset<std::int64_t>(group, column.name, *integers, {static_cast<std::int64_t>(integers->size())});
      else {
        const auto& numbers = std::get<std::vector<double>>(column.values);
        hdf5::write_dataset<double>(group, column.name, numbers, {static_cast<std::int64_t>(numbers.size())});
      }
      hdf5::write_attribute(hdf5::open_dataset(group, column.name), "unit", column.unit);
    }
    hdf5::write_attribute(group, "columns", names);
  }
  replace_file(path, memory.close());
}

}  // namespace boltzcurve

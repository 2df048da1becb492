#include "app/sweep/sweep_table.hpp"
#include <boltzcurve/error.hpp>
#include "app/commands/evaluation_numbers.hpp"
#include "app/sweep/row_state.hpp"
#include "core/text.hpp"
#include "io/metrics_file.hpp"

#include <limits>
#include <map>
#include <string>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

/// A varied key: numbers if all values are.
Column parameter_column(const Manifest& manifest, std::size_t key) {
  Reals numbers;
  Texts texts;
  for (const auto& row : manifest.rows) {
    texts.push_back(row.values[key]);
    if (const auto number = number_from<double>(texts.back())) numbers.push_back(*number);
  }
  if (numbers.size() == texts.size()) return {manifest.keys[key], "", numbers};
  return {manifest.keys[key], "", texts};
}

/// Of a run that has ended.
struct Results {
  double step = none, loss = none;
  std::map<std::string, double> metrics;
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
  if (state == RowState::done && std::filesystem::exists(file, missing)) results.metrics = evaluation_numbers(file);
  return results;
}

}  // namespace

Table collect_table(const std::filesystem::path& folder, const Manifest& manifest, const std::vector<SweepMetric>& metrics) {
  Table table{"sweep", {{"row", "1", Integers()}, {"state", "", Texts()}, {"detail", "", Texts()}, {"folder", "", Texts()}}};
  const auto after_folder = static_cast<std::ptrdiff_t>(table.columns.size());
  table.columns.insert(table.columns.end(), {{"step", "1"}, {"loss", "squared unit of the residual"}});
  for (const auto& metric : metrics) table.columns.push_back({metric.key, metric.unit});
  for (std::size_t row = 0; row < manifest.rows.size(); ++row) {
    const auto run = folder / manifest.rows[row].folder;
    auto status = status_of(run);
    Results results;
    try {
      results = results_of(run, status.state);
    } catch (const InputError& error) {
      status.detail += (status.detail.empty() ? "" : "; ") + std::string(error.what());  // of one row: the others have theirs
    }
    std::vector<Cell> cells = {static_cast<std::int64_t>(row),
                               std::string(name_of(status.state)),
                               status.detail,
                               manifest.rows[row].folder.string(),
                               results.step,
                               results.loss};
    for (const auto& metric : metrics) {
      const auto found = results.metrics.find(metric.key);
      cells.emplace_back(found != results.metrics.end() ? found->second : none);
    }
    table.add(cells);
  }
  for (std::size_t key = manifest.keys.size(); key-- > 0;)
    table.columns.insert(table.columns.begin() + after_folder, parameter_column(manifest, key));
  return table;
}

}  // namespace boltzcurve

#include <boltzcurve/registry.hpp>
#include "app/commands/commands.hpp"
#include "app/commands/sweep_run.hpp"
#include "app/sweep/manifest.hpp"
#include "app/sweep/row_set.hpp"
#include "app/sweep/row_state.hpp"
#include "app/sweep/sweep_table.hpp"
#include "core/suggestion.hpp"
#include "io/durable_file.hpp"
#include "metrics/evaluation.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace boltzcurve {
namespace {

std::vector<RowStatus> statuses_of(const std::filesystem::path& folder, const Manifest& manifest) {
  std::vector<RowStatus> statuses;
  for (const auto& row : manifest.rows) statuses.push_back(status_of(folder / row.folder));
  return statuses;
}

/// "24 rows: 20 done, 3 pending, 1 failed", and what to do about the rest.
std::string summary_of(const std::vector<RowStatus>& statuses, const std::filesystem::path& folder) {
  std::map<RowState, std::int64_t> counts;
  std::vector<std::int64_t> left;
  for (std::size_t row = 0; row < statuses.size(); ++row) {
    ++counts[statuses[row].state];
    if (is_to_be_run(statuses[row].state)) left.push_back(static_cast<std::int64_t>(row));
  }
  std::vector<std::string> parts;
  for (const auto& choice : choices<RowState>)
    if (counts[choice.value] > 0) parts.push_back(fmt::format("{} {}", counts[choice.value], choice.name));
  std::string text = fmt::format("{} rows: {}", statuses.size(), fmt::join(parts, ", "));
  if (!left.empty()) text += fmt::format("\nto be run: {}\n  boltzcurve sweep run --output {}", rows_text(left), folder.string());
  if (counts[RowState::failed] > 0)
    text += fmt::format("\nfailed rows are run again after: boltzcurve sweep plan --failed --output {}", folder.string());
  return text;
}

/// Rows that failed begin again, at step 0, as if they had never been run.
std::int64_t plan_failed_again(const std::filesystem::path& folder, const Manifest& manifest) {
  std::int64_t count = 0;
  for (const auto& row : manifest.rows) {
    const auto run = folder / row.folder;
    if (status_of(run).state != RowState::failed) continue;
    write_outcome(run, {RowState::pending, 0, "planned again", 0, 0});
    ++count;
  }
  return count;
}

std::string folders_left_alone(const std::filesystem::path& folder, const Manifest& manifest) {
  std::int64_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "runs"))
    count += std::none_of(manifest.rows.begin(), manifest.rows.end(),
                          [&](const auto& row) { return row.folder.filename() == entry.path().filename(); });
  return count > 0 ? fmt::format("{} folders of runs that the sweep no longer asks for stay where they are\n", count) : std::string();
}

ExitCode plan(Run& run) {
  const auto& request = run.request();
  const auto& folder = request.output;
  if (request.more_arguments.empty() && !request.sweep.failed)
    throw ConfigError("command line: sweep plan needs a FILE; usage: boltzcurve sweep plan FILE [options]");
  std::string told;
  on_root(run.world(), [&] {
    Manifest manifest;
    if (!request.more_arguments.empty()) {
      const std::filesystem::path file = request.more_arguments[0];
      const auto sweep = read_sweep_file(file);
      const auto options = options_of(sweep, request.sources);
      // A table has no settings to be read again; its rows are in the manifest.
      const auto copy = sweep.places.empty()
                            ? read_text(file)
                            : fmt::format("; planned from the table {}: its rows are in {}\n", file.string(), manifest_name);
      manifest = write_plan(folder, sweep, options, copy);
      told = fmt::format("{} holds the plan\n{}", (folder / manifest_name).string(), folders_left_alone(folder, manifest));
    } else {
      manifest = read_manifest(folder);
    }
    if (request.sweep.failed) told += fmt::format("{} failed rows are to be run again\n", plan_failed_again(folder, manifest));
    told += summary_of(statuses_of(folder, manifest), folder);
  });
  run.say(told);
  return ExitCode::done;
}

std::string table_of(const Manifest& manifest, const std::vector<RowStatus>& statuses) {
  std::vector<std::vector<std::string>> lines = {{"row", "state"}};
  lines[0].insert(lines[0].end(), manifest.keys.begin(), manifest.keys.end());
  lines[0].insert(lines[0].end(), {"folder", ""});
  for (std::size_t row = 0; row < manifest.rows.size(); ++row) {
    auto& line = lines.emplace_back(std::vector<std::string>{std::to_string(row), std::string(name_of(statuses[row].state))});
    line.insert(line.end(), manifest.rows[row].values.begin(), manifest.rows[row].values.end());
    line.push_back(manifest.rows[row].folder.string());
    line.push_back(statuses[row].detail);
  }
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      std::size_t width = 0;
      for (const auto& other : lines) width = std::max(width, other[i].size());
      text += i + 1 < line.size() ? fmt::format("{:<{}}  ", line[i], width) : line[i];
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += "\n";
  }
  return text;
}

ExitCode status(Run& run) {
  std::string text;
  on_root(run.world(), [&] {
    const auto manifest = read_manifest(run.request().output);
    const auto statuses = statuses_of(run.request().output, manifest);
    text = table_of(manifest, statuses) + summary_of(statuses, run.request().output);
  });
  run.say(text);
  return ExitCode::done;
}

ExitCode collect(Run& run) {
  const auto& folder = run.request().output;
  std::string text;
  on_root(run.world(), [&] {
    const auto manifest = read_manifest(folder);
    std::vector<SweepMetric> metrics;
    for (const auto& entry : metric_entries())
      if (entry.audience == Audience::file_and_terminal) metrics.push_back({entry.key, entry.unit});
    const auto table = collect_table(folder, manifest, metrics);
    replace_file(folder / "sweep.csv", table.csv());
    const std::array tables = {&table};
    write_tables(folder / "sweep.h5", run.provenance(), "boltzcurve sweep", tables);
    text = fmt::format("{} and sweep.h5 hold {} columns\n{}", (folder / "sweep.csv").string(), table.columns.size(),
                       summary_of(statuses_of(folder, manifest), folder));
  });
  run.say(text);
  return ExitCode::done;
}

struct Action {
  std::string name;
  ExitCode (*perform)(Run&);
};

/// Code that runs execute has to be named again where they are run, see require_code_named().
bool is_confirmation(const std::string& key) {
  return std::any_of(target_entries().begin(), target_entries().end(), [&](const TargetEntry& entry) {
    return names_code({entry.name, {}}, key);
  });
}

}  // namespace

ExitCode sweep(Run& run) {
  static const std::vector<Action> actions = {{"plan", plan}, {"run", run_rows_of_sweep}, {"status", status}, {"collect", collect}};
  const auto& request = run.request();
  std::vector<std::string> names;
  names.reserve(actions.size());
  for (const auto& action : actions) names.push_back(action.name);
  const auto found = std::find(names.begin(), names.end(), request.argument);
  if (request.argument.empty()) throw ConfigError(fmt::format("command line: sweep needs an action: {}", fmt::join(names, ", ")));
  if (found == names.end())
    throw ConfigError(fmt::format("command line: unknown action '{}' of sweep; did you mean {}?", request.argument,
                                  nearest_name(request.argument, names)));
  if (*found != "plan") {
    if (!request.more_arguments.empty() || request.sweep.failed)
      throw ConfigError(fmt::format("command line: a FILE and --failed are for sweep plan, not for sweep {}", *found));
    for (const auto& source : request.sources)
      for (const auto& [key, value, where] : source.assignments)
        if (*found != "run" || !is_confirmation(key))
          throw ConfigError(fmt::format("{}: {}: options of runs are settled when they are planned; give them to sweep plan", where, key));
  }
  if (*found != "run" && (!request.sweep.rows.empty() || request.sweep.ranks_per_run > 0))
    throw ConfigError(fmt::format("command line: --rows and --ranks-per-run are for sweep run, not for sweep {}", *found));
  if (request.validate) throw ConfigError("command line: --validate is for a run, not for sweep");
  return actions[static_cast<std::size_t>(found - names.begin())].perform(run);
}

}  // namespace boltzcurve

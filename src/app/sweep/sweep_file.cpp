#include "app/sweep/sweep_file.hpp"
#include <boltzcurve/error.hpp>
#include "app/sweep/values.hpp"
#include "core/suggestion.hpp"
#include "core/text.hpp"
#include "io/table.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr std::int64_t max_rows = 1'000'000;  // each is a folder

/// A line of a section other than [sweep]: key of an option, values.
struct Line {
  std::string key, value, where;
};

/// The line's error texts say what is wrong; this adds where.
template <class Action>
auto located(const Line& line, const Action& action) {
  try {
    return action();
  } catch (const ConfigError& error) {
    throw ConfigError(fmt::format("{}: {}: {}", line.where, line.key, error.what()));
  }
}

std::uint64_t whole_number(const Line& line, std::uint64_t least, std::uint64_t most) {
  const auto number = number_from<std::uint64_t>(line.value);
  if (!number || *number < least || *number > most)
    throw ConfigError(fmt::format("{}: {} = {}: must be a whole number from {} to {}", line.where, line.key, line.value, least, most));
  return *number;
}

EarlyStop early_stop_from(const Line& line) {
  std::vector<std::string> names;
  for (const auto& choice : choices<EarlyStop>) {
    if (choice.name == line.value) return choice.value;
    names.emplace_back(choice.name);
  }
  throw ConfigError(
      fmt::format("{}: {} = {}: unknown; did you mean {}?", line.where, line.key, line.value, nearest_name(line.value, names)));
}

void set(SweepSettings& settings, const Line& line, const std::filesystem::path& folder) {
  constexpr std::uint64_t most = 1'000'000'000;
  if (line.key == "base")
    settings.bases.push_back(folder / line.value);
  else if (line.key == "ranks-per-run")
    settings.ranks_per_run = static_cast<int>(whole_number(line, 1, most));
  else if (line.key == "stop-early")
    settings.stop_early = early_stop_from(line);
  else if (line.key == "stop-early-from")
    settings.stop_early_from = static_cast<std::int64_t>(whole_number(line, 1, most));
  else if (line.key == "stop-early-rows")
    settings.stop_early_rows = static_cast<std::int64_t>(whole_number(line, 1, most));
  else
    throw ConfigError(fmt::format("{}: unknown key sweep.{}; did you mean sweep.{}?", line.where, line.key,
                                  nearest_name(line.key, {"base", "ranks-per-run", "stop-early", "stop-early-from", "stop-early-rows"})));
}

/// One direction in which rows differ: some keys, and their values at every place.
struct Axis {
  std::vector<VariedKey> keys;
  std::vector<std::vector<std::string>> places;  // [place][key]
};

void add_grid(std::vector<Axis>& axes, const std::vector<Line>& lines) {
  for (const auto& line : lines) {
    Axis axis{{{line.key, line.where}}, {}};
    for (auto& value : located(line, [&] { return listed(parse_values(line.value)); })) axis.places.push_back({std::move(value)});
    axes.push_back(std::move(axis));
  }
}

void add_zip(std::vector<Axis>& axes, const std::vector<Line>& lines) {
  if (lines.empty()) return;
  Axis axis;
  for (const auto& line : lines) {
    auto values = located(line, [&] { return listed(parse_values(line.value)); });
    if (axis.keys.empty()) axis.places.resize(values.size());
    if (values.size() != axis.places.size())
      throw ConfigError(fmt::format("{}: {}: {} values, but {} of {}: lists of [zip] go side by side and must be equally long", line.where,
                                    line.key, values.size(), axis.places.size(), lines.front().key));
    axis.keys.push_back({line.key, line.where});
    for (std::size_t i = 0; i < values.size(); ++i) axis.places[i].push_back(std::move(values[i]));
  }
  axes.push_back(std::move(axis));
}

/// [random] and [sobol].
void add_draws(std::vector<Axis>& axes, const std::string& section, const std::vector<Line>& lines) {
  if (lines.empty()) return;
  std::int64_t draws = 0;
  std::uint64_t seed = 1;
  std::vector<Line> laws;
  for (const auto& line : lines) {
    if (line.key == "draws")
      draws = static_cast<std::int64_t>(whole_number(line, 1, max_rows));
    else if (line.key == "seed" && section == "random")
      seed = whole_number(line, 0, std::numeric_limits<std::uint64_t>::max());
    else
      laws.push_back(line);
  }
  if (draws == 0) throw ConfigError(fmt::format("{}: [{}] needs draws = HOW MANY", lines.front().where, section));
  if (laws.empty()) throw ConfigError(fmt::format("{}: [{}] has no key to draw values for", lines.front().where, section));
  const auto points = section == "sobol" ? sobol_points(laws.size(), draws) : random_points(seed, laws.size(), draws);
  Axis axis;
  for (const auto& law : laws) axis.keys.push_back({law.key, law.where});
  std::vector<Values> values;
  for (const auto& law : laws) values.push_back(located(law, [&] { return parse_values(law.value); }));
  for (const auto& point : points) {
    auto& place = axis.places.emplace_back();
    for (std::size_t d = 0; d < laws.size(); ++d) place.push_back(located(laws[d], [&] { return drawn(values[d], point[d]); }));
  }
  axes.push_back(std::move(axis));
}

void combine(Sweep& sweep, const std::vector<Axis>& axes, const std::string& name) {
  std::int64_t count = axes.empty() ? 0 : 1;
  std::map<std::string, std::string> seen;
  for (const auto& axis : axes) {
    for (const auto& key : axis.keys) {
      const auto [first, is_new] = seen.emplace(key.key, key.where);
      if (!is_new) throw ConfigError(fmt::format("{}: {} is varied already (at {})", key.where, key.key, first->second));
      sweep.keys.push_back(key);
    }
    const auto places = static_cast<std::int64_t>(axis.places.size());
    if (count > max_rows / places) throw ConfigError(fmt::format("{}: more than {} runs", name, max_rows));
    count *= places;
  }
  if (count == 0) throw ConfigError(fmt::format("{}: nothing is varied; write keys into [grid], [zip], [random] or [sobol]", name));
  for (std::int64_t row = 0; row < count; ++row) {
    std::vector<std::vector<std::string>> parts(axes.size());
    auto rest = row;
    for (std::size_t a = axes.size(); a-- > 0;) {
      const auto places = static_cast<std::int64_t>(axes[a].places.size());
      parts[a] = axes[a].places[static_cast<std::size_t>(rest % places)];
      rest /= places;
    }
    auto& values = sweep.rows.emplace_back();
    for (auto& part : parts) values.insert(values.end(), part.begin(), part.end());
  }
}

}  // namespace

SweepSettings parse_sweep_settings(const std::string& text, const std::string& name, const std::filesystem::path& folder) {
  const std::string section = "sweep.";
  SweepSettings settings;
  for (const auto& assignment : parse_config(text, name, folder).assignments)
    if (assignment.key.rfind(section, 0) == 0)
      set(settings, {assignment.key.substr(section.size()), assignment.value, assignment.where}, folder);
  return settings;
}

Sweep parse_sweep_table(const std::string& text, const std::string& name, const std::filesystem::path& folder) {
  const std::string byte_order_mark = "\xef\xbb\xbf";
  std::size_t at = text.rfind(byte_order_mark, 0) == 0 ? byte_order_mark.size() : 0;
  std::int64_t line = 1;
  const auto next = [&] {
    const auto begin = at;
    auto fields = csv_record(text, at);
    for (auto& field : fields) field = std::string(trimmed(field));
    const auto place = fmt::format("{}:{}", name, line);
    line += std::count(text.begin() + static_cast<std::ptrdiff_t>(begin), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    return std::pair(std::move(fields), place);
  };
  Sweep sweep;
  sweep.fixed.folder = folder;
  const auto [header, head_place] = next();
  for (const auto& key : header) {
    if (key.find('.') == std::string::npos)
      throw ConfigError(
          fmt::format("{}: column '{}': the first line of a table names what differs, as in network.width,run.seed", head_place, key));
    for (const auto& other : sweep.keys)
      if (other.key == key) throw ConfigError(fmt::format("{}: {} stands twice", head_place, key));
    sweep.keys.push_back({key, head_place});
  }
  while (at < text.size()) {
    auto [fields, place] = next();
    if (fields == std::vector<std::string>{""}) continue;  // an empty line
    if (fields.size() != header.size())
      throw ConfigError(fmt::format("{}: {} values, but the first line names {} keys; values with commas go in double quotes", place,
                                    fields.size(), header.size()));
    if (static_cast<std::int64_t>(sweep.rows.size()) == max_rows) throw ConfigError(fmt::format("{}: more than {} runs", name, max_rows));
    sweep.rows.push_back(std::move(fields));
    sweep.places.push_back(place);
  }
  if (sweep.rows.empty()) throw ConfigError(fmt::format("{}: no row stands below the keys", name));
  return sweep;
}

Sweep parse_sweep(const std::string& text, const std::string& name, const std::filesystem::path& folder) {
  Sweep sweep;
  sweep.fixed.folder = folder;
  std::map<std::string, std::vector<Line>> sections = {{"grid", {}}, {"zip", {}}, {"random", {}}, {"sobol", {}}};
  for (const auto& assignment : parse_config(text, name, folder).assignments) {
    const auto dot = assignment.key.find('.');
    const auto section = assignment.key.substr(0, dot);
    const Line line{dot == std::string::npos ? "" : assignment.key.substr(dot + 1), assignment.value, assignment.where};
    if (dot != std::string::npos && section == "sweep")
      set(sweep.settings, line, folder);
    else if (dot != std::string::npos && section == "set")
      sweep.fixed.assignments.push_back({line.key, line.value, line.where});
    else if (dot != std::string::npos && sections.contains(section))
      sections[section].push_back(line);
    else
      throw ConfigError(
          fmt::format("{}: '{}' stands in no section of a sweep; did you mean [{}]? Options that are the same for all rows go "
                      "into [set], as section.key = value",
                      line.where, assignment.key, nearest_name(section, {"sweep", "set", "grid", "zip", "random", "sobol"})));
  }
  std::vector<Axis> axes;
  add_grid(axes, sections["grid"]);
  add_zip(axes, sections["zip"]);
  add_draws(axes, "random", sections["random"]);
  add_draws(axes, "sobol", sections["sobol"]);
  combine(sweep, axes, name);
  return sweep;
}

Sweep read_sweep_file(const std::filesystem::path& file) {
  const auto parse = file.extension() == ".csv" ? parse_sweep_table : parse_sweep;
  return parse(read_configuration(file, "sweep file"), file.string(), file.parent_path());
}

std::vector<Options> options_of(const Sweep& sweep, std::span<const OptionSource> more) {
  std::vector<OptionSource> sources;
  for (const auto& base : sweep.settings.bases) sources.push_back(read_config_file(base));
  sources.push_back(sweep.fixed);
  for (const auto& source : more) {
    const bool is_base = !source.last_of_many_wins;  // a file: rows may say otherwise, as they do of the bases that the sweep names
    for (const auto& assignment : source.assignments)
      for (const auto& key : sweep.keys)
        if (key.key == assignment.key && !is_base)
          throw ConfigError(fmt::format("{}: {} is what the sweep varies (at {}); leave it out", assignment.where, key.key, key.where));
    sources.push_back(source);
  }
  std::vector<Options> all;
  std::map<std::string, std::size_t> seen;
  for (std::size_t r = 0; r < sweep.rows.size(); ++r) {
    OptionSource of_row{{}, sweep.fixed.folder, false};
    for (std::size_t i = 0; i < sweep.keys.size(); ++i)
      of_row.assignments.push_back({sweep.keys[i].key, sweep.rows[r][i], sweep.places.empty() ? sweep.keys[i].where : sweep.places[r]});
    sources.push_back(of_row);
    all.push_back(resolve_options(sources));
    sources.pop_back();
    const auto [first, is_new] = seen.emplace(resolved_text(all.back()), all.size() - 1);
    if (!is_new)
      throw ConfigError(fmt::format("rows {} and {} of the sweep are the same run: a value stands twice", first->second, all.size() - 1));
  }
  return all;
}

}  // namespace boltzcurve

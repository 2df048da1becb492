#include "app/options/option_table.hpp"

#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "app/options/options.hpp"
#include "core/in_section.hpp"
#include "core/suggestion.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

std::vector<std::string> section_names() {
  std::vector<std::string> names;
  for (const auto& key : option_keys())
    if (names.empty() || names.back() != key.description.section) names.push_back(key.description.section);
  return names;
}

[[noreturn]] void throw_unknown_key(const Assignment& assignment) {
  const auto dot = assignment.key.find('.');
  const auto section = assignment.key.substr(0, dot);
  const auto sections = section_names();
  std::vector<std::string> candidates;
  if (dot != std::string::npos && std::find(sections.begin(), sections.end(), section) == sections.end())
    throw ConfigError(
        fmt::format("{}: unknown section [{}]; did you mean [{}]?", assignment.where, section, nearest_name(section, sections)));
  for (const auto& description : option_descriptions())
    if (dot == std::string::npos || description.section == section) candidates.push_back(description.name());
  // A key without a section is compared with the keys alone.
  if (dot == std::string::npos) {
    std::vector<std::string> bare;
    for (const auto& description : option_descriptions()) bare.push_back(description.key);
    const auto nearest = std::find(bare.begin(), bare.end(), nearest_name(assignment.key, bare)) - bare.begin();
    throw ConfigError(fmt::format("{}: key '{}' stands in no section; did you mean {}?", assignment.where, assignment.key,
                                  candidates[static_cast<std::size_t>(nearest)]));
  }
  throw ConfigError(
      fmt::format("{}: unknown key {}; did you mean {}?", assignment.where, assignment.key, nearest_name(assignment.key, candidates)));
}

/// Error texts of values say key and value; this adds where they stand.
template <class Action>
auto located(const std::string& where, const Action& action) {
  try {
    return action();
  } catch (const ConfigError& error) {
    throw ConfigError(where + ": " + error.what());
  }
}

/// The assignments to one section of one source.
struct EntryValues {
  std::vector<Assignment> assignments;
  std::filesystem::path folder;
  bool last_of_many_wins = false;
};

Parameters::Values inlined(const TargetEntry& entry, Parameters::Values values, const std::filesystem::path& folder) {
  return entry.inline_files ? entry.inline_files(std::move(values), folder) : values;
}
Parameters::Values inlined(const LatentEntry&, Parameters::Values values, const std::filesystem::path&) { return values; }

/// Collects, source by source, the keys of a target or latent, whose name may come later than its keys.
template <class Entry>
class EntryKeys {
 public:
  EntryKeys(std::string section, std::string default_name) : section_(std::move(section)), name_(std::move(default_name)) {}

  bool knows(const std::string& key, const std::vector<Entry>& entries) const {
    return std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) { return spec_of(entry, key) != nullptr; });
  }

  void begin(const OptionSource& source) {
    for (const auto& assignment : source.assignments) {
      if (assignment.key != section_ + ".name") continue;
      if (!name_.empty() && assignment.value != name_) values_.clear();
      name_ = assignment.value;
      name_from_ = assignment.where;
    }
    values_.push_back({{}, source.folder, source.last_of_many_wins});
  }
  void add(const Assignment& assignment) { values_.back().assignments.push_back(assignment); }

  template <class Find>
  Parameters::Values resolve(const Find& find, const std::vector<Entry>& entries) const {
    const Entry& entry = *located(name_from_, [&] { return in_section(section_, [&] { return &find(name_); }); });
    Parameters::Values merged;
    for (const auto& source : values_) {
      Parameters::Values given;
      std::map<std::string, std::string> seen;
      for (const auto& [name, value, where] : source.assignments) {
        const auto key = name.substr(section_.size() + 1);
        const ParameterSpec* spec = spec_of(entry, key);
        if (!spec) throw_foreign_key(entry, entries, key, where);
        if (spec->kind != ParameterSpec::Kind::text_lines) {
          const auto [first, is_new] = seen.emplace(key, where);
          if (!is_new && !source.last_of_many_wins)
            throw ConfigError(fmt::format("{}: {} is given twice (first at {})", where, name, first->second));
          given[key].clear();
        }
        // One at a time, so that a wrong value is reported with its place.
        located(where, [&, &text = value] {
          return in_section(section_, [&] { return Parameters(entry.name, entry.parameters, {{key, {text}}}); });
        });
        given[key].push_back(value);
      }
      for (auto& [key, lines] : in_section(section_, [&] { return inlined(entry, std::move(given), source.folder); }))
        merged[key] = std::move(lines);
    }
    return in_section(section_, [&] { return Parameters(entry.name, entry.parameters, merged).values(); });
  }

 private:
  static const ParameterSpec* spec_of(const Entry& entry, const std::string& key) {
    const auto& specs = entry.parameters;
    const auto found = std::find_if(specs.begin(), specs.end(), [&](const ParameterSpec& spec) { return spec.key == key; });
    return found == specs.end() ? nullptr : &*found;
  }

  [[noreturn]] void throw_foreign_key(const Entry& entry, const std::vector<Entry>& entries, const std::string& key,
                                      const std::string& where) const {
    std::string owners, own;
    for (const auto& other : entries)
      if (spec_of(other, key)) owners.append(owners.empty() ? "" : ", ").append(other.name);
    for (const auto& spec : entry.parameters) own.append(own.empty() ? "" : ", ").append(spec.key);
    throw ConfigError(fmt::format("{}: {}.{} is a key of {}, not of {}, whose keys are: {}", where, section_, key, owners, entry.name,
                                  own.empty() ? "none" : own));
  }

  std::string section_, name_, name_from_ = "default";
  std::vector<EntryValues> values_;
};

}  // namespace

Options resolve_options(std::span<const OptionSource> sources, TargetName target_name) {
  Options options;
  EntryKeys<TargetEntry> target("target", options.target.name);
  EntryKeys<LatentEntry> latent("latent", options.latent.name);
  for (const auto& source : sources) {
    target.begin(source);
    latent.begin(source);
    std::map<std::string, std::string> seen;
    for (const auto& assignment : source.assignments) {
      const auto& [name, value, where] = assignment;
      if (value.find_first_of(";#\n\r") != std::string::npos)
        throw ConfigError(
            fmt::format("{}: {} = {}: a value cannot hold ; or # (they begin a comment) or a line break", where, name, value));
      if (const OptionKey* key = find_option_key(name)) {
        const auto [first, is_new] = seen.emplace(name, where);
        if (!is_new && !source.last_of_many_wins)
          throw ConfigError(fmt::format("{}: {} is given twice (first at {})", where, name, first->second));
        located(where, [&, &text = value] { key->set(options, text); });
      } else if (name.starts_with("target.") && target.knows(name.substr(7), target_entries())) {
        target.add(assignment);
      } else if (name.starts_with("latent.") && latent.knows(name.substr(7), latent_entries())) {
        latent.add(assignment);
      } else {
        throw_unknown_key(assignment);
      }
    }
  }
  const bool has_target = !options.target.name.empty();
  if (!has_target && target_name == TargetName::required)
    throw ConfigError(
        "target.name is not set; write it in a configuration ([target] name = ...) or give --target.name; see: boltzcurve list targets");
  if (has_target) options.target.values = target.resolve(find_target, target_entries());
  options.latent.values = latent.resolve(find_latent, latent_entries());
  return options;
}

bool names_code(const TargetOptions& target, const std::string& key) {
  const auto& specs = find_target(target.name).parameters;
  return std::any_of(specs.begin(), specs.end(), [&](const ParameterSpec& spec) { return spec.names_code && key == "target." + spec.key; });
}

Parameters::Values values_without_code(const TargetOptions& target) {
  auto values = target.values;
  std::erase_if(values, [&](const auto& value) { return names_code(target, "target." + value.first); });
  return values;
}

void require_code_named(const Options& options, std::span<const OptionSource> given, const std::string& file) {
  if (options.target.values == values_without_code(options.target)) return;
  // With the name in front, for a user who gives no more than the file's.
  std::vector<OptionSource> sources = {{{{"target.name", options.target.name, file}}, {}, false}};
  sources.insert(sources.end(), given.begin(), given.end());
  const auto& named = resolve_options(sources).target;
  for (const auto& [key, lines] : options.target.values) {
    if (!names_code(options.target, "target." + key)) continue;
    const auto found = named.values.find(key);
    if (named.name == options.target.name && found != named.values.end() && found->second == lines) continue;
    throw ConfigError(fmt::format(
        "{} names code to run, target.{} = {}: others may have written that, so it is not run unless you name it too, with --target.{}={} "
        "or the configuration that it came from (--config)",
        file, key, lines.at(0), key, lines.at(0)));
  }
}

std::string resolved_text(const Options& options) {
  std::string text, section;
  const auto append_values = [&] {
    const Parameters::Values none;
    const auto& values = section == "target" ? options.target.values : section == "latent" ? options.latent.values : none;
    for (const auto& [key, lines] : values)
      for (const auto& line : lines) text += fmt::format("{} = {}\n", key, line);
  };
  for (const auto& key : option_keys()) {
    if (key.description.section != section) {
      append_values();
      section = key.description.section;
      text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", section);
    }
    const auto value = key.get(options);
    text += fmt::format("{} ={}{}\n", key.description.key, value.empty() ? "" : " ", value);
  }
  return text;
}

}  // namespace boltzcurve

#include "app/sweep/manifest.hpp"
#include <boltzcurve/error.hpp>
#include "io/durable_file.hpp"
#include "io/table.hpp"

#include <algorithm>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

/// Fowler, Noll and Vo's hash, 64 bits (FNV-1a): for names, not for secrets.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211u;
  return hash;
}

const std::vector<std::string> first_columns = {"row", "folder"};

}  // namespace

std::string to_csv(const Manifest& manifest) {
  auto header = first_columns;
  header.insert(header.end(), manifest.keys.begin(), manifest.keys.end());
  std::string text = csv_line(header);
  for (std::size_t row = 0; row < manifest.rows.size(); ++row) {
    std::vector<std::string> fields = {std::to_string(row), manifest.rows[row].folder.string()};
    fields.insert(fields.end(), manifest.rows[row].values.begin(), manifest.rows[row].values.end());
    text += csv_line(fields);
  }
  return text;
}

Manifest manifest_from_csv(const std::string& text, const std::string& name) {
  std::size_t at = 0;
  Manifest manifest;
  const auto header = csv_record(text, at);
  if (header.size() <= first_columns.size() || !std::equal(first_columns.begin(), first_columns.end(), header.begin()))
    throw InputError(fmt::format("{}, line 1: expected row,folder and the varied keys; plan the sweep again", name));
  manifest.keys.assign(header.begin() + 2, header.end());
  for (std::size_t row = 0; at < text.size(); ++row) {
    const auto fields = csv_record(text, at);
    if (fields.size() != header.size() || fields[0] != std::to_string(row) || fields[1].empty())
      throw InputError(
          fmt::format("{}, record {}: expected row {} with {} fields; plan the sweep again", name, row + 2, row, header.size()));
    const std::filesystem::path folder = fields[1];
    if (folder.is_absolute() || std::find(folder.begin(), folder.end(), "..") != folder.end())
      throw InputError(
          fmt::format("{}, record {}: folder {} is outside that of the sweep; plan the sweep again", name, row + 2, fields[1]));
    manifest.rows.push_back({folder, {fields.begin() + 2, fields.end()}});
  }
  return manifest;
}

std::filesystem::path folder_of_run(const Options& options) {
  return std::filesystem::path("runs") / fmt::format("{:016x}", hash_of(resolved_text(options)));
}

Manifest write_plan(const std::filesystem::path& folder, const Sweep& sweep, const std::vector<Options>& options, const std::string& text) {
  Manifest manifest;
  for (const auto& key : sweep.keys) manifest.keys.push_back(key.key);
  for (std::size_t row = 0; row < options.size(); ++row) {
    manifest.rows.push_back({folder_of_run(options[row]), sweep.rows[row]});
    const auto run = folder / manifest.rows.back().folder;
    std::error_code error;
    std::filesystem::create_directories(run, error);
    if (error) throw InputError(fmt::format("cannot make {}: {}", run.string(), error.message()));
    const auto config = run / "config.ini";
    const auto resolved = resolved_text(options[row]);
    if (!std::filesystem::exists(config) || read_text(config) != resolved) replace_file(config, resolved);
  }
  replace_file(folder / sweep_copy_name, text);
  replace_file(folder / manifest_name, to_csv(manifest));
  return manifest;
}

Manifest read_manifest(const std::filesystem::path& folder) {
  const auto file = folder / manifest_name;
  std::error_code missing;
  if (!std::filesystem::exists(file, missing))
    throw InputError(fmt::format("there is no sweep in {}: no {}; plan one there: boltzcurve sweep plan FILE --output {}", folder.string(),
                                 manifest_name, folder.string()));
  return manifest_from_csv(read_text(file), file.string());
}

}  // namespace boltzcurve

#pragma once

#include "app/sweep/sweep_file.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace boltzcurve {

/// One run of a sweep. Its folder holds config.ini, the resolved options, from the planning on.
struct ManifestRow {
  std::filesystem::path folder;     ///< below the sweep's; its name follows from the options, so that equal runs meet again
  std::vector<std::string> values;  ///< of the varied keys

  bool operator==(const ManifestRow&) const = default;
};

/// What is to be run: manifest.csv in the folder of a sweep, a line per row: row,folder,KEY,...
struct Manifest {
  std::vector<std::string> keys;
  std::vector<ManifestRow> rows;

  bool operator==(const Manifest&) const = default;
};

inline constexpr const char* manifest_name = "manifest.csv";
inline constexpr const char* sweep_copy_name = "sweep.ini";  ///< the sweep file, or a word where it was a table, beside the manifest

std::string to_csv(const Manifest& manifest);
/// Throws InputError that names `name` and the line.
Manifest manifest_from_csv(const std::string& text, const std::string& name);

/// The folder of a run with these options, "runs/0123456789abcdef": of equal options, and for all that is known of no others.
std::filesystem::path folder_of_run(const Options& options);

/// Writes the manifest, `text` as the copy of the sweep file and the folder of every row with its config.ini into `folder`. What runs have
/// left there stays, and belongs to the rows that have the same options. For rank 0. Throws InputError.
Manifest write_plan(const std::filesystem::path& folder, const Sweep& sweep, const std::vector<Options>& options, const std::string& text);

/// Throws InputError that says how to plan where there is no manifest.
Manifest read_manifest(const std::filesystem::path& folder);

}  // namespace boltzcurve

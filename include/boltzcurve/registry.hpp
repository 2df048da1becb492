#pragma once

#include <boltzcurve/parameters.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace boltzcurve {

class Energy;

/// A kind of target: its name, its settings and how to make it. A new target of the library is one file that defines such an entry and one
/// line in the list of src/energy/registry.cpp; a program of one's own registers its targets with register_target().
struct TargetEntry {
  std::string name, summary;
  std::vector<ParameterSpec> parameters;
  std::function<std::unique_ptr<Energy>(const Parameters&)> make;
  /// Replaces references to files (relative ones start at `folder`) by their content, so that the resolved settings stand alone. Optional.
  std::function<Parameters::Values(Parameters::Values, const std::filesystem::path& folder)> inline_files;
};

/// A kind of latent density; it takes its dimension from the target.
struct LatentEntry {
  std::string name, summary;
  std::vector<ParameterSpec> parameters;
  std::function<std::unique_ptr<Energy>(const Parameters&, int dimension)> make;
};

/// All that are known, those of the library first.
const std::vector<TargetEntry>& target_entries();
const std::vector<LatentEntry>& latent_entries();

/// From here on the entry is known like those of the library. Throws Error where it has no name, its name is taken, or it makes nothing. To
/// be called by every rank before anything asks for targets (references into target_entries() do not survive), by one thread.
void register_target(TargetEntry entry);
void register_latent(LatentEntry entry);

/// The entry of that name; throws SettingError, of the setting `name`, with the nearest known name otherwise.
const TargetEntry& find_target(std::string_view name);
const LatentEntry& find_latent(std::string_view name);

/// The target or latent of that name with the given settings, defaults for the others. Throws SettingError as find_*() and Parameters do.
std::unique_ptr<Energy> make_target(std::string_view name, const Parameters::Values& given = {});
std::unique_ptr<Energy> make_latent(std::string_view name, int dimension, const Parameters::Values& given = {});

}  // namespace boltzcurve

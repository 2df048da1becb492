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

/// A kind of target: its name, its options and how to make it. A new target is one file that defines such an entry and one line in the
/// list of src/energy/registry.cpp.
struct TargetEntry {
  std::string name, summary;
  std::vector<ParameterSpec> parameters;
  std::function<std::unique_ptr<Energy>(const Parameters&)> make;
  /// Replaces references to files (relative ones start at `folder`) by their content, so that the resolved options stand alone. Optional.
  std::function<Parameters::Values(Parameters::Values, const std::filesystem::path& folder)> inline_files;
};

/// A kind of latent law; it takes its dimension from the target.
struct LatentEntry {
  std::string name, summary;
  std::vector<ParameterSpec> parameters;
  std::function<std::unique_ptr<Energy>(const Parameters&, int dimension)> make;
};

const std::vector<TargetEntry>& target_entries();
const std::vector<LatentEntry>& latent_entries();

/// The entry of that name; throws ConfigError with the nearest known name otherwise.
const TargetEntry& find_target(std::string_view name);
const LatentEntry& find_latent(std::string_view name);

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/energy.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace boltzcurve {

/// One option of a target or latent: `section.key` in configurations. `range` bounds numbers (inclusive); text has none.
struct ParameterSpec {
  enum class Kind { integer, real, real_list, text, text_lines };  ///< text_lines: the key may be given many times, a line each
  std::string key;
  Kind kind;
  std::string default_text;  ///< empty: no value unless given
  std::string meaning;       ///< one line; with the unit where there is one
  double lower = -std::numeric_limits<double>::infinity(), upper = std::numeric_limits<double>::infinity();
};

/// Checked values of an entry's options, defaults filled in. Values stay text until they are read, so they can be written back exactly.
class Parameters {
 public:
  using Values = std::map<std::string, std::vector<std::string>>;  ///< key -> lines, one unless the kind is text_lines

  Parameters() = default;

  /// Throws ConfigError, naming "section.key", the value and the need, for an unknown key (with the nearest known one), a value that is
  /// not of its kind or one out of range.
  Parameters(const std::string& section, const std::string& owner, const std::vector<ParameterSpec>& specs, const Values& given);

  bool has(const std::string& key) const;
  long integer(const std::string& key) const;
  double real(const std::string& key) const;
  std::vector<double> real_list(const std::string& key) const;
  std::string text(const std::string& key) const;
  std::vector<std::string> lines(const std::string& key) const;

  /// All that has a value, for the resolved configuration.
  const Values& values() const { return values_; }

 private:
  std::string section_;
  Values values_;
};

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

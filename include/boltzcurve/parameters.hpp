#pragma once

#include <limits>
#include <map>
#include <string>
#include <vector>

namespace boltzcurve {

/// One setting of a target or latent. Bounds are inclusive and hold for numbers; text has none.
struct ParameterSpec {
  enum class Kind { integer, real, real_list, text, text_lines };  ///< text_lines: the key may be given many times, a line each
  std::string key;
  Kind kind;
  std::string default_text;  ///< empty: no value unless given
  std::string meaning;       ///< one line; with the unit where there is one
  double lower = -std::numeric_limits<double>::infinity(), upper = std::numeric_limits<double>::infinity();
  bool names_code = false;  ///< of a file that is run: whoever makes a target of what others wrote must have the key from the user
};

/// Checked values of an entry's settings, defaults filled in. Values stay text until they are read, so they can be written back exactly.
class Parameters {
 public:
  using Values = std::map<std::string, std::vector<std::string>>;  ///< key -> lines, one unless the kind is text_lines

  Parameters() = default;

  /// Throws SettingError, naming key, value and need, for an unknown key (with the nearest known one of `owner`), a value that is not of
  /// its kind or one out of range.
  Parameters(const std::string& owner, const std::vector<ParameterSpec>& specs, const Values& given);

  bool has(const std::string& key) const;
  // These throw SettingError for a key that has no value.
  long integer(const std::string& key) const;
  double real(const std::string& key) const;
  std::vector<double> real_list(const std::string& key) const;
  std::string text(const std::string& key) const;
  std::vector<std::string> lines(const std::string& key) const;

  /// All that has a value, for the resolved configuration.
  const Values& values() const { return values_; }

 private:
  Values values_;
};

}  // namespace boltzcurve

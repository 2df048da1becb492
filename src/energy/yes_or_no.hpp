#pragma once

#include <boltzcurve/error.hpp>
#include <boltzcurve/parameters.hpp>

namespace boltzcurve {

/// The value of a setting that is yes or no. Throws SettingError for anything else.
inline bool is_yes(const Parameters& parameters, const std::string& key) {
  const std::string value = parameters.text(key);
  if (value != "yes" && value != "no") throw SettingError({key, " = " + value + ": must be yes or no"});
  return value == "yes";
}

}  // namespace boltzcurve

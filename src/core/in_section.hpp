#pragma once

#include <boltzcurve/error.hpp>

#include <string>

namespace boltzcurve {

/// What `action` returns. Errors about settings of a part, which know nothing of the whole, leave as ConfigError of "section.setting".
template <class Action>
auto in_section(const std::string& section, const Action& action) {
  try {
    return action();
  } catch (const SettingError& error) {
    throw error.in_section(section);
  }
}

}  // namespace boltzcurve

#pragma once

#include "app/options/options.hpp"

#include <functional>
#include <string>
#include <vector>

namespace boltzcurve {

/// One key of the configuration and the member of Options that it is bound to.
struct OptionKey {
  OptionDescription description;
  std::function<void(Options&, const std::string& text)> set;  ///< throws ConfigError without saying where
  std::function<std::string(const Options&)> get;
  bool decides_training = true;  ///< another value makes another training of it
};

/// All keys but those that targets and latents bring, by section.
const std::vector<OptionKey>& option_keys();

/// The one of this name ("section.key"), or null.
const OptionKey* find_option_key(const std::string& name);

}  // namespace boltzcurve

#pragma once

#include "app/options/options.hpp"

#include <string>
#include <vector>

namespace boltzcurve {

/// An option that has another value than before, as texts; of a key that may be given many times the lines, joined.
struct OptionChange {
  std::string key, before, after;
  bool of_training = false;  ///< with the other value training computes something else

  std::string text() const;  ///< "optimizer.learning-rate = 0.02 (was 0.01)"
};

/// In the order of the reference.
std::vector<OptionChange> option_changes(const Options& before, const Options& after);

}  // namespace boltzcurve

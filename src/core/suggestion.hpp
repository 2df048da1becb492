#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace boltzcurve {

/// The candidate that takes the fewest single-letter edits (insert, delete, replace) to become `word`; empty when there is none.
std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace boltzcurve

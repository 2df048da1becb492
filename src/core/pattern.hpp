#pragma once

#include <string>
#include <vector>

namespace boltzcurve {

/// What the groups of a POSIX extended regular expression took where the whole of `text` matches it, [0] the text itself, "" for a group
/// without part in it; empty where it does not match. Without the seconds of compilation that std::regex costs every source that uses it.
std::vector<std::string> groups_of(const std::string& text, const std::string& expression);

}  // namespace boltzcurve

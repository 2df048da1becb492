#pragma once

#include "app/options/request.hpp"

#include <span>
#include <string>

namespace boltzcurve {

/// A script that teaches bash to complete commands, options, keys, their values where they are names, and topics of `list`. It needs no
/// package of completions, and is made from the tables that the parser reads.
std::string bash_completion(std::span<const CommandDescription> commands, std::span<const std::string> topics);

/// A page for man(1), section 1, in roff: commands, options, every key with default, range, unit and meaning, files and exit codes.
std::string man_page(std::span<const CommandDescription> commands);

}  // namespace boltzcurve

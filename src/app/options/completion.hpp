#pragma once

#include "app/options/request.hpp"

#include <span>
#include <string>

namespace boltzcurve {

/// A script that teaches bash to complete commands, options, keys, their values where they are names, and topics of `list`. It needs no
/// package of completions, and is made from the tables that the parser reads.
std::string bash_completion(std::span<const CommandDescription> commands, std::span<const std::string> topics);

}  // namespace boltzcurve

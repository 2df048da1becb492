#pragma once

#include <boltzcurve/communicator.hpp>

#include <string>

namespace boltzcurve {

/// Writes `text` to stdout at once. Throws InputError where that fails, for example on a full disk: whoever keeps the output in a file must
/// not take half of it for all.
void print(const std::string& text);

/// "boltzcurve: warning: TEXT" on rank 0's stderr, also when the run is quiet: what a user must know although the run goes on.
void warn(const Communicator& world, const std::string& text);

}  // namespace boltzcurve

#pragma once

#include <string>

namespace boltzcurve {

/// Writes `text` to stdout at once. Throws InputError where that fails, for example on a full disk: whoever keeps the output in a file must
/// not take half of it for all.
void print(const std::string& text);

}  // namespace boltzcurve

#pragma once

#include <functional>

namespace boltzcurve {

/// Seconds of a clock that never goes back, from any origin.
double steady_seconds();
using WallClock = std::function<double()>;

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/curve_settings.hpp>
#include "residual/curve_concept.hpp"

namespace boltzcurve {

/// A clock w(t), from 0 at the end of a curve where modes are narrow and change fast, t = 0, to 1 at t = span: specialised in a file of its
/// own in src/curve/clocks.
///
///     at(scale, t)         w and dt/dw
///     time_at(scale, w)    its inverse
///
/// `scale` is what the curve knows of its time:
///
///     span()                               T
///     widening(t), per_widening()          a and 1/a_0: modes at t are r = 1 + a/a_0 times as wide as at 0, squared
///     log_span()                           log r(T)
///     time_per_log(a, r, length)           length dt/d(log r)
///     time_at_log(l)                       the time at which log r = l
template <CurveClock clock>
struct ClockOf;

}  // namespace boltzcurve

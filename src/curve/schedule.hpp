#pragma once

#include <boltzcurve/curve_settings.hpp>
#include "curve/flow_parameters.hpp"

namespace boltzcurve {

/// The weight g of the target's energy, and dg/dt.
template <class P>
struct TargetWeight {
  P g, g_dot;
};

/// A schedule g(t), 1 at t = 0 and falling to 0 at t = T: specialised in a file of its own in src/curve/schedules.
///
///     at(flow, t)    g and dg/dt, host and device, for packs or plain numbers
///     is_learned     whether g is only where training begins, and a network moves it from there (see ScheduledFlow)
template <Schedule schedule>
struct ScheduleOf;

struct FixedSchedule {
  static constexpr bool is_learned = false;
};

}  // namespace boltzcurve

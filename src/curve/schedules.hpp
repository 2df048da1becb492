#pragma once

#include "curve/schedule.hpp"

#include "all_curve_schedules.hpp"  // every header of src/curve/schedules, listed by the build

namespace boltzcurve {

/// body(ScheduleOf<schedule>()), the one place where schedules are told apart. Host and device.
template <class Body>
KOKKOS_FORCEINLINE_FUNCTION auto with_schedule(Schedule schedule, const Body& body) {
  using enum Schedule;
#define BOLTZCURVE_SCHEDULE(identifier, name, meaning) \
  case identifier:                                     \
    return body(ScheduleOf<identifier>());
  switch (schedule) { BOLTZCURVE_SCHEDULES(BOLTZCURVE_SCHEDULE) }
#undef BOLTZCURVE_SCHEDULE
  __builtin_unreachable();
}

}  // namespace boltzcurve

#pragma once

#include "curve/schedules/diffusion.hpp"

namespace boltzcurve {

/// What the learned schedule begins with: that of diffusion, u = (g - g(T))/(1 - g(T)), clamped to 0 at T.
template <>
struct ScheduleOf<Schedule::learned> {
  static constexpr bool is_learned = true;

  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static TargetWeight<P> at(const FlowParameters& flow, P t) {
    using std::fmax;
    using Start = ScheduleOf<Schedule::diffusion>;
    const auto [g, g_dot] = Start::at(flow, t);
    const P last = Start::faded(flow, flow.added_variance(flow.inverse_alpha(P(flow.horizon)))), whole = P(1) - last;
    return {fmax(g - last, P(0)) / whole, g_dot / whole};
  }
};

}  // namespace boltzcurve

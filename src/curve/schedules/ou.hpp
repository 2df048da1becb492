#pragma once

#include "curve/schedule.hpp"
#include "simd/pack_math.hpp"

#include <cmath>

namespace boltzcurve {

/// g = (alpha^2 - alpha_T^2)/(1 - alpha_T^2) with alpha = exp(-t/sigma^2): what the Ornstein-Uhlenbeck diffusion leaves of the target's
/// variance, clamped to 0 at T.
template <>
struct ScheduleOf<Schedule::ou> : FixedSchedule {
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static TargetWeight<P> at(const FlowParameters& flow, P t) {
    using std::exp;
    const double decay = 2 / (flow.latent_scale * flow.latent_scale), last = std::exp(-decay * flow.horizon);
    const P left = exp(t * P(-decay));
    return {(left - P(last)) * P(1 / (1 - last)), left * P(-decay / (1 - last))};
  }
};

}  // namespace boltzcurve

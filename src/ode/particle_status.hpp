#pragma once

#include <cstdint>

namespace boltzcurve {

/// How the path of a particle ended. Everything but `finished` is a failure: counted, with weight 0, and kept in every denominator.
enum class ParticleStatus : std::int32_t {
  finished = 0,
  nonfinite = 1,       ///< NaN or infinity at the start, or in every trial step however short; or NaN as the target's energy at the end
  escaped = 2,         ///< an accepted step ended outside the domain
  step_underflow = 3,  ///< the error control asked for a step below the resolution of time
  max_steps = 4        ///< the allowed number of steps, accepted and rejected, was used up
};
inline constexpr int particle_status_count = 5;

constexpr const char* name_of(ParticleStatus status) {
  constexpr const char* names[particle_status_count] = {"finished", "nonfinite", "escaped", "step_underflow", "max_steps"};
  return names[static_cast<int>(status)];
}

}  // namespace boltzcurve

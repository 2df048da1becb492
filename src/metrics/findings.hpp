#pragma once

#include <array>
#include <cstddef>

namespace boltzcurve {

/// What can be wrong with particles, as codes of evaluation.json.
enum class Finding {
  failed_particles,    ///< any that did not come to the end
  stray_samples,       ///< exact samples, or points of the pilot's population, that the flow does not carry back
  lost_modes,          ///< a mode with less than a fifth of its particles, or a forward ESS below half of the ESS
  thin_tail,           ///< a forward ESS that half a percent of the points alone pull below half of the ESS
  exploding_velocity,  ///< ten times the action that is needed
  unconverged,         ///< low ESS, and large residuals in training
  pilot_disagrees,     ///< halves of the pilot's population disagree
  particles_disagree,  ///< with the population
  known_disagrees,     ///< particles with what is known of the target
  too_few_effective,   ///< particles: what follows from weights has no error that could be told
  low_ess,             ///< and none of these
};
inline constexpr std::array finding_names = {"failed_particles",   "stray_samples",     "lost_modes",      "thin_tail",
                                             "exploding_velocity", "unconverged",       "pilot_disagrees", "particles_disagree",
                                             "known_disagrees",    "too_few_effective", "low_ess"};
constexpr const char* name_of(Finding finding) { return finding_names[static_cast<std::size_t>(finding)]; }

}  // namespace boltzcurve

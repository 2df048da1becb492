#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/pilot_settings.hpp>
#include "energy/pilot_summary.hpp"
#include "pilot/curve_population.hpp"
#include "pilot/mala_chains.hpp"

#include <cstdint>
#include <memory>

namespace boltzcurve {

struct PilotInput {
  PilotSettings settings;   ///< of a method that is not `auto`
  Domain box;               ///< where chains, and descents to a reference law, start, in the target's own coordinates
  std::int64_t points = 0;  ///< of a training step: chains are in proportion, see MalaChains
  double hottest = 3;
  std::uint64_t seed = 1;
  bool finds_coordinates = true;  ///< false: the target's own
};

/// A pilot run on a target, what it says of the target's scales, and the coordinates in which a curve is to be learned: of a population,
/// those in which its mean is 0 and its covariance 1; of both kinds, those in which no coordinate's scale follows others, where there are
/// some that do. Cheap to copy: copies share all but the summary.
struct Pilot {
  std::shared_ptr<const Energy> target;         ///< as it was given
  std::shared_ptr<const Energy> curve_target;   ///< the same density in the coordinates of the curve, summary.coordinates
  std::shared_ptr<MalaChains> chains;           ///< `chains`: in those coordinates too; they move on while a curve is trained
  std::shared_ptr<CurvePopulation> population;  ///< `smc`: in those coordinates too
  PilotSummary summary;
};

/// Throws InputError where the target's energy is finite nowhere in the box. Collective.
Pilot run_pilot(const Communicator& ranks, const std::shared_ptr<const Energy>& target, const PilotInput& input);

/// One whose summary is known, from a checkpoint: its chains are at their start, to be restored or thermalized, its population is empty and
/// to be restored. Throws InputError where the target cannot be had in the summary's coordinates, or the summary is of the other method.
/// Collective.
Pilot known_pilot(const Communicator& ranks, const std::shared_ptr<const Energy>& target, const PilotInput& input,
                  const PilotSummary& summary);

/// Has chains that are at their start thermalize on the target, in the coordinates of the summary; of a population nothing. Collective.
void thermalize_chains(const Pilot& pilot);

}  // namespace boltzcurve

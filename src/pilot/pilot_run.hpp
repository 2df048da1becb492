#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/energy.hpp>
#include "energy/pilot_summary.hpp"
#include "pilot/mala_chains.hpp"

#include <cstdint>
#include <memory>

namespace boltzcurve {

struct PilotSettings {
  Domain box;               ///< where chains start, in the target's own coordinates
  std::int64_t points = 0;  ///< of a training step: chains are in proportion, see MalaChains
  double hottest = 3;
  std::uint64_t seed = 1;
  bool finds_coordinates = true;  ///< false: the target's own
};

/// A pilot run on a target: MALA chains that have thermalized there, what they say of its scales, and the coordinates in which no
/// coordinate's scale follows others, where they find some that do. Cheap to copy: copies share target and chains.
struct Pilot {
  std::shared_ptr<const Energy> target;        ///< as it was given
  std::shared_ptr<const Energy> curve_target;  ///< the same density in the coordinates of the curve, summary.coordinates
  std::shared_ptr<MalaChains> chains;          ///< in those coordinates too; they move on while a curve is trained
  PilotSummary summary;
};

/// Throws InputError where the target's energy is finite nowhere in the box. Collective.
Pilot run_pilot(const Communicator& ranks, const std::shared_ptr<const Energy>& target, const PilotSettings& settings);

/// One whose summary is known, from a checkpoint: its chains are at their start, to be restored or thermalized. Throws InputError where the
/// target cannot be had in the summary's coordinates. Collective.
Pilot known_pilot(const Communicator& ranks, const std::shared_ptr<const Energy>& target, const PilotSettings& settings,
                  const PilotSummary& summary);

/// Has chains that are at their start thermalize on the target, in the coordinates of the summary. Collective.
void thermalize_chains(const Pilot& pilot);

}  // namespace boltzcurve

#include "pilot/pilot_run.hpp"

#include <boltzcurve/error.hpp>
#include "core/heartbeat.hpp"

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr int thermalization_moves = 300;  // of chains in other coordinates than before

std::shared_ptr<MalaChains> chains_at_start(const Communicator& ranks, const Energy& target, const PilotSettings& settings) {
  MalaChains::Settings start;
  start.box = settings.box;
  start.points = settings.points;
  start.hottest = settings.hottest;
  start.seed = settings.seed;
  return std::make_shared<MalaChains>(ranks, start, target);
}

/// Null where the target cannot be had in these coordinates.
std::shared_ptr<const Energy> target_in(const std::shared_ptr<const Energy>& target, const ScaleMap& coordinates) {
  if (coordinates.is_identity()) return target;
  return target->in_coordinates(coordinates);
}

}  // namespace

Pilot run_pilot(const Communicator& ranks, const std::shared_ptr<const Energy>& target, const PilotSettings& settings) {
  const Phase phase("exploring the target");
  Pilot pilot{target, target, chains_at_start(ranks, *target, settings), {}};
  auto& chains = *pilot.chains;
  chains.thermalize();
  // Twice: what the chains show of scales gets better where they move more freely.
  ScaleMap coordinates;
  for (int round = 0; round < 2 && settings.finds_coordinates; ++round) {
    const auto found = fit_scale_map(ranks, chains.thermal_points(*target, coordinates));
    if (found.is_identity()) break;
    auto mapped = target_in(target, found);
    if (!mapped) break;
    chains.change_coordinates(coordinates, found, *mapped, thermalization_moves);
    pilot.curve_target = std::move(mapped);
    coordinates = found;
  }
  pilot.summary = chains.pilot_summary();
  pilot.summary.coordinates = coordinates;
  return pilot;
}

Pilot known_pilot(const Communicator& ranks, const std::shared_ptr<const Energy>& target, const PilotSettings& settings,
                  const PilotSummary& summary) {
  if (static_cast<int>(summary.mean.size()) != target->dimension())
    throw InputError(
        fmt::format("the checkpoint is of a target in {} dimensions, this one has {}", summary.mean.size(), target->dimension()));
  auto curve_target = target_in(target, summary.coordinates);
  if (!curve_target)
    throw InputError("the checkpoint was made in coordinates that this target does not know: it belongs to another version of the program");
  Pilot pilot{target, std::move(curve_target), chains_at_start(ranks, *target, settings), summary};
  pilot.chains->change_coordinates({}, summary.coordinates, *pilot.curve_target, 0);
  return pilot;
}

void thermalize_chains(const Pilot& pilot) {
  pilot.chains->change_coordinates({}, {}, *pilot.target, 0);
  pilot.chains->thermalize();
  if (!pilot.summary.coordinates.is_identity())
    pilot.chains->change_coordinates({}, pilot.summary.coordinates, *pilot.curve_target, thermalization_moves);
}

}  // namespace boltzcurve

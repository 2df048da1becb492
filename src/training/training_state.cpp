#include "training/training_state.hpp"

#include "core/checksum.hpp"

#include <cmath>
#include <span>

namespace boltzcurve {

double LogWindow::mean_loss() const { return losses > 0 ? loss_sum / static_cast<double>(losses) : std::nan(""); }

TrainingState initial_training_state(const std::vector<double>& parameters, const Optimizer& optimizer, const PilotSummary& pilot) {
  TrainingState state;
  state.pilot = pilot;
  state.parameters = state.average = parameters;
  state.optimizer = optimizer.initial_state();
  return state;
}

std::vector<double> learned_numbers(const TrainingState& state) {
  std::vector<double> all = {state.pilot.width, state.pilot.energy};
  const auto& map = state.pilot.coordinates;
  const auto& mixture = state.pilot.mixture;
  for (const auto* part :
       {&state.average, &state.pilot.mean, &state.pilot.deviation, &map.center, &map.offset, &map.slope, &map.linear, &map.square,
        &map.order, &map.shift, &map.factor, &mixture.weight, &mixture.mean, &mixture.axes, &mixture.variance})
    all.insert(all.end(), part->begin(), part->end());
  for (const auto& [coordinates, law] : state.pilot.factors)
    for (const auto* part : {&coordinates, &law.weight, &law.mean, &law.axes, &law.variance})
      all.insert(all.end(), part->begin(), part->end());
  return all;
}

std::int64_t learned_crc32(const TrainingState& state) {
  const auto numbers = learned_numbers(state);
  return crc_32(std::as_bytes(std::span(numbers)));
}

}  // namespace boltzcurve

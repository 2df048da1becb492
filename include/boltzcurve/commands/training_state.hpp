#pragma once

#include <boltzcurve/collocation/walkers.hpp>
#include <boltzcurve/commands/problem.hpp>
#include <boltzcurve/io/checkpoint.hpp>
#include <boltzcurve/training/optimizer.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace boltzcurve {

/// Everything that changes during training: with the options it determines all that follows, to the bit.
struct TrainingState {
  std::int64_t step = 0;           ///< steps done, skipped ones included
  std::int64_t skipped_steps = 0;  ///< without an update, because loss or gradient were not finite
  std::int64_t skipped_in_a_row = 0;
  std::vector<double> parameters, average;  ///< [parameter_count]; average: running mean, what samples are drawn with
  OptimizerState optimizer;
  std::vector<std::int64_t> sum_exponents;  ///< quanta of the reproducible sum; empty before the first step
  Survey survey;                            ///< of the target, which shapes curve and networks
  double seconds = 0;                       ///< wall time of training so far; the only entry that differs between equal runs

  bool operator==(const TrainingState&) const = default;
};

/// The start: random hidden layers, psi = 0.
TrainingState initial_training_state(const CurveNetworks& networks, const Optimizer& optimizer, const Survey& survey, std::uint64_t seed);

/// Named datasets /parameters, /average and, as the optimiser names its arrays, /optimizer/first_moment, ..., each with /psi/layer0/weight
/// and so on, /survey, and counters.
Checkpoint to_checkpoint(const TrainingState& state, const CurveNetworks& networks, const Provenance& provenance);

/// Throws InputError, naming file and dataset, where the checkpoint is not of these networks or this optimiser.
TrainingState from_checkpoint(const Checkpoint& checkpoint, const CurveNetworks& networks, const Optimizer& optimizer);

}  // namespace boltzcurve

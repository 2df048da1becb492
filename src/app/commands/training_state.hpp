#pragma once

#include "app/commands/problem.hpp"
#include "collocation/time_bins.hpp"
#include "core/named_array.hpp"
#include "io/checkpoint.hpp"
#include "pilot/mala_chains.hpp"
#include "training/optimizer.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace boltzcurve {

/// What the next row of the log is about: steps since the one before, with a loss or without, and the seconds at which it begins.
struct LogWindow {
  double loss_sum = 0, started = 0;
  std::int64_t losses = 0, steps = 0;

  double mean_loss() const;  ///< NaN without a loss
  bool operator==(const LogWindow&) const = default;
};

/// Everything that changes during training: with the options it determines all that follows, to the bit. Random numbers need no state of
/// their own, since they are functions of step and index.
struct TrainingState {
  std::int64_t step = 0;           ///< steps done, skipped ones included
  std::int64_t skipped_steps = 0;  ///< without an update, because loss or gradient were not finite
  std::int64_t skipped_in_a_row = 0;
  std::int64_t left_out_points = 0;         ///< of all steps so far: see BatchLoss
  std::int64_t checkpoints = 0;             ///< written so far, the one that holds this number included
  std::vector<double> parameters, average;  ///< [parameter_count]; average: running mean, what samples are drawn with
  OptimizerState optimizer;
  std::vector<std::int64_t> sum_exponents;  ///< quanta of the reproducible sum; empty before the first step
  PilotSummary pilot;                       ///< of the target, which shapes curve and networks
  std::vector<NamedArray> collocation;      ///< BatchLoss::collocation_state(), as of the last checkpoint, on rank 0
  TimeBins time_bins;                       ///< what the residuals so far say of the clock
  LogWindow window;
  double gradient_norm = 0;  ///< of the last update
  double seconds = 0;        ///< wall time of training so far: with window.started and checkpoints all that differs between equal runs

  bool operator==(const TrainingState&) const = default;
};

/// The start: random hidden layers, all networks zero.
TrainingState initial_training_state(const CurveNetworks& networks, const Optimizer& optimizer, const PilotSummary& pilot,
                                     std::uint64_t seed);

/// All that was learned and that particles follow from: averaged parameters and pilot run.
std::vector<double> learned_numbers(const TrainingState& state);
/// Their CRC-32: tells whether samples were drawn with them.
std::int64_t learned_crc32(const TrainingState& state);

/// Named datasets /parameters, /average and, as the optimizer names its arrays, /optimizer/first_moment, ..., each with /psi/layer0/weight
/// and so on, /collocation, /pilot run, and counters.
Checkpoint to_checkpoint(const TrainingState& state, const CurveNetworks& networks, const Provenance& provenance);

/// Throws InputError, naming file and dataset, where the checkpoint is not of these networks or this optimizer. Whether collocation fits is
/// for BatchLoss::restore_collocation() to say.
TrainingState from_checkpoint(const Checkpoint& checkpoint, const CurveNetworks& networks, const Optimizer& optimizer);

}  // namespace boltzcurve

#pragma once

#include "collocation/time_bins.hpp"
#include "core/named_array.hpp"
#include "energy/pilot_summary.hpp"
#include "training/optimizer.hpp"

#include <cstdint>
#include <vector>

namespace boltzcurve {

/// What the steps of a batch loss leave behind that decides the next ones: with the parameters, all that training goes on from to the bit.
struct LossState {
  std::vector<std::int64_t> sum_exponents;  ///< quanta of the reproducible sum; empty before the first step
  TimeBins time_bins;                       ///< what the residuals so far say of the clock
  std::vector<NamedArray> collocation;      ///< chains, and the parameters that trajectories were drawn with; on rank 0, elsewhere empty

  bool operator==(const LossState&) const = default;
};

/// What the next row of the log is about: steps since the one before, with a loss or without, and the seconds at which it begins.
struct LogWindow {
  double loss_sum = 0, started = 0;
  std::int64_t losses = 0, steps = 0;

  double mean_loss() const;  ///< NaN without a loss
  bool operator==(const LogWindow&) const = default;
};

/// Everything that changes during training: with the settings it determines all that follows, to the bit. Random numbers need no state of
/// their own, since they are functions of step and index.
struct TrainingState {
  std::int64_t step = 0;           ///< steps done, skipped ones included
  std::int64_t skipped_steps = 0;  ///< without an update, because loss or gradient were not finite
  std::int64_t skipped_in_a_row = 0;
  std::int64_t left_out_points = 0;         ///< of all steps so far: see BatchLoss
  std::int64_t checkpoints = 0;             ///< written so far, the one that holds this number included
  std::vector<double> parameters, average;  ///< [parameter_count]; average: running mean, what samples are drawn with
  OptimizerState optimizer;
  PilotSummary pilot;  ///< of the target, which shapes curve and networks
  LossState loss;      ///< as of the last Trainer::snapshot()
  LogWindow window;
  double gradient_norm = 0;  ///< of the last update
  double seconds = 0;        ///< wall time of training so far: with window.started and checkpoints all that differs between equal runs

  bool operator==(const TrainingState&) const = default;
};

/// The start: `parameters` as the model has them before training.
TrainingState initial_training_state(const std::vector<double>& parameters, const Optimizer& optimizer, const PilotSummary& pilot);

/// All that was learned and that particles follow from: averaged parameters and the pilot's summary.
std::vector<double> learned_numbers(const TrainingState& state);
/// Their CRC-32: tells whether samples were drawn with them.
std::int64_t learned_crc32(const TrainingState& state);

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/commands/problem.hpp>
#include <boltzcurve/commands/training_state.hpp>
#include <boltzcurve/core/error.hpp>
#include <boltzcurve/run/run.hpp>
#include <boltzcurve/sampling/particles.hpp>

#include <cstdint>
#include <string>

namespace boltzcurve {

// What the commands are made of. Every function is collective.

BatchLossSettings batch_loss_settings(const Options& options, const Problem& problem, std::shared_ptr<Walkers> walkers);
SamplingSettings sampling_settings(const Options& options, const Problem& problem);

/// Explores the target, adapts the problem to it and trains, from the start or from the run's checkpoint, to the same bits; writes
/// checkpoint.h5 and metrics.h5. Throws NumericalError, the last good checkpoint kept, when too many steps in a row had no finite loss;
/// InputError where the checkpoint lacks what going on needs. Returns why training was interrupted, if it was.
Stop train_stage(Run& run, Problem& problem, TrainingState& state);

/// Particles and the wall time that drawing them took.
struct Sampling {
  Particles particles;
  double seconds = 0;
};

/// Draws particles with the averaged parameters; `to_file`: writes them to samples.h5md.
enum class SamplesGo { to_file, nowhere };
Sampling sample_stage(Run& run, const Problem& problem, const TrainingState& state, SamplesGo destination);

/// Measures the particles; prints the table, writes evaluation.json and a row of metrics.h5.
void evaluate_stage(Run& run, const Problem& problem, const TrainingState& state, const Sampling& sampling);

/// "stopped: SIGUSR1".
std::string stopped_state(Stop stop);

/// Writes into metrics.h5, if it is there, what the run is doing (see MetricsFile::set_state()). For rank 0.
void tell_state(const Run& run, const std::string& state);

/// Builds everything, does one step and follows a few particles, prints estimates of memory, files and time, writes nothing.
void validate(Run& run);

}  // namespace boltzcurve

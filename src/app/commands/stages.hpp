#pragma once

#include <boltzcurve/error.hpp>
#include <boltzcurve/sampling.hpp>
#include <boltzcurve/training.hpp>
#include "app/commands/quick_history.hpp"
#include "app/process/run.hpp"
#include "collocation/collocation.hpp"
#include "curve/curve.hpp"
#include "pilot/pilot_run.hpp"
#include "training/training_state.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace boltzcurve {

// What the commands are made of. Every function is collective.

ModelSettings model_settings(const Options& options);
TrainerSettings trainer_settings(const Options& options);

/// A model, and how far its training has come.
struct Trained {
  Model model;
  TrainingState state;
};

/// From the run's checkpoint. Throws InputError where it does not fit the options.
Trained restored(const Run& run);
Trained restored(const Communicator& world, const Options& options, const Checkpoint& checkpoint);

/// Runs the pilot and trains, from the start or from the run's checkpoint, to the same bits; writes checkpoint.h5 and metrics.h5. `quick`
/// becomes what its quick evaluations came to. Throws
/// NumericalError, the last good checkpoint kept, when too many steps in a row had no finite loss; InputError where the checkpoint lacks
/// what going on needs. Returns why training was interrupted, if it was.
Stop train_stage(Run& run, Trained& trained, QuickHistory& quick);

/// Names in the output folder of a run.
inline constexpr const char *samples_name = "samples.h5md", *unfinished_samples_name = "samples.unfinished";

/// Particles, and the wall time that drawing them took in this run.
struct Sampling {
  Particles particles;
  int legs = 1;                           ///< see SamplingPlan
  std::optional<SamplingWork> work = {};  ///< of all ranks; unknown of particles from a file
  double seconds = 0;
  std::int64_t finished = 0;  ///< particles, over all ranks
  Stop stop = Stop::no;       ///< why it was interrupted, if it was: then particles are missing
};

/// Draws particles with the averaged parameters; `to_file`: writes them to samples.h5md. Finished ones are kept in the output folder, for a
/// run that resumes, until forget_finished_particles().
enum class SamplesGo { to_file, nowhere };
Sampling sample_stage(Run& run, const Model& model, const TrainingState& state, SamplesGo destination);
void forget_finished_particles(const Run& run);
/// Throws NumericalError, with the reasons and their counts, where none of the particles came through. Collective.
void require_some_finished(const Run& run, const Particles& particles);
/// "after 640 of 10000 particles".
std::string progress_of(const Run& run, const Sampling& sampling);

/// Measures the particles; prints the table, writes evaluation.json and a row of metrics.h5. Returns why it was interrupted, if it was:
/// then nothing is written.
Stop evaluate_stage(Run& run, const Model& model, const TrainingState& state, const QuickHistory& quick, const Sampling& sampling);

/// Warns where the target did not say what its density is, and says where first.
void warn_of_unknown_values(const Run& run, const Energy& target);

/// Says that a run was interrupted `where` ("after step 7"), and removes the file that asked for it.
ExitCode interrupted(const Run& run, Stop stop, const std::string& where);

/// "stopped: SIGUSR1".
std::string stopped_state(Stop stop);

/// Writes into metrics.h5, if it is there, what the run is doing (see MetricsFile::set_state()). For rank 0.
void tell_state(const Run& run, const std::string& state);

/// Does a run's work and leaves the truth about its end in metrics.h5: finished, or stopped and why, be it an error, which passes on.
Stop with_recorded_state(Run& run, const std::function<Stop()>& work);

/// Builds everything, does one step and follows a few particles, prints estimates of memory, files and time, writes nothing.
void validate(Run& run);

}  // namespace boltzcurve

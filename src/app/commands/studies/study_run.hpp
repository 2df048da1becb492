#pragma once

#include "app/commands/stages.hpp"
#include "app/process/run.hpp"

#include <string>

namespace boltzcurve {

// Runs that a study needs, each in a folder of its own below the study's. What is finished there, by the same options, is taken as it is;
// what was interrupted goes on. All collective.

/// A trained curve.
struct TrainedRun : Trained {
  Options options;
  QuickHistory quick;
  Stop stop = Stop::no;  ///< why training was interrupted, if it was: then the state is not the last
};

/// Trains `options` in `folder`, seen from the study's output folder.
TrainedRun trained_run(Run& study, const std::string& folder, Options options);

/// The run of another folder, by its checkpoint. Throws InputError.
TrainedRun finished_run(const Run& study, const std::string& folder);

/// Trains, draws particles and measures them; leaves evaluation.json.
Stop measured_run(Run& study, const std::string& folder, Options options);

/// Ends a study that was interrupted.
ExitCode interrupted_study(const Run& study, Stop stop);

}  // namespace boltzcurve

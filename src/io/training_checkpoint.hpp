#pragma once

#include "io/checkpoint.hpp"
#include "network/networks.hpp"
#include "training/training_state.hpp"

#include <vector>

namespace boltzcurve {

/// Named datasets /parameters, /average and, as the optimizer names its arrays, /optimizer/first_moment, ..., each with /psi/layer0/weight
/// and so on, /collocation, /survey (the pilot's summary), and counters.
Checkpoint to_checkpoint(const TrainingState& state, const CurveNetworks& networks, const Provenance& provenance);

/// The pilot's summary alone, from which a model is built that the rest of the checkpoint fits. Throws InputError.
PilotSummary pilot_summary_of(const Checkpoint& checkpoint);

/// What particles are drawn with, alone. Throws InputError where the checkpoint is not of these networks.
std::vector<double> averaged_parameters(const Checkpoint& checkpoint, const CurveNetworks& networks);

/// Throws InputError, naming file and dataset, where the checkpoint is not of these networks or this optimizer. Whether collocation fits is
/// for BatchLoss::restore() to say.
TrainingState from_checkpoint(const Checkpoint& checkpoint, const CurveNetworks& networks, const Optimizer& optimizer);

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/metrics.hpp>
#include <boltzcurve/model.hpp>
#include "app/process/run.hpp"
#include "io/metrics_file.hpp"
#include "metrics/evaluation.hpp"
#include "training/training_state.hpp"

#include <optional>
#include <string>
#include <vector>

namespace boltzcurve {

/// Draws up to 1000 particles with the averaged parameters. Collective.
Evaluation quick_evaluation(Run& run, const Model& model, const TrainingState& state);

/// Columns of /evaluation in metrics.h5: step, then every key of evaluation.json that is a number. Unknown values are NaN.
std::vector<Column> evaluation_columns();
std::vector<Cell> evaluation_row(const Evaluation& quick, const TrainingState& state);
std::vector<Cell> evaluation_row(const std::vector<EvaluatedMetric>& metrics, const TrainingState& state);

/// evaluation.json: one flat object, "target" and "curve" first, then every metric, null where it is unknown, and last the sentences of
/// the "diagnosis".
std::string evaluation_json(const Options& options, const std::vector<EvaluatedMetric>& metrics, const std::vector<std::string>& diagnosis);

}  // namespace boltzcurve

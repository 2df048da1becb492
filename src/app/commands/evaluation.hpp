#pragma once

#include <boltzcurve/metrics.hpp>
#include <boltzcurve/model.hpp>
#include "app/commands/diagnosis.hpp"
#include "app/process/run.hpp"
#include "io/metrics_file.hpp"
#include "metrics/evaluation.hpp"
#include "training/training_state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace boltzcurve {

/// What a few particles show, and, where the pilot's population is at hand, a few of its points that are carried back.
struct QuickEvaluation {
  Evaluation particles;
  std::optional<double> ess_forward_pilot;  ///< unknown too where a point did not come back
  std::int64_t target_values = 0;           ///< evaluations of the target's energy

  /// Of both ESS, where there is a population, the smaller; 0 where points of it did not come back.
  double smaller_ess(bool has_population) const;
};

/// Draws up to 1000 particles with the averaged parameters. Collective.
QuickEvaluation quick_evaluation(Run& run, const Model& model, const TrainingState& state);

/// Columns of /evaluation in metrics.h5: step, then every key of evaluation.json that is a number. Unknown values are NaN.
std::vector<Column> evaluation_columns();
std::vector<Cell> evaluation_row(const QuickEvaluation& quick, const TrainingState& state);
std::vector<Cell> evaluation_row(const std::vector<EvaluatedMetric>& metrics, const TrainingState& state);

/// evaluation.json: one flat object, "target" and "curve" first, then every metric, null where it is unknown, and last codes and sentences
/// of the diagnosis.
std::string evaluation_json(const Options& options, const std::vector<EvaluatedMetric>& metrics, const Diagnosis& diagnosis);

}  // namespace boltzcurve

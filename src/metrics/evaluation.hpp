#pragma once

#include "metrics/metric_input.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace boltzcurve {

/// Where a metric is told: in evaluation.json, whose keys are fixed, as well as on the terminal, or on the terminal only.
enum class Audience { file_and_terminal, terminal };

/// A metric: a line in the list of src/metrics/evaluation.cpp. `measure` may return several metrics that share their work; it is called
/// once.
struct MetricEntry {
  std::string key;
  std::string unit;  ///< "count" for whole numbers, "1" for other pure numbers
  std::string meaning;
  std::vector<Measured> (*measure)(const MetricInput&);
  Audience audience = Audience::file_and_terminal;
};

/// All metrics, in the order of evaluation.json; those for the terminal only stand beside their kind.
const std::vector<MetricEntry>& metric_entries();

/// A metric with its value: finite, or none where it is unknown, undefined or beyond all numbers.
struct EvaluatedMetric {
  const MetricEntry* entry;
  std::optional<double> value;
  std::int64_t samples;  ///< how many particles or samples it is from; 0 where it is no statistic
  std::optional<double> standard_error;
};

/// Evaluates all metrics, in the order of metric_entries(): the same values, to the last bit, on every rank and, `ranks` aside, for any
/// number of ranks. Collective.
std::vector<EvaluatedMetric> evaluate_metrics(const MetricInput& input);

/// The value of one key; throws Error for a key that is not there.
std::optional<double> value_of(const std::vector<EvaluatedMetric>& evaluation, std::string_view key);

/// A table for the terminal, a row per metric that has a value: name, value, standard error where known, unit, number of
/// particles or samples, meaning.
std::string table_of(const std::vector<EvaluatedMetric>& evaluation);

}  // namespace boltzcurve

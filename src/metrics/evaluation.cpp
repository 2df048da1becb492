#include "metrics/evaluation.hpp"
#include <boltzcurve/error.hpp>
#include "metrics/disagreement.hpp"
#include "metrics/energy_distance.hpp"
#include "metrics/forward_importance.hpp"
#include "metrics/importance.hpp"
#include "metrics/likelihood.hpp"
#include "metrics/mode_weights.hpp"
#include "metrics/pilot_population.hpp"
#include "metrics/sliced_wasserstein.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace boltzcurve {

const std::vector<MetricEntry>& metric_entries() {
  static const std::vector<MetricEntry> entries = {
      {"particles", "count", "generated particles", measure_run},
      {"ess", "1", "effective sample size, as a share of the particles", measure_importance},
      {"lineage_ess", "1", "the same of weights summed over descendants, where particles were resampled", measure_importance},
      {"ess_forward", "1", "the same of the flow alone from exact samples; sees lost modes", measure_forward_importance},
      {"ess_forward_pilot", "1", "the same from points of the pilot's population", measure_pilot_population},
      {"log_z", "nats", "log Z by importance weights", measure_importance},
      {"log_z_stderr", "nats", "its standard error", measure_importance},
      {"log_z_stderr_islands", "nats", "the same from the spread of islands", measure_importance},
      {"log_z_pilot", "nats", "log Z by the pilot's population", measure_pilot_population},
      {"log_z_pilot_stderr", "nats", "its standard error, from its islands", measure_pilot_population},
      {"log_z_exact", "nats", "log Z of the target", measure_run},
      {"log_z_thermodynamic", "nats", "log Z by thermodynamic integration of the normalizer", measure_run},
      {"elbo", "nats", "lower bound of log Z", measure_importance},
      {"eubo", "nats", "upper bound of log Z, from exact samples", measure_forward_importance},
      {"nll", "nats", "mean of -log rho_D over the particles", measure_likelihood},
      {"nll_median", "nats", "its median", measure_likelihood},
      {"nll_floor", "nats", "entropy of the target: the NLL of exact samples", measure_run},
      {"energy_distance", "length", "from as many exact samples, E|X-Y| - E|X-X'|/2 - E|Y-Y'|/2", measure_energy_distance},
      {"energy_distance_unbiased", "length", "the same without pairs of a point with itself", measure_energy_distance, Audience::terminal},
      {"energy_distance_floor", "length", "the same between two sets of exact samples", measure_energy_distance},
      {"sliced_w2", "length", "sliced 2-Wasserstein distance from exact samples", measure_sliced_wasserstein},
      {"mode_weight_error", "1", "largest error of a mode's share", measure_mode_weights, Audience::terminal},
      {"mode_weight_error_relative", "1", "largest error over the mode's weight", measure_mode_weights, Audience::terminal},
      {"mode_weight_error_reweighted", "1", "largest error with importance weights", measure_mode_weights, Audience::terminal},
      {"disagreement", "1", "largest z-score between particles and population, of N comparisons", measure_disagreement},
      {"disagreement_known", "1", "the same with what is known of the target", measure_disagreement},
      {"action", "length^2/time", "mean over particles of the integral of |v|^2 dt", measure_run},
      {"evaluations_per_particle", "1", "mean number of evaluations of the velocity", measure_run},
      {"escaped", "count", "particles that left the domain", measure_run},
      {"nonfinite", "count", "particles that met NaN or infinity", measure_run},
      {"step_underflow", "count", "particles whose steps became too short", measure_run},
      {"max_steps", "count", "particles that used up their steps", measure_run},
      {"target_values", "count", "evaluations of the target's energy alone", measure_run},
      {"target_gradients", "count", "evaluations of the target's energy and gradient", measure_run},
      {"seconds_train", "s", "wall time of training", measure_run},
      {"seconds_sample", "s", "wall time of sampling", measure_run},
      {"ranks", "count", "MPI ranks", measure_run},
  };
  return entries;
}

std::vector<EvaluatedMetric> evaluate_metrics(const MetricInput& input) {
  std::vector<std::pair<decltype(MetricEntry::measure), std::vector<Measured>>> done;
  std::vector<EvaluatedMetric> evaluation;
  for (const auto& entry : metric_entries()) {
    auto group = std::find_if(done.begin(), done.end(), [&](const auto& measured) { return measured.first == entry.measure; });
    if (group == done.end()) group = done.emplace(done.end(), entry.measure, entry.measure(input));
    const auto& measured = group->second;
    const auto one = std::find_if(measured.begin(), measured.end(), [&](const Measured& metric) { return metric.key == entry.key; });
    if (one == measured.end())
      throw Error(ExitCode::internal_error, fmt::format("metric {}: the function in its line of the list does not measure it", entry.key));
    const bool finite = one->value && std::isfinite(*one->value);
    const bool has_error = finite && one->standard_error && std::isfinite(*one->standard_error);
    evaluation.push_back({&entry, finite ? one->value : std::nullopt, one->samples, has_error ? one->standard_error : std::nullopt});
  }
  return evaluation;
}

std::optional<double> value_of(const std::vector<EvaluatedMetric>& evaluation, std::string_view key) {
  for (const auto& metric : evaluation)
    if (metric.entry->key == key) return metric.value;
  throw Error(ExitCode::internal_error, fmt::format("no metric is called {}", key));
}

std::string table_of(const std::vector<EvaluatedMetric>& evaluation) {
  std::string table = fmt::format("{:<29} {:>12} {:>10}  {:<13} {:>9}  {}\n", "metric", "value", "std error", "unit", "N", "meaning");
  for (const auto& [entry, value, samples, standard_error] : evaluation) {
    if (!value) continue;
    const auto number = entry->unit == "count" ? fmt::format("{:.0f}", *value) : fmt::format("{:.6g}", *value);
    const auto unit = entry->unit == "count" || entry->unit == "1" ? std::string() : entry->unit;
    const auto error = standard_error ? fmt::format("{:.2g}", *standard_error) : std::string();
    table += fmt::format("{:<29} {:>12} {:>10}  {:<13} {:>9}  {}\n", entry->key, number, error, unit,
                         samples > 0 ? fmt::format("{}", samples) : std::string(), entry->meaning);
  }
  return table;
}

}  // namespace boltzcurve

#include "app/commands/commands.hpp"
#include "app/commands/diagnosis.hpp"
#include "app/commands/evaluation.hpp"
#include "app/commands/evaluation_numbers.hpp"
#include "app/commands/parameters_summary.hpp"
#include "app/commands/quick_history.hpp"
#include "app/commands/stages.hpp"
#include "core/heartbeat.hpp"
#include "core/text.hpp"
#include "io/durable_file.hpp"
#include "io/samples_file.hpp"
#include "metrics/exact_samples.hpp"
#include "metrics/forward_importance.hpp"
#include "metrics/importance.hpp"
#include "metrics/likelihood.hpp"
#include "metrics/pilot_population.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace boltzcurve {
namespace {

constexpr std::int64_t quick_particles = 1000;

/// The table of metrics.h5 names the step and holds what evaluation.json holds.
template <class Visit>
void for_each_column(const Visit& visit) {
  for (const auto& entry : metric_entries())
    if (entry.audience == Audience::file_and_terminal) visit(entry);
}

/// By the normalizer's network with averaged parameters, or by the level of the time bins.
std::optional<double> thermodynamic_log_z_of(const Options& options, const Model& model, const TrainingState& state) {
  const double of_latent = model.latent->log_z().value();
  if (options.normalizer.kind == NormalizerKind::batch) return of_latent - state.loss.time_bins.integral_of_level();
  return thermodynamic_log_z(*model.curve, state.average, of_latent);
}

/// Every log weight is made of two numbers of which one stands in the file and the other follows from the position: a file whose bytes have
/// changed shows. Equal but for rounding, which differs between machines.
void require_consistent(const Particles& particles, const std::filesystem::path& path) {
  constexpr double tolerance = 1e-6;
  for (std::size_t i = 0; i < particles.size(); ++i) {
    if (!particles.finished(i) || !std::isfinite(particles.energy[i])) continue;
    const double expected = -particles.energy[i] - particles.log_density[i], size = std::fabs(particles.energy[i]) + 1;
    if (!(std::fabs(particles.log_weight[i] - expected) <= tolerance * (size + std::fabs(particles.log_density[i]))))
      throw InputError(
          fmt::format("{}: particle {} has the log weight {:.9g}, but its position and log density give {:.9g}: the file is damaged, or of "
                      "another target; draw again with `boltzcurve sample`",
                      path.string(), particles.id[i], particles.log_weight[i], expected));
  }
}

/// Particles of samples.h5md, each rank its shard.
Samples read_particles(const Run& run, const Model& model, const TrainingState& state) {
  const auto path = run.output(samples_name);
  std::vector<std::int64_t> size(2, 0);
  on_root(run.world(), [&] {
    const auto none = read_samples(path, Shard{0, 0});
    size = {none.particles, none.island_size};
  });
  run.world().broadcast(std::span(size));
  auto samples = read_samples(path, shard_of(size[0], size[1], run.world().rank(), run.world().size()));
  if (samples.dimension != model.dimension())
    throw InputError(fmt::format(
        "{} holds particles in {} dimensions, but target {} has {}: it belongs to another run; draw again with `boltzcurve sample`",
        path.string(), samples.dimension, run.options().target.name, model.dimension()));
  if (samples.parameters_crc32 && *samples.parameters_crc32 != learned_crc32(state))
    throw InputError(fmt::format("{} was drawn with other parameters than {} holds; draw again with `boltzcurve sample`", path.string(),
                                 run.checkpoint()->source.string()));
  for (const auto status : samples.status)
    if (const auto number = static_cast<int>(status); number < 0 || number >= particle_status_count)
      throw InputError(fmt::format(
          "{}, /samples/status holds {}, which is none of the {} known: the file is damaged; draw again with `boltzcurve sample`",
          path.string(), number, particle_status_count));
  evaluate_energies(*model.target, samples);
  require_consistent(samples, path);
  return samples;
}

MetricsFile metrics_of_this_training(const Run& run) {
  const auto path = run.output("metrics.h5");
  if (std::filesystem::exists(path) && !read_metrics_provenance(path).may_share_training_with(run.provenance()))
    throw InputError(fmt::format("{} is of another training than {}; move it away", path.string(), run.output(checkpoint_name).string()));
  return {path, run.provenance()};
}

/// The pilot's population, to compare particles with, where there is one.
void add_pilot(MetricInput& input, const Model& model) {
  if (!model.pilot->summary.has_population()) return;
  input.pilot = &model.pilot->summary;
  input.population = model.pilot->population.get();
}

/// Evaluations of the target by pilot, training, drawing and measuring the particles once. Known where the curve is without the target's
/// energy; else each particle asks for it at every step of its path, and chains at every move.
void count_evaluations(MetricInput& input, const Model& model, std::int64_t steps, const QuickHistory& quick, const Sampling& sampling) {
  if (!input.pilot || !model.pilot->population || model.settings.curve.form != CurveForm::network) return;
  const auto& ranks = input.ranks;
  if (!sampling.work && sampling.legs != 1) return;
  const auto once = total_count(ranks, input.particles.size());
  const auto work = sampling.work.value_or(SamplingWork{once, 0});
  input.target_gradients =
      input.pilot->evaluations + model.pilot->population->evaluations_of_moves(steps) + static_cast<double>(work.target_gradients);
  input.target_values = static_cast<double>(quick.target_values + work.target_values + total_count(ranks, input.exact_log_weight.size()) +
                                            total_count(ranks, input.population_log_weight.size()));
}

/// What is wrong with the particles, or that nothing is, from all that is known of them.
Diagnosis diagnosis_of(const MetricInput& input, const std::vector<EvaluatedMetric>& metrics, const Model& model,
                       const TrainingState& state) {
  return diagnose({.metrics = input,
                   .evaluation = metrics,
                   .curve_name = model.curve_name(),
                   .curve = *model.curve,
                   .coordinates = model.coordinates(),
                   .latent = model.latent->moments().value(),
                   .mode_width = state.pilot.width,
                   .time_bins = state.loss.time_bins});
}

}  // namespace

QuickEvaluation quick_evaluation(Run& run, const Model& model, const TrainingState& state) {
  auto settings = run.options().sampling;
  settings.frames = 0;
  settings.legs = 1;  // it is the flow that training is about
  const auto count = std::min(settings.particles, quick_particles);
  const Sampler sampler(run.world(), flow_of(model, state.average), settings, run.options().run.seed);
  const auto particles = sampler.draw(count);
  QuickEvaluation quick{evaluate(run.world(), model, particles), std::nullopt, count};
  MetricInput input(run.world(), particles);
  add_pilot(input, model);
  // All of it or none, so that a request to stop waits for it.
  add_population(input, *model.target, sampler, std::min(run.options().evaluation.pilot_samples, quick_particles), [] { return Stop::no; });
  if (const auto forward = forward_estimate(run.world(), input.population_log_weight)) quick.ess_forward_pilot = forward->ess;
  quick.target_values += total_count(run.world(), input.population_log_weight.size());
  return quick;
}

double QuickEvaluation::smaller_ess(bool has_population) const {
  return has_population ? std::min(particles.ess, ess_forward_pilot.value_or(0)) : particles.ess;
}

std::vector<Column> evaluation_columns() {
  std::vector<Column> columns = {{"step", "1", Integers()}};
  for_each_column([&](const MetricEntry& entry) { columns.push_back({entry.key, entry.unit}); });
  return columns;
}

std::vector<Cell> evaluation_row(const QuickEvaluation& quick, const TrainingState& state) {
  std::vector<Cell> row = {state.step};
  for_each_column([&](const MetricEntry& entry) {
    double value = std::nan("");
    if (entry.key == "particles") value = static_cast<double>(quick.particles.particles);
    if (entry.key == "ess") value = quick.particles.ess;
    if (entry.key == "ess_forward_pilot") value = quick.ess_forward_pilot.value_or(value);
    if (entry.key == "log_z") value = quick.particles.log_z;
    if (entry.key == "log_z_stderr") value = quick.particles.log_z_stderr;
    if (entry.key == "nll") value = quick.particles.negative_log_likelihood.value_or(value);
    if (entry.key == "seconds_train") value = state.seconds;
    row.emplace_back(value);
  });
  return row;
}

std::vector<Cell> evaluation_row(const std::vector<EvaluatedMetric>& metrics, const TrainingState& state) {
  std::vector<Cell> row = {state.step};
  for_each_column([&](const MetricEntry& entry) { row.emplace_back(value_of(metrics, entry.key).value_or(std::nan(""))); });
  return row;
}

std::map<std::string, double> evaluation_numbers(const std::filesystem::path& file) {
  const auto json = nlohmann::json::parse(read_text(file), nullptr, false);
  if (!json.is_object()) throw InputError(fmt::format("cannot read {}: it is no JSON object; evaluate again", file.string()));
  std::map<std::string, double> numbers;
  for (const auto& [key, value] : json.items())
    if (value.is_number()) numbers[key] = value.get<double>();
  return numbers;
}

std::string evaluation_json(const Options& options, const std::vector<EvaluatedMetric>& metrics, const Diagnosis& diagnosis) {
  nlohmann::ordered_json json;
  json["target"] = options.target.name;
  json["curve"] = name_of(options.curve.name);
  for (const auto& metric : metrics) {
    if (metric.entry->audience != Audience::file_and_terminal) continue;
    auto& place = json[metric.entry->key];
    if (!metric.value) continue;  // stays null
    if (metric.entry->unit == "count")
      place = static_cast<std::int64_t>(std::llround(*metric.value));
    else
      place = *metric.value;
  }
  json["diagnosis"] = nlohmann::json::array();
  for (const auto finding : diagnosis.findings) json["diagnosis"].push_back(name_of(finding));
  json["diagnosis_text"] = diagnosis.texts;
  return json.dump(2) + "\n";
}

Stop evaluate_stage(Run& run, const Model& model, const TrainingState& state, const QuickHistory& quick, const Sampling& sampling) {
  const Phase phase("measuring");
  const auto& options = run.options();
  MetricInput input(run.world(), sampling.particles);
  input.legs = sampling.legs;
  input.distance_points = options.evaluation.energy_distance_points;
  input.seed = options.run.seed;
  const Sampler sampler(run.world(), flow_of(model, state.average, options.sampling.method), options.sampling, options.run.seed);
  const auto interruption = [&] { return run.stop().seen_here(); };
  if (const auto stop = add_exact_samples(input, *model.target, sampler, options.evaluation.exact_samples, interruption); stop != Stop::no)
    return stop;
  add_pilot(input, model);
  if (const auto stop = add_population(input, *model.target, sampler, options.evaluation.pilot_samples, interruption); stop != Stop::no)
    return stop;
  input.log_z = model.target->log_z();
  input.log_z_thermodynamic = thermodynamic_log_z_of(run.options(), model, state);
  input.entropy = model.target->entropy();
  input.modes = model.target->modes();
  input.moments = model.target->moments();
  count_evaluations(input, model, state.step, quick, sampling);
  input.seconds_train = state.seconds;
  if (sampling.seconds > 0) input.seconds_sample = sampling.seconds;

  const auto metrics = evaluate_metrics(input);
  const auto diagnosis = diagnosis_of(input, metrics, model, state);
  const auto& particles = sampling.particles;
  const auto names = parameter_names(options, particles.dimension, model.target->coordinate_names());
  const auto summaries = summarize(run.world(), log_weights(particles), particles.position, names.size(), places_of_ancestors(particles));
  on_root(run.world(), [&] {
    MetricsFile file = metrics_of_this_training(run);  // first: it may turn out to be another's
    replace_file(run.output("evaluation.json"), evaluation_json(run.options(), metrics, diagnosis));
    file.declare("evaluation", evaluation_columns());
    file.append("evaluation", evaluation_row(metrics, state));
    file.close();
    replace_file(run.output(summary_name), summary_table(names, summaries).csv());
  });
  const auto measured =
      total_count(input.ranks, input.exact_log_weight.size()) + total_count(input.ranks, input.population_log_weight.size());
  run.spending().end("measuring", static_cast<double>(measured), 0);
  run.say(table_of(metrics));
  run.say(summary_text(names, summaries));
  run.say(fmt::format("diagnosis: {}", fmt::join(diagnosis.texts, "\n           ")));
  return Stop::no;
}

ExitCode evaluate(Run& run) {
  const auto [model, state] = restored(run);
  (void)parameter_names(run.options(), model.dimension());  // may refuse them, before anything is written
  if (run.request().validate) {
    validate(run);
    return ExitCode::done;
  }
  run.take_output_folder();
  Sampling sampling;
  bool have_samples = false;
  on_root(run.world(), [&] { have_samples = std::filesystem::exists(run.output(samples_name)); });
  have_samples = run.world().any(have_samples);
  if (have_samples) {
    auto samples = read_particles(run, model, state);
    sampling.legs = samples.legs;
    sampling.particles = std::move(samples);
  } else {
    sampling = sample_stage(run, model, state, SamplesGo::nowhere);
  }
  if (sampling.stop != Stop::no) return interrupted(run, sampling.stop, progress_of(run, sampling));
  if (const auto stop = evaluate_stage(run, model, state, QuickHistory::of(run.checkpoint()), sampling); stop != Stop::no)
    return interrupted(run, stop, "while measuring");
  warn_of_unknown_values(run, *model.target);
  if (!have_samples) forget_finished_particles(run);
  require_some_finished(run, sampling.particles);
  return ExitCode::done;
}

}  // namespace boltzcurve

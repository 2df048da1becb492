#include "app/commands/commands.hpp"
#include "app/commands/evaluation.hpp"
#include "app/commands/stages.hpp"
#include "app/process/pieces.hpp"
#include "core/heartbeat.hpp"
#include "io/durable_file.hpp"
#include "io/samples_file.hpp"
#include "metrics/diagnosis.hpp"
#include "metrics/importance.hpp"
#include "metrics/likelihood.hpp"
#include "sampling/curve_velocity.hpp"

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

HostPoints<double> local_points(const std::vector<double>& rows, int dimension) {
  const auto D = static_cast<std::size_t>(dimension), n = rows.size() / D;
  HostPoints<double> points("boltzcurve::local_points", n, D);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < D; ++k) points(i, k) = rows[i * D + k];
  return points;
}

void add_particles(MetricInput& input, const Particles& particles) {
  input.position = local_points(particles.position, particles.dimension);
  input.log_density = particles.log_density;
  input.energy = particles.energy;
  input.action = particles.action;
  input.time = particles.time;
  input.evaluations = particles.evaluations;
  for (const auto status : particles.status) input.status.push_back(static_cast<ParticleStatus>(status));
}

/// This rank's part of exact samples [first, first + count) of the target; no rows where it has no exact sampler.
HostPoints<double> exact_samples(const Run& run, const Energy& target, std::int64_t first, std::int64_t count) {
  const auto shard = shard_of(count, particle_granule, run.world().rank(), run.world().size());
  const auto D = static_cast<std::size_t>(target.dimension());
  HostPoints<double> samples("boltzcurve::exact_samples", static_cast<std::size_t>(shard.count), D);
  if (target.draw(run.options().run.seed, first + shard.first, samples)) return samples;
  return HostPoints<double>("boltzcurve::exact_samples", 0, D);
}

constexpr std::int64_t exact_samples_at_once = 512;

/// Exact samples where the target has them, and the weight that the flow gives them: what the particles alone cannot show. Returns why it
/// was interrupted, if it was.
Stop add_exact_samples(MetricInput& input, Run& run, const Model& model, const TrainingState& state) {
  const auto count = run.options().evaluation.exact_samples;
  const auto exact = exact_samples(run, *model.target, 0, count);
  input.exact = exact;
  const auto as_many_again = std::min(total_count(run.world(), input.status.size()), input.distance_points);
  input.exact_again = exact_samples(run, *model.target, count, as_many_again);

  std::vector<double> mine;
  for (std::size_t i = 0; i < exact.extent(0); ++i)
    for (std::size_t k = 0; k < exact.extent(1); ++k) mine.push_back(exact(i, k));
  const auto field = make_velocity_field(model.settings.precision, *model.curve, state.average, model.curve_target(), *model.latent);
  const auto task = sampling_task(run.options(), model);
  const auto energy = energies_of(*model.target, mine);
  const auto row = static_cast<std::size_t>(model.dimension());
  std::vector<double> log_weight;
  const auto stop = do_in_pieces(run.world(), run.stop(), [&] {
    const auto first = log_weight.size(), taken = std::min<std::size_t>(exact_samples_at_once, energy.size() - first);
    const auto begin = mine.begin() + static_cast<std::ptrdiff_t>(first * row);
    const auto log_density = log_density_of(task, *field, *model.latent, {begin, begin + static_cast<std::ptrdiff_t>(taken * row)});
    for (std::size_t i = 0; i < taken; ++i) log_weight.push_back(-energy[first + i] - log_density[i]);
    return log_weight.size() < energy.size();
  });
  input.exact_log_weight = std::move(log_weight);
  return stop;
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
  for (std::size_t i = 0; i < particles.status.size(); ++i) {
    if (particles.status[i] != static_cast<std::int32_t>(ParticleStatus::finished) || !std::isfinite(particles.energy[i])) continue;
    const double expected = -particles.energy[i] - particles.log_density[i], size = std::fabs(particles.energy[i]) + 1;
    if (!(std::fabs(particles.log_weight[i] - expected) <= tolerance * (size + std::fabs(particles.log_density[i]))))
      throw InputError(
          fmt::format("{}: particle {} has the log weight {:.9g}, but its position and log density give {:.9g}: the file is damaged, or of "
                      "another target; draw again with `boltzcurve sample`",
                      path.string(), particles.shard.first + static_cast<std::int64_t>(i), particles.log_weight[i], expected));
  }
}

/// Particles of samples.h5md, each rank its shard.
Particles read_particles(const Run& run, const Model& model, const TrainingState& state) {
  const auto path = run.output(samples_name);
  Particles particles;
  std::int64_t count = 0;
  on_root(run.world(), [&] { count = read_samples(path, Shard{0, 0}).particles; });
  count = run.world().sum(run.world().is_root() ? count : 0);
  particles.shard = shard_of(count, particle_granule, run.world().rank(), run.world().size());
  auto samples = read_samples(path, particles.shard);
  if (samples.dimension != model.dimension())
    throw InputError(fmt::format(
        "{} holds particles in {} dimensions, but target {} has {}: it belongs to another run; draw again with `boltzcurve sample`",
        path.string(), samples.dimension, run.options().target.name, model.dimension()));
  if (samples.parameters_crc32 && *samples.parameters_crc32 != learned_crc32(state))
    throw InputError(fmt::format("{} was drawn with other parameters than {} holds; draw again with `boltzcurve sample`", path.string(),
                                 run.checkpoint()->source.string()));
  for (const auto status : samples.status)
    if (status < 0 || status >= particle_status_count)
      throw InputError(fmt::format(
          "{}, /samples/status holds {}, which is none of the {} known: the file is damaged; draw again with `boltzcurve sample`",
          path.string(), status, particle_status_count));
  particles.dimension = samples.dimension;
  particles.position = std::move(samples.position);
  particles.log_density = std::move(samples.log_density);
  particles.log_weight = std::move(samples.log_weight);
  particles.status = std::move(samples.status);
  particles.evaluations = std::move(samples.evaluations);
  particles.energy = energies_of(*model.target, particles.position);
  require_consistent(particles, path);
  particles.action = std::move(samples.action);
  particles.time = std::move(samples.time);
  return particles;
}

MetricsFile metrics_of_this_training(const Run& run) {
  const auto path = run.output("metrics.h5");
  if (std::filesystem::exists(path) && !read_metrics_provenance(path).may_share_training_with(run.provenance()))
    throw InputError(fmt::format("{} is of another training than {}; move it away", path.string(), run.output(checkpoint_name).string()));
  return {path, run.provenance()};
}

/// What is wrong with the particles, or that nothing is, from all that is known of them.
std::vector<std::string> diagnosis_of(const MetricInput& input, const std::vector<EvaluatedMetric>& metrics, const Model& model,
                                      const TrainingState& state, const Particles& particles) {
  auto in_coordinates = particles.position;
  model.coordinates().to_z(in_coordinates);
  return diagnose({.particles = input,
                   .evaluation = metrics,
                   .curve_name = model.curve_name(),
                   .curve = *model.curve,
                   .curve_position = local_points(in_coordinates, particles.dimension),
                   .latent = model.latent->moments().value(),
                   .mode_width = state.pilot.width,
                   .time_bins = state.loss.time_bins});
}

}  // namespace

QuickEvaluation quick_evaluation(Run& run, const Model& model, const TrainingState& state) {
  auto task = sampling_task(run.options(), model);
  task.settings.particles = std::min(task.settings.particles, quick_particles);
  task.settings.frames = 0;
  const auto field = make_velocity_field(model.settings.precision, *model.curve, state.average, model.curve_target(), *model.latent);
  const auto particles = sample_particles(run.world(), task, *field, model.curve_target(), *model.latent);
  const auto estimate = importance_estimate(run.world(), particles.log_weight);
  MetricInput input(run.world());
  add_particles(input, particles);
  input.log_z = model.target->log_z();
  return {task.settings.particles, estimate.ess, estimate.log_z, estimate.log_z_stderr, measure_likelihood(input).front().value};
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
    if (entry.key == "particles") value = static_cast<double>(quick.particles);
    if (entry.key == "ess") value = quick.ess;
    if (entry.key == "log_z") value = quick.log_z;
    if (entry.key == "log_z_stderr") value = quick.log_z_stderr;
    if (entry.key == "nll") value = quick.nll.value_or(value);
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

std::string evaluation_json(const Options& options, const std::vector<EvaluatedMetric>& metrics,
                            const std::vector<std::string>& diagnosis) {
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
  json["diagnosis"] = diagnosis;
  return json.dump(2) + "\n";
}

Stop evaluate_stage(Run& run, const Model& model, const TrainingState& state, const Sampling& sampling) {
  const Phase phase("measuring");
  MetricInput input(run.world());
  input.distance_points = run.options().evaluation.energy_distance_points;
  add_particles(input, sampling.particles);
  if (const auto stop = add_exact_samples(input, run, model, state); stop != Stop::no) return stop;
  input.log_z = model.target->log_z();
  input.log_z_thermodynamic = thermodynamic_log_z_of(run.options(), model, state);
  input.entropy = model.target->entropy();
  input.modes = model.target->modes();
  input.seed = run.options().run.seed;
  input.seconds_train = state.seconds;
  if (sampling.seconds > 0) input.seconds_sample = sampling.seconds;

  const auto metrics = evaluate_metrics(input);
  const auto diagnosis = diagnosis_of(input, metrics, model, state, sampling.particles);
  on_root(run.world(), [&] {
    MetricsFile file = metrics_of_this_training(run);  // first: it may turn out to be another's
    replace_file(run.output("evaluation.json"), evaluation_json(run.options(), metrics, diagnosis));
    file.declare("evaluation", evaluation_columns());
    file.append("evaluation", evaluation_row(metrics, state));
    file.close();
  });
  run.say(table_of(metrics));
  run.say(fmt::format("diagnosis: {}", fmt::join(diagnosis, "\n           ")));
  return Stop::no;
}

ExitCode evaluate(Run& run) {
  const auto [model, state] = restored(run);
  if (run.request().validate) {
    validate(run);
    return ExitCode::done;
  }
  run.take_output_folder();
  Sampling sampling;
  bool have_samples = false;
  on_root(run.world(), [&] { have_samples = std::filesystem::exists(run.output(samples_name)); });
  have_samples = run.world().any(have_samples);
  if (have_samples)
    sampling.particles = read_particles(run, model, state);
  else
    sampling = sample_stage(run, model, state, SamplesGo::nowhere);
  if (sampling.stop != Stop::no) return interrupted(run, sampling.stop, progress_of(run, sampling));
  if (const auto stop = evaluate_stage(run, model, state, sampling); stop != Stop::no) return interrupted(run, stop, "while measuring");
  if (!have_samples) forget_finished_particles(run);
  return ExitCode::done;
}

}  // namespace boltzcurve

#include <boltzcurve/commands/problem.hpp>
#include <boltzcurve/core/error.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

// The network sees a clock that spans [-2, 2] from target to latent law, and coordinates in units in which the target's standard deviation
// is input_range / box_deviations: a uniform law would span [-input_range, input_range].
constexpr double clock_range = 2, box_deviations = 1.7320508075688772;

// With a range of 3 or less the first layer is nearly linear, and features of the width of a mode take long to appear; modes that are
// many and thin need more. Measured on the shipped targets.
constexpr double least_range = 3, largest_range = 8, range_per_width = 0.5;

// What is left of the target's second moment at the latent end, as a share of the latent variance: alpha_T^2 E|y-m|^2 / sigma^2. Starting
// from the latent law instead of rho_T costs an ESS of this share at most (second order in alpha_T), and shifts a mode's weight w by up to
// the root of share w (1 - w): 0.004.
constexpr double remaining_share = 5e-5;

CurveNetworks make_networks(const Options& options, int dimension) {
  CurveNetworks networks;
  networks.psi = {dimension + 1, options.network.width, options.network.hidden_layers};
  if (options.normalizer.kind == NormalizerKind::network)
    networks.normaliser = MlpShape{1, options.normalizer.width, options.normalizer.hidden_layers};
  networks.input_shift.assign(static_cast<std::size_t>(dimension), 0.0);
  networks.input_scale.assign(static_cast<std::size_t>(dimension), 1.0);
  networks.input_shift.push_back(0.5);
  networks.input_scale.push_back(2 * clock_range);
  return networks;
}

CollocationLaw make_law(const Options& options, const Energy& target, const Energy& latent, const Parameters& latent_parameters) {
  CollocationLaw law;
  law.shares = {{options.collocation.kind, 1.0}};
  if (options.collocation.kind == CollocationKind::mixture) law.shares = options.collocation.shares;
  law.time_power = options.collocation.time_power;
  law.refresh_every = options.collocation.refresh_every;
  const auto dimension = static_cast<std::size_t>(target.dimension());
  law.box = target.domain();
  if (const auto& box = options.collocation.box) {
    law.box.lower.assign(dimension, box->lower);
    law.box.upper.assign(dimension, box->upper);
  }
  law.domain = united(target.domain(), latent.domain());
  law.latent_mean = latent_parameters.real_list("mean");
  if (law.latent_mean.size() == 1) law.latent_mean.assign(dimension, law.latent_mean.front());
  return law;
}

OptimizerSettings optimizer_settings(const OptimizerOptions& options) {
  OptimizerSettings settings;
  settings.beta1 = options.beta1;
  settings.beta2 = options.beta2;
  settings.epsilon = options.epsilon;
  settings.clip = options.gradient_clip;
  settings.precondition_every = options.precondition_every;
  settings.preconditioner_decay = options.preconditioner_decay;
  return settings;
}

}  // namespace

Problem make_problem(const Options& options) {
  Problem problem;
  const auto& target = find_target(options.target.name);
  problem.target = target.make(Parameters("target", target.name, target.parameters, options.target.values));
  const auto& latent = find_latent(options.latent.name);
  const Parameters latent_parameters("latent", latent.name, latent.parameters, options.latent.values);
  problem.latent = latent.make(latent_parameters, problem.target->dimension());

  problem.curve.dimension = problem.target->dimension();
  problem.curve.form = options.curve.form;
  problem.curve.schedule = options.curve.schedule;
  problem.curve.power = options.curve.power;
  problem.curve.clock = options.curve.clock;
  problem.curve.latent_scale = latent_parameters.real("scale");
  const double variance = problem.curve.latent_scale * problem.curve.latent_scale;
  if (options.curve.horizon > 20 * variance)
    throw ConfigError(
        fmt::format("curve.horizon = {}: with latent.scale = {} nothing of the target is left long before; must be at most 20 scale^2 = {}",
                    options.curve.horizon, problem.curve.latent_scale, 20 * variance));
  problem.law = make_law(options, *problem.target, *problem.latent, latent_parameters);
  problem.networks = make_networks(options, problem.dimension());
  problem.optimizer = make_optimizer(options.optimizer.name, optimizer_settings(options.optimizer), problem.networks.tensors());
  problem.precision = options.run.precision;
  return problem;
}

void adapt(Problem& problem, const Options& options, const Survey& survey) {
  auto& curve = problem.curve;
  const double variance = curve.latent_scale * curve.latent_scale;
  const auto D = static_cast<std::size_t>(curve.dimension);
  std::vector<double> about_latent(D);  // root mean square distance from the latent mean
  double second_moment = 0, spread = 0;
  for (std::size_t k = 0; k < D; ++k) {
    about_latent[k] = std::hypot(survey.deviation[k], survey.mean[k] - problem.law.latent_mean[k]);
    second_moment += about_latent[k] * about_latent[k];
    spread += survey.deviation[k] * survey.deviation[k] / curve.dimension;
  }
  curve.width = options.curve.width > 0 ? options.curve.width : survey.width;
  curve.clock_width = options.curve.clock_width * curve.width;
  curve.horizon = options.curve.horizon;
  if (curve.horizon == 0)
    curve.horizon = std::clamp(0.5 * variance * std::log(second_moment / (remaining_share * variance)), variance, 20 * variance);
  const double range = options.network.input_range > 0
                           ? options.network.input_range
                           : std::clamp(range_per_width * std::sqrt(spread / curve.width), least_range, largest_range);
  for (std::size_t k = 0; k < D; ++k) {
    problem.networks.input_shift[k] = problem.law.latent_mean[k];
    problem.networks.input_scale[k] = range / (box_deviations * std::max(about_latent[k], curve.latent_scale));
  }
  problem.anchor.mean = survey.mean;
  problem.anchor.offset = survey.energy - 0.5 * curve.dimension;
  problem.anchor.scale = 50 + 5 * curve.dimension;  // far above what thermal motion reaches: f_D - min f_D is D/2 on average
  problem.anchor.level = survey.energy + problem.anchor.scale;
  for (const double deviation : survey.deviation) problem.anchor.variance.push_back(deviation * deviation);
}

std::shared_ptr<Walkers> make_walkers(const Communicator& ranks, const Options& options, const Problem& problem) {
  Walkers::Settings settings;
  settings.box = problem.law.box;
  settings.points = options.collocation.points;
  settings.hottest = options.collocation.hottest;
  settings.seed = options.run.seed;
  return std::make_shared<Walkers>(ranks, settings, *problem.target);
}

std::shared_ptr<Walkers> explore(const Communicator& ranks, const Options& options, const Problem& problem) {
  auto walkers = make_walkers(ranks, options, problem);
  walkers->settle();
  return walkers;
}

}  // namespace boltzcurve

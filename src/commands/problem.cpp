#include <boltzcurve/commands/problem.hpp>
#include <boltzcurve/core/error.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

CurveSettings curve_settings(const Options& options, const Energy& latent) {
  const auto [mean, deviation] = latent.moments().value();
  CurveSettings settings;
  settings.dimension = latent.dimension();
  settings.horizon = options.curve.horizon;
  settings.form = options.curve.form;
  settings.schedule = options.curve.schedule;
  settings.clock = options.curve.clock;
  settings.width = options.curve.width;
  settings.power = options.curve.power;
  settings.clock_width = options.curve.clock_width;
  settings.network_width = options.network.width;
  settings.hidden_layers = options.network.hidden_layers;
  settings.input_range = options.network.input_range;
  settings.normalizer = options.normalizer.kind;
  settings.normalizer_width = options.normalizer.width;
  settings.normalizer_hidden_layers = options.normalizer.hidden_layers;
  settings.latent_name = options.latent.name;
  settings.latent_mean = mean;
  settings.latent_deviation = deviation;
  settings.survey.mean = mean;
  settings.survey.deviation = deviation;
  return settings;
}

CollocationLaw make_law(const Options& options, const Energy& target, const Energy& latent) {
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
  problem.latent = latent.make(Parameters("latent", latent.name, latent.parameters, options.latent.values), problem.target->dimension());
  problem.curve_name = options.curve.name;
  problem.curve_settings = curve_settings(options, *problem.latent);
  problem.curve = make_curve(problem.curve_name, problem.curve_settings);
  problem.law = make_law(options, *problem.target, *problem.latent);
  problem.optimizer = make_optimizer(options.optimizer.name, optimizer_settings(options.optimizer), problem.networks().tensors());
  problem.precision = options.run.precision;
  return problem;
}

void adapt(Problem& problem, const Survey& survey) {
  problem.curve_settings.survey = survey;
  problem.curve = make_curve(problem.curve_name, problem.curve_settings);
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

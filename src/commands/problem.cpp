#include <boltzcurve/commands/problem.hpp>
#include <boltzcurve/core/error.hpp>

#include <algorithm>

namespace boltzcurve {
namespace {

// The network sees coordinates that span [-range, range] over the box and a clock that spans [-2, 2] from target to latent law. With a
// range of 1 the first layer is nearly linear, and features of the width of a mode take long to appear; measured best between 4 and 8 on
// the shipped mixtures.
constexpr double position_range = 6, clock_range = 2;

CurveNetworks make_networks(const Options& options, const CollocationLaw& law) {
  CurveNetworks networks;
  const std::size_t dimension = law.lower.size();
  networks.psi = {static_cast<int>(dimension) + 1, options.network.width, options.network.hidden_layers};
  if (options.normalizer.kind == NormalizerKind::network)
    networks.normaliser = MlpShape{1, options.normalizer.width, options.normalizer.hidden_layers};
  for (std::size_t k = 0; k < dimension; ++k) {
    networks.input_shift.push_back((law.lower[k] + law.upper[k]) / 2);
    networks.input_scale.push_back(2 * position_range / (law.upper[k] - law.lower[k]));
  }
  networks.input_shift.push_back(0.5);
  networks.input_scale.push_back(2 * clock_range);
  return networks;
}

CollocationLaw make_law(const Options& options, const Energy& target, const Parameters& latent) {
  CollocationLaw law;
  law.kind = options.collocation.kind;
  law.horizon = options.curve.horizon;
  law.time_power = options.collocation.time_power;
  law.latent_share = options.collocation.latent_share;
  const auto dimension = static_cast<std::size_t>(target.dimension());
  if (const auto& box = options.collocation.box) {
    law.lower.assign(dimension, box->lower);
    law.upper.assign(dimension, box->upper);
  } else {
    law.lower = target.domain().lower;
    law.upper = target.domain().upper;
  }
  law.latent_mean = latent.real_list("mean");
  if (law.latent_mean.size() == 1) law.latent_mean.assign(dimension, law.latent_mean.front());
  law.latent_scale = latent.real("scale");
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
  problem.curve.horizon = options.curve.horizon;
  problem.curve.form = options.curve.form;
  problem.curve.schedule = options.curve.schedule;
  problem.curve.network_clock = options.network.clock;
  problem.law = make_law(options, *problem.target, latent_parameters);
  problem.networks = make_networks(options, problem.law);
  problem.optimizer = make_optimizer(options.optimizer.name, optimizer_settings(options.optimizer), problem.networks.tensors());
  problem.precision = options.run.precision;
  return problem;
}

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/registry.hpp>
#include <boltzcurve/training.hpp>
#include "app/options/options.hpp"
#include "curve/gradient_flow_energies.hpp"
#include "training/batch_loss.hpp"

#include <memory>
#include <string>

#include <fmt/format.h>

/// What the benchmarks work on.
namespace boltzcurve::benchmark_problems {

/// Sizes of a network, and how many points it is asked for.
struct Case {
  int dimension, width, hidden_layers, points;
  std::string name() const { return fmt::format("D{}/W{}/L{}/N{}", dimension, width, hidden_layers, points); }
};

inline CurveNetworks networks(const Case& c) {
  CurveNetworks nets;
  nets.list = {{"psi", {c.dimension + 1, c.width, c.hidden_layers}}};
  nets.input_shift.assign(static_cast<std::size_t>(c.dimension + 1), 0.0);
  nets.input_scale.assign(static_cast<std::size_t>(c.dimension + 1), 1.0);
  return nets;
}

/// Two Gaussians on the line, gmm40 in the plane, else the many-well; trained by the residual, with the settings that it has by default.
inline ModelSettings model_of(const Case& c) {
  ModelSettings settings;
  settings.target_name = "gmm40";
  if (c.dimension == 1) {
    settings.target_name = "gaussian-mixture";
    settings.target_values["mode"] = {"0.5 | -2 | 0.5", "0.5 | 2 | 0.5"};
  } else if (c.dimension > 2) {
    settings.target_name = "many-well";
    settings.target_values["dimension"] = {std::to_string(c.dimension)};
  }
  settings.curve.form = CurveForm::contracted;
  settings.network.width = c.width;
  settings.network.hidden_layers = c.hidden_layers;
  settings.collocation.points = c.points;
  return settings;
}

inline std::unique_ptr<Energy> target_of(const Case& c) {
  const auto settings = model_of(c);
  return make_target(settings.target_name, settings.target_values);
}

inline std::unique_ptr<Energy> latent_of(int dimension) { return make_latent("gaussian", dimension); }

/// Points as training by the residual draws them by default: bridges from chains, and trajectories.
inline BatchLossSettings settings_of(const Case& c, const Energy& target, const Communicator& ranks) {
  BatchLossSettings settings;
  GradientFlow curve;
  curve.dimension = c.dimension;
  settings.curve = make_curve(curve, networks(c), CurveAnchor::standard(c.dimension));
  settings.collocation.points = c.points;
  settings.region.domain = target.domain();
  settings.chains = std::make_shared<MalaChains>(ranks, MalaChains::Settings{target.domain(), c.points}, target);
  settings.chains->thermalize(10);
  return settings;
}

}  // namespace boltzcurve::benchmark_problems

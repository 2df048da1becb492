#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/precision.hpp>
#include <boltzcurve/registry.hpp>
#include "collocation/collocation.hpp"
#include "curve/curve.hpp"
#include "pilot/pilot_run.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace boltzcurve {

/// What a model is made of: the entries of the registry that give target and latent density, with the values of their own settings, and the
/// settings of the curve, its networks and the points at which it is learned.
struct ModelSettings {
  std::string target_name;
  Parameters::Values target_values;
  std::string latent_name = "gaussian";
  Parameters::Values latent_values;
  CurveSettings curve;
  NetworkSettings network;
  NormalizerSettings normalizer;
  CollocationSettings collocation;
  std::uint64_t seed = 1;
  Precision precision = Precision::single_precision;
};

/// Latent and target density, the pilot run on the target, the curve of densities between them and the parameters of its networks. Complete
/// once made; cheap to copy but for the parameters, since copies share densities, curve and the pilot's chains.
struct Model {
  ModelSettings settings;
  std::shared_ptr<const Energy> target, latent;  ///< in the target's own coordinates
  Pilot pilot;
  std::shared_ptr<const Curve> curve;
  CollocationRegion region;        ///< in the coordinates of the curve
  std::vector<double> parameters;  ///< [networks().parameter_count()], what particles are drawn with

  /// The density that the curve leads to, in its own coordinates; `target` is what was asked for.
  const Energy& curve_target() const { return *pilot.curve_target; }
  const ScaleMap& coordinates() const { return pilot.summary.coordinates; }
  CurveName curve_name() const { return settings.curve.name; }
  int dimension() const { return curve->dimension(); }
  const CurveNetworks& networks() const { return curve->networks(); }
};

/// Runs the pilot on the target and makes the curve that follows from it, with the networks that training begins with. Throws ConfigError
/// for settings that do not fit, InputError where the target's energy is finite nowhere. Collective; takes a second or more.
Model build_model(const Communicator& world, const ModelSettings& settings);

/// The same from the summary of an earlier pilot run, as a checkpoint holds it: chains are at their start.
Model build_model(const Communicator& world, const ModelSettings& settings, const PilotSummary& summary);

/// Throws what build_model() throws for settings that do not fit, without a pilot run. Not collective.
void check_settings(const ModelSettings& settings);

}  // namespace boltzcurve

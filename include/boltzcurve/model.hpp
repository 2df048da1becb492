#pragma once

#include <boltzcurve/collocation_settings.hpp>
#include <boltzcurve/communicator.hpp>
#include <boltzcurve/curve_settings.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/network_settings.hpp>
#include <boltzcurve/parameters.hpp>
#include <boltzcurve/pilot_settings.hpp>
#include <boltzcurve/precision.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace boltzcurve {

class Curve;
struct CollocationRegion;
struct CurveNetworks;
struct Pilot;
struct PilotSummary;

/// What a model is made of: the entries of the registry (registry.hpp) that give target and latent density, with the values of their own
/// settings, and the settings of the curve, its networks and the points at which it is learned.
struct ModelSettings {
  std::string target_name;
  Parameters::Values target_values;
  std::string latent_name = "gaussian";
  Parameters::Values latent_values;
  CurveSettings curve;
  NetworkSettings network;
  NormalizerSettings normalizer;
  CollocationSettings collocation;
  PilotSettings pilot;
  std::uint64_t seed = 1;
  Precision precision = Precision::single_precision;
};

/// Latent and target density, the pilot run on the target, the curve of densities between them and the parameters of its networks. Complete
/// once made by build_model(); cheap to copy but for the parameters, since copies share all else. What it shares is the library's own, and
/// only its name stands here.
struct Model {
  ModelSettings settings;                        ///< `auto` of the curve's form and of the pilot's method made definite
  std::shared_ptr<const Energy> target, latent;  ///< in the target's own coordinates
  std::shared_ptr<const Pilot> pilot;            ///< what a pilot run has found on the target; its chains go on while a curve is trained
  std::shared_ptr<const Curve> curve;
  std::shared_ptr<const CollocationRegion> region;  ///< where points are, in the coordinates of the curve
  std::vector<double> parameters;                   ///< [parameter_count()], what particles are drawn with

  CurveName curve_name() const { return settings.curve.name; }
  int dimension() const { return target->dimension(); }  ///< D
  std::int64_t parameter_count() const { return static_cast<std::int64_t>(parameters.size()); }
  std::string description() const;  ///< what follows from the pilot run, a line: "horizon 4.3, ..."

  /// The density that the curve leads to, in the curve's own coordinates, and from these to the target's.
  const Energy& curve_target() const;
  const ScaleMap& coordinates() const;
  const CurveNetworks& networks() const;
};

/// Runs the pilot on the target and makes the curve that follows from it, with the networks that training begins with. Throws ConfigError
/// for settings that do not fit, InputError where the target's energy is finite nowhere. Costs some hundred evaluations of the target for
/// each of up to 32768 chains. Collective.
Model build_model(const Communicator& world, const ModelSettings& settings);

/// The same from what an earlier pilot run has found, as a checkpoint holds it: chains are at their start.
Model build_model(const Communicator& world, const ModelSettings& settings, const PilotSummary& summary);

/// Throws what build_model() throws for settings that do not fit, without a pilot run. Returns the target's dimension. Not collective.
int check_settings(const ModelSettings& settings);

}  // namespace boltzcurve

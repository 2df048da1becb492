#include "model/model.hpp"

#include <utility>

namespace boltzcurve {
namespace {

struct Ends {
  std::shared_ptr<const Energy> target, latent;
};

Ends make_ends(const ModelSettings& settings) {
  const auto& target = find_target(settings.target_name);
  const auto& latent = find_latent(settings.latent_name);
  Ends ends;
  ends.target = target.make(Parameters("target", target.name, target.parameters, settings.target_values));
  ends.latent = latent.make(Parameters("latent", latent.name, latent.parameters, settings.latent_values), ends.target->dimension());
  return ends;
}

/// Without a pilot run: as for a target like the latent density.
CurveSettings curve_between(const ModelSettings& settings, const Energy& latent) {
  const auto [mean, deviation] = latent.moments().value();
  CurveSettings curve = settings.curve;
  curve.dimension = latent.dimension();
  curve.latent_name = settings.latent_name;
  curve.latent_mean = curve.pilot.mean = mean;
  curve.latent_deviation = curve.pilot.deviation = deviation;
  return curve;
}

Domain box_of(const ModelSettings& settings, const Energy& target) {
  Domain box = target.domain();
  if (settings.box) {
    box.lower.assign(box.lower.size(), settings.box->lower);
    box.upper.assign(box.upper.size(), settings.box->upper);
  }
  return box;
}

template <class MakePilot>
Model made_with(const ModelSettings& settings, const MakePilot& make_pilot) {
  auto [target, latent] = make_ends(settings);
  auto curve = curve_between(settings, *latent);
  make_curve(settings.curve_name, curve);  // may refuse the settings, before the pilot run takes its time
  const Domain box = box_of(settings, *target);

  Model model;
  model.target_name = settings.target_name;
  model.target = target;
  model.latent = latent;
  model.pilot = make_pilot(target, PilotSettings{box, settings.points, settings.hottest, settings.seed, settings.finds_coordinates});
  curve.pilot = model.pilot.summary;
  model.curve_name = settings.curve_name;
  model.curve = make_curve(settings.curve_name, curve);
  model.box = mapped(box, model.coordinates());
  model.domain = united(model.curve_target().domain(), latent->domain());
  model.seed = settings.seed;
  model.precision = settings.precision;
  model.parameters = model.networks().initial_parameters(settings.seed);
  return model;
}

}  // namespace

Model build_model(const Communicator& world, const ModelSettings& settings) {
  return made_with(settings, [&](const auto& target, const PilotSettings& pilot) { return run_pilot(world, target, pilot); });
}

Model build_model(const Communicator& world, const ModelSettings& settings, const PilotSummary& summary) {
  return made_with(settings, [&](const auto& target, const PilotSettings& pilot) { return known_pilot(world, target, pilot, summary); });
}

void check_settings(const ModelSettings& settings) {
  const auto ends = make_ends(settings);
  make_curve(settings.curve_name, curve_between(settings, *ends.latent));
}

}  // namespace boltzcurve

#include <boltzcurve/error.hpp>
#include <boltzcurve/model.hpp>
#include <boltzcurve/registry.hpp>
#include "collocation/collocation.hpp"
#include "core/in_section.hpp"
#include "curve/curve.hpp"
#include "pilot/pilot_run.hpp"

#include <utility>

namespace boltzcurve {
namespace {

constexpr double far_away = 1e9;

struct Ends {
  std::shared_ptr<const Energy> target, latent;
};

Ends make_ends(const ModelSettings& settings) {
  Ends ends;
  ends.target = in_section("target", [&] { return make_target(settings.target_name, settings.target_values); });
  const int dimension = ends.target->dimension();
  ends.latent = in_section("latent", [&] { return make_latent(settings.latent_name, dimension, settings.latent_values); });
  return ends;
}

/// Without a pilot run: as for a target like the latent density.
CurveInput curve_input(const ModelSettings& settings, const Energy& latent) {
  const auto [mean, deviation] = latent.moments().value();
  CurveInput input{settings.curve, settings.network, settings.normalizer, {latent.dimension(), settings.latent_name, mean, deviation, {}}};
  input.ends.pilot.mean = mean;
  input.ends.pilot.deviation = deviation;
  return input;
}

Domain box_of(const ModelSettings& settings, const Energy& target) {
  Domain box = target.domain();
  if (const auto& given = settings.collocation.box) {
    box.lower.assign(box.lower.size(), given->lower);
    box.upper.assign(box.upper.size(), given->upper);
  }
  return box;
}

/// The form network asks for a population of the target, the others for chains.
ModelSettings definite(ModelSettings settings) {
  auto& form = settings.curve.form;
  if (form == CurveForm::automatic)
    form = settings.curve.name == CurveName::gradient_flow && settings.curve.schedule != Schedule::learned ? CurveForm::network
                                                                                                           : CurveForm::contracted;
  const bool asks_for_population = settings.curve.name == CurveName::gradient_flow && form == CurveForm::network;
  auto& method = settings.pilot.method;
  if (method == PilotMethod::automatic) method = asks_for_population ? PilotMethod::smc : PilotMethod::chains;
  if (asks_for_population && method != PilotMethod::smc)
    throw SettingError({"method", " = chains: a curve of the form network is made from a population, which smc draws"});
  return settings;
}

template <class MakePilot>
Model made_with(const ModelSettings& given, const MakePilot& make_pilot) {
  const auto settings = in_section("pilot", [&] { return definite(given); });
  auto [target, latent] = make_ends(settings);
  auto input = curve_input(settings, *latent);
  in_section("curve", [&] { return make_curve(input); });  // may refuse the settings, before the pilot run takes its time
  const PilotInput of_pilot{settings.pilot,
                            box_of(settings, *target),
                            settings.collocation.points,
                            settings.collocation.hottest,
                            settings.seed,
                            settings.curve.coordinates == Coordinates::automatic};

  Model model{settings, target, latent, std::make_shared<const Pilot>(make_pilot(target, of_pilot)), {}, {}, {}};
  input.ends.pilot = model.pilot->summary;
  model.curve = make_curve(input);
  // Tails that the target's box leaves out belong to it where no point of training has to lie in the box.
  const auto D = static_cast<std::size_t>(target->dimension());
  const Domain everywhere{std::vector<double>(D, -far_away), std::vector<double>(D, far_away)};
  model.region = std::make_shared<const CollocationRegion>(
      CollocationRegion{mapped(of_pilot.box, model.coordinates()),
                        model.pilot->population ? everywhere : united(model.curve_target().domain(), latent->domain())});
  model.parameters = model.networks().initial_parameters(settings.seed);
  return model;
}

}  // namespace

std::string Model::description() const { return curve->description(); }
const Energy& Model::curve_target() const { return *pilot->curve_target; }
const ScaleMap& Model::coordinates() const { return pilot->summary.coordinates; }
const CurveNetworks& Model::networks() const { return curve->networks(); }

Model build_model(const Communicator& world, const ModelSettings& settings) {
  return made_with(settings, [&](const auto& target, const PilotInput& pilot) { return run_pilot(world, target, pilot); });
}

Model build_model(const Communicator& world, const ModelSettings& settings, const PilotSummary& summary) {
  return made_with(settings, [&](const auto& target, const PilotInput& pilot) { return known_pilot(world, target, pilot, summary); });
}

int check_settings(const ModelSettings& given) {
  const auto settings = in_section("pilot", [&] { return definite(given); });
  const auto ends = make_ends(settings);
  in_section("curve", [&] { return make_curve(curve_input(settings, *ends.latent)); });
  return ends.target->dimension();
}

}  // namespace boltzcurve

#include <boltzcurve/error.hpp>
#include "app/commands/stages.hpp"
#include "io/target_identity.hpp"
#include "io/training_checkpoint.hpp"

#include <fmt/format.h>

namespace boltzcurve {

ModelSettings model_settings(const Options& options) {
  ModelSettings settings{options.target.name, options.target.values, options.latent.name,  options.latent.values,
                         options.curve,       options.network,       options.normalizer,   options.collocation,
                         options.pilot,       options.run.seed,      options.run.precision};
  auto& form = settings.curve.form;
  auto& method = settings.pilot.method;
  const auto loss = options.training.loss;
  if (loss == TrainingLoss::matching || loss == TrainingLoss::matching_then_residual) {
    if (method == PilotMethod::automatic) method = PilotMethod::smc;
    if (settings.curve.name != CurveName::gradient_flow || settings.curve.schedule == Schedule::learned || method != PilotMethod::smc)
      throw ConfigError(
          fmt::format("training.loss = {}: needs curve.name = gradient-flow, a curve.schedule that is not learned, and pilot.method = smc",
                      name_of(loss)));
  } else if (loss != TrainingLoss::automatic) {
    if (form == CurveForm::automatic) form = CurveForm::contracted;
    if (form == CurveForm::network && settings.curve.name == CurveName::gradient_flow)
      throw ConfigError(fmt::format(
          "training.loss = {}: a residual knows nothing of the target where curve.form = network; leave one of them out", name_of(loss)));
  }
  if (options.sampling.method == SamplingMethod::smc) {
    if (method == PilotMethod::automatic) method = PilotMethod::smc;
    if (method != PilotMethod::smc) throw ConfigError("sampling.method = smc: starts from a population; needs pilot.method = smc or auto");
  }
  return settings;
}

TrainerSettings trainer_settings(const Options& options) { return {options.training, options.optimizer, options.run.reduction}; }

Trained restored(const Communicator& world, const Options& options, const Checkpoint& checkpoint) {
  Trained trained;
  trained.model = build_model(world, model_settings(options), pilot_summary_of(checkpoint));
  require_identity(checkpoint, *trained.model.target);
  const auto& networks = trained.model.networks();
  trained.state = from_checkpoint(checkpoint, networks, *make_optimizer(options.optimizer, networks.tensors()));
  trained.model.parameters = trained.state.average;
  const auto& population = trained.model.pilot->population;
  if (population && CurvePopulation::is_in(trained.state.loss.collocation)) population->restore(trained.state.loss.collocation);
  return trained;
}

Trained restored(const Run& run) { return restored(run.world(), run.options(), run.checkpoint().value()); }

}  // namespace boltzcurve

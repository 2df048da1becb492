#include "app/commands/stages.hpp"
#include "io/training_checkpoint.hpp"

namespace boltzcurve {

ModelSettings model_settings(const Options& options) {
  ModelSettings settings{options.target.name, options.target.values, options.latent.name,  options.latent.values,
                         options.curve,       options.network,       options.normalizer,   options.collocation,
                         options.pilot,       options.run.seed,      options.run.precision};
  const auto loss = options.training.loss;
  if (settings.curve.form == CurveForm::automatic && loss != TrainingLoss::automatic && loss != TrainingLoss::matching)
    settings.curve.form = CurveForm::contracted;
  return settings;
}

TrainerSettings trainer_settings(const Options& options) { return {options.training, options.optimizer, options.run.reduction}; }

Trained restored(const Communicator& world, const Options& options, const Checkpoint& checkpoint) {
  Trained trained;
  trained.model = build_model(world, model_settings(options), pilot_summary_of(checkpoint));
  const auto& networks = trained.model.networks();
  trained.state = from_checkpoint(checkpoint, networks, *make_optimizer(options.optimizer, networks.tensors()));
  trained.model.parameters = trained.state.average;
  return trained;
}

Trained restored(const Run& run) { return restored(run.world(), run.options(), run.checkpoint().value()); }

}  // namespace boltzcurve

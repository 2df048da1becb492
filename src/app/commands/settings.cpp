#include "app/commands/stages.hpp"
#include "io/training_checkpoint.hpp"

namespace boltzcurve {

ModelSettings model_settings(const Options& options) {
  ModelSettings settings;
  settings.target_name = options.target.name;
  settings.target_values = options.target.values;
  settings.latent_name = options.latent.name;
  settings.latent_values = options.latent.values;
  settings.curve_name = options.curve.name;
  auto& curve = settings.curve;
  curve.horizon = options.curve.horizon;
  curve.form = options.curve.form;
  curve.schedule = options.curve.schedule;
  curve.clock = options.curve.clock;
  curve.width = options.curve.width;
  curve.power = options.curve.power;
  curve.schedule_width = options.curve.schedule_width;
  curve.schedule_hidden_layers = options.curve.schedule_hidden_layers;
  curve.clock_width = options.curve.clock_width;
  curve.network_width = options.network.width;
  curve.hidden_layers = options.network.hidden_layers;
  curve.input_range = options.network.input_range;
  curve.first_layer = options.network.first_layer;
  curve.normalizer = options.normalizer.kind;
  curve.normalizer_width = options.normalizer.width;
  curve.normalizer_hidden_layers = options.normalizer.hidden_layers;
  settings.box = options.collocation.box;
  settings.finds_coordinates = options.curve.coordinates == Coordinates::automatic;
  settings.points = options.collocation.points;
  settings.hottest = options.collocation.hottest;
  settings.seed = options.run.seed;
  settings.precision = options.run.precision;
  return settings;
}

TrainerSettings trainer_settings(const Options& options) {
  TrainerSettings settings;
  settings.steps = options.training.steps;
  settings.max_seconds = options.training.max_seconds;
  settings.average = options.training.average;
  settings.checkpoint_steps = options.training.checkpoint_steps;
  settings.log_every = options.training.log_every;
  settings.max_skipped_steps = options.training.max_skipped_steps;
  settings.law.shares = {{options.collocation.kind, 1.0}};
  if (options.collocation.kind == CollocationKind::mixture) settings.law.shares = options.collocation.shares;
  settings.law.times = options.collocation.times;
  settings.law.time_power = options.collocation.time_power;
  settings.law.refresh_every = options.collocation.refresh_every;
  settings.points = options.collocation.points;
  settings.loss = {options.training.loss, options.training.huber_width, options.training.residual_unit};
  settings.normalizer_by_batches = options.normalizer.kind == NormalizerKind::batch;
  settings.reduction = options.run.reduction;
  const auto& optimizer = options.optimizer;
  settings.optimizer_name = optimizer.name;
  settings.optimizer.beta1 = optimizer.beta1;
  settings.optimizer.beta2 = optimizer.beta2;
  settings.optimizer.epsilon = optimizer.epsilon;
  settings.optimizer.clip = optimizer.gradient_clip;
  settings.optimizer.precondition_every = optimizer.precondition_every;
  settings.optimizer.preconditioner_decay = optimizer.preconditioner_decay;
  settings.learning_rate.rate = optimizer.learning_rate;
  settings.learning_rate.final_rate = optimizer.final_learning_rate;
  settings.learning_rate.decay = optimizer.decay;
  settings.learning_rate.decay_rate = optimizer.decay_rate;
  settings.learning_rate.decay_steps = static_cast<double>(optimizer.decay_steps);
  settings.learning_rate.warm_up_steps = optimizer.warm_up_steps;
  settings.learning_rate.planned_steps = options.training.steps;
  return settings;
}

Trained restored(const Communicator& world, const Options& options, const Checkpoint& checkpoint) {
  Trained trained;
  trained.model = build_model(world, model_settings(options), pilot_summary_of(checkpoint));
  const auto settings = trainer_settings(options);
  const auto& networks = trained.model.networks();
  trained.state = from_checkpoint(checkpoint, networks, *make_optimizer(settings.optimizer_name, settings.optimizer, networks.tensors()));
  trained.model.parameters = trained.state.average;
  return trained;
}

Trained restored(const Run& run) { return restored(run.world(), run.options(), run.checkpoint().value()); }

}  // namespace boltzcurve

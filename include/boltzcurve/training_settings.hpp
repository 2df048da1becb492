#pragma once

#include <boltzcurve/choice.hpp>
#include <boltzcurve/loss_shape.hpp>
#include <boltzcurve/setting.hpp>

#include <cstdint>

namespace boltzcurve {

/// The optimizers, a line each: name and meaning. Each has its own file in src/training, which defines make_NAME (see make_optimizer).
#define BOLTZCURVE_OPTIMIZERS(ENTRY)                                   \
  ENTRY(adam, "Adam: steps scaled by running moments of the gradient") \
  ENTRY(soap, "SOAP: Adam in the eigenbasis of the gradients' covariance over rows and columns, renewed every precondition-every steps")

#define BOLTZCURVE_OPTIMIZER_NAME(name, meaning) name,
#define BOLTZCURVE_OPTIMIZER_CHOICE(name, meaning) {OptimizerName::name, #name, meaning},
enum class OptimizerName { BOLTZCURVE_OPTIMIZERS(BOLTZCURVE_OPTIMIZER_NAME) };
template <>
inline constexpr auto choices<OptimizerName> = std::to_array<Choice<OptimizerName>>({BOLTZCURVE_OPTIMIZERS(BOLTZCURVE_OPTIMIZER_CHOICE)});
#undef BOLTZCURVE_OPTIMIZER_NAME
#undef BOLTZCURVE_OPTIMIZER_CHOICE

/// How the learning rate falls from its start.
enum class LearningRateDecay { constant, exponential, cosine };
template <>
inline constexpr auto choices<LearningRateDecay> = std::to_array<Choice<LearningRateDecay>>({
    {LearningRateDecay::constant, "constant", "the learning rate stays"},
    {LearningRateDecay::exponential, "exponential", "times decay-rate every decay-steps, smoothly"},
    {LearningRateDecay::cosine, "cosine", "half a cosine from learning-rate to final-learning-rate over all steps"},
});

/// How a gradient becomes a step. Each optimizer takes what it needs.
struct OptimizerSettings {
  OptimizerName name = OptimizerName::soap;
  double learning_rate = 1e-2;
  LearningRateDecay decay = LearningRateDecay::cosine;
  double decay_rate = 0.98;
  std::int64_t decay_steps = 1000;
  double final_learning_rate = 1e-5;
  std::int64_t warm_up_steps = 100;
  double gradient_clip = 100;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double epsilon = 1e-8;
  std::int64_t precondition_every = 10;
  double preconditioner_decay = 0.95;

  template <class Visit>
  static void describe(const Visit& setting) {
    using S = OptimizerSettings;
    setting("name", &S::name, "how a gradient becomes a step");
    setting("learning-rate", &S::learning_rate, Range{1e-12, 10}, "", "learning rate after the warm-up");
    setting("decay", &S::decay, "how the learning rate falls");
    setting("decay-rate", &S::decay_rate, Range{1e-6, 1}, "", "factor per decay-steps (exponential)");
    setting("decay-steps", &S::decay_steps, Range{1, max_count}, "steps", "steps that decay-rate is for (exponential)");
    setting("final-learning-rate", &S::final_learning_rate, Range{0, 10}, "", "learning rate of the last step (cosine)");
    setting("warm-up-steps", &S::warm_up_steps, Range{0, max_count}, "steps", "the learning rate grows linearly over these first steps");
    setting("gradient-clip", &S::gradient_clip, Range{0, 1e30}, "", "largest norm of the gradient, longer ones are scaled down; 0: off");
    setting("beta1", &S::beta1, Range{0, 1, true}, "per step", "decay of the mean of the gradient");
    setting("beta2", &S::beta2, Range{0, 1, true}, "per step", "decay of the mean of its square");
    setting("epsilon", &S::epsilon, Range{1e-30, 1}, "", "added to the root of that mean");
    setting("precondition-every", &S::precondition_every, Range{1, max_count}, "steps", "steps between renewals of the bases (soap)");
    setting("preconditioner-decay", &S::preconditioner_decay, Range{0, 1, true}, "per step",
            "decay of the covariances that the bases belong to (soap)");
  }
  bool operator==(const OptimizerSettings&) const = default;
};

/// The loop over steps: how long, for which loss, and what is kept and told on the way.
struct TrainingSettings {
  std::int64_t steps = 6000;
  double max_seconds = 0;
  double residual_share = 0.3;
  TrainingLoss loss = TrainingLoss::automatic;
  double huber_width = LossShape().width;
  ResidualUnit residual_unit = LossShape().unit;
  double average = 0.999;
  double checkpoint_seconds = 60;
  std::int64_t checkpoint_steps = 0;
  std::int64_t keep_every = 0;
  bool verify_checkpoints = false;
  std::int64_t log_every = 100;
  std::int64_t evaluate_every = 0;
  double until_ess = 0;
  int max_skipped_steps = 20;

  LossShape loss_shape() const {
    const auto kind = loss == TrainingLoss::squared                ? LossKind::squared
                      : loss == TrainingLoss::absolute_and_squared ? LossKind::absolute_and_squared
                                                                   : LossKind::pseudo_huber;
    return {kind, huber_width, residual_unit};
  }

  template <class Visit>
  static void describe(const Visit& setting) {
    using S = TrainingSettings;
    setting("steps", &S::steps, Range{0, max_count}, "steps", "optimizer steps");
    setting("max-seconds", &S::max_seconds, Range{0, 1e9}, "s", "wall time of training, which then ends in good order; 0: no limit");
    setting("loss", &S::loss, "what training minimizes, and what a residual R costs in it");
    setting("residual-share", &S::residual_share, Range{0, 1}, "", "share of the steps that are of the residual (matching-then-residual)");
    setting("huber-width", &S::huber_width, Range{1e-12, 1e12}, "unit of R", "w of the loss pseudo-huber");
    setting("residual-unit", &S::residual_unit, "what R is measured in");
    setting("average", &S::average, Range{0, 1, true}, "per step",
            "decay of the running average of weights used for sampling; 0: the last weights");
    setting("checkpoint-seconds", &S::checkpoint_seconds, Range{0, 1e9}, "s", "wall time between checkpoints; 0: only at the end");
    setting("checkpoint-steps", &S::checkpoint_steps, Range{0, max_count}, "steps",
            "steps between checkpoints, whatever the time; 0: none by steps");
    setting("keep-every", &S::keep_every, Range{0, max_count}, "checkpoints",
            "every such checkpoint stays, as checkpoint.stepN.h5; 0: none");
    setting("verify-checkpoints", &S::verify_checkpoints, "read every checkpoint back from the disk before it replaces the one before");
    setting("log-every", &S::log_every, Range{1, max_count}, "steps", "steps between rows of log and metrics");
    setting("evaluate-every", &S::evaluate_every, Range{0, max_count}, "steps",
            "steps between quick measurements of ESS and log Z; 0: none, or with until-ess a twentieth of the steps");
    setting("until-ess", &S::until_ess, Range{0, 1, true}, "",
            "ESS, of particles and from the pilot's population, that ends training when two quick measurements in a row reach it; 0: off");
    setting("max-skipped-steps", &S::max_skipped_steps, Range{0, 1e9}, "steps",
            "steps in a row without a finite gradient before giving up");
  }
  bool operator==(const TrainingSettings&) const = default;
};

}  // namespace boltzcurve

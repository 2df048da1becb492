#pragma once

#include <boltzcurve/choice.hpp>
#include "core/named_array.hpp"
#include "network/mlp.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace boltzcurve {

/// How the learning rate falls from its start.
enum class LearningRateDecay { constant, exponential, cosine };
template <>
inline constexpr auto choices<LearningRateDecay> = std::to_array<Choice<LearningRateDecay>>({
    {LearningRateDecay::constant, "constant", "the learning rate stays"},
    {LearningRateDecay::exponential, "exponential", "times decay-rate every decay-steps, smoothly"},
    {LearningRateDecay::cosine, "cosine", "half a cosine from learning-rate to final-learning-rate over all steps"},
});

struct LearningRate {
  double rate = 1e-3, final_rate = 0;
  LearningRateDecay decay = LearningRateDecay::cosine;
  double decay_rate = 0.98;
  double decay_steps = 1000;
  std::int64_t warm_up_steps = 0;  ///< the rate grows linearly from 0 over these
  std::int64_t planned_steps = 1;

  /// Rate of step number `step` = 0, 1, ...
  double at(std::int64_t step) const;
};

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

/// What optimizers are told besides the learning rate; each takes what it needs.
struct OptimizerSettings {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double clip = 0;                       ///< bound on the gradient's Euclidean norm; 0: none
  std::int64_t precondition_every = 10;  ///< updates between renewals of the eigenbases (SOAP)
  double preconditioner_decay = 0.95;    ///< of the running means that they are the eigenbases of (SOAP)
};

/// What must be kept to continue: named arrays, as they stand in a checkpoint, and the number of updates done.
struct OptimizerState {
  using Array = NamedArray;
  std::vector<Array> arrays;  ///< "second_moment/psi/layer0/weight" and so on
  std::int64_t updates = 0;

  bool operator==(const OptimizerState&) const = default;
};

/// How a gradient becomes a step. Without memory of its own, so that the state is all there is to keep; the same state, parameters and
/// gradient give the same bits, on every rank.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Names and shapes of the arrays, and their values before the first update.
  virtual OptimizerState initial_state() const = 0;

  /// One update of `parameters` with g <- g min(1, clip/|g|); returns the gradient's norm before clipping.
  double update(OptimizerState& state, std::span<double> parameters, std::span<const double> gradient, double rate) const;

 protected:
  Optimizer(const OptimizerSettings& settings, std::vector<ParameterTensor> tensors) : settings_(settings), tensors_(std::move(tensors)) {}

  OptimizerSettings settings_;
  std::vector<ParameterTensor> tensors_;

 private:
  /// With the gradient times `scale`; the update is counted already.
  virtual void step(OptimizerState& state, std::span<double> parameters, std::span<const double> gradient, double scale,
                    double rate) const = 0;
};

/// For parameters that consist of `tensors`.
std::unique_ptr<Optimizer> make_optimizer(OptimizerName name, const OptimizerSettings& settings, std::vector<ParameterTensor> tensors);

/// Exponential running average of the parameters. Early on, when there is little to average, the decay is (1+n)/(10+n) if that is smaller.
void update_average(std::span<double> average, std::span<const double> parameters, double decay, std::int64_t updates_done);

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/core/choice.hpp>

#include <cstdint>
#include <span>
#include <string>
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

/// Adam (Kingma and Ba, ICLR 2015, Algorithm 1) with a bound on the gradient's Euclidean norm:
///     g <- g min(1, clip/|g|),  m <- b1 m + (1-b1) g,  v <- b2 v + (1-b2) g^2,  x <- x - rate m^ / (sqrt v^ + eps),
/// m^ and v^ being m and v without their bias towards zero.
struct Adam {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double clip = 0;  ///< 0: no bound

  /// What must be kept to continue: moments [parameters] and the number of updates done.
  struct State {
    std::vector<double> first_moment, second_moment;
    std::int64_t updates = 0;
  };

  /// One update of `parameters`; returns the gradient's norm before clipping.
  double update(State& state, std::span<double> parameters, std::span<const double> gradient, double rate) const;
};

/// Exponential running average of the parameters. Early on, when there is little to average, the decay is (1+n)/(10+n) if that is smaller.
void update_average(std::span<double> average, std::span<const double> parameters, double decay, std::int64_t updates_done);

}  // namespace boltzcurve

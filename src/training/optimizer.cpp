#include "training/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "training/weighted_mean.hpp"

namespace boltzcurve {

double LearningRate::at(std::int64_t step) const {
  const double n = static_cast<double>(step);
  double factor = 1;
  if (settings.decay == LearningRateDecay::exponential)
    factor = std::pow(settings.decay_rate, n / static_cast<double>(settings.decay_steps));
  if (settings.decay == LearningRateDecay::cosine) {
    const double progress = std::min(1.0, n / static_cast<double>(std::max<std::int64_t>(planned_steps, 1)));
    const double floor = settings.learning_rate > 0 ? settings.final_learning_rate / settings.learning_rate : 0;
    factor = floor + (1 - floor) * (1 + std::cos(std::numbers::pi * progress)) / 2;
  }
  const double warm = step < settings.warm_up_steps ? (n + 1) / static_cast<double>(settings.warm_up_steps) : 1;
  return settings.learning_rate * factor * warm;
}

double Optimizer::update(OptimizerState& state, std::span<double> parameters, std::span<const double> gradient, double rate) const {
  double squares = 0;
  for (const double g : gradient) squares += g * g;
  const double norm = std::sqrt(squares);
  const double scale = settings_.gradient_clip > 0 && norm > settings_.gradient_clip ? settings_.gradient_clip / norm : 1;
  ++state.updates;
  step(state, parameters, gradient, scale, rate);
  return norm;
}

#define BOLTZCURVE_DECLARE_OPTIMIZER(name, meaning) \
  std::unique_ptr<Optimizer> make_##name(const OptimizerSettings& settings, std::vector<ParameterTensor> tensors);
BOLTZCURVE_OPTIMIZERS(BOLTZCURVE_DECLARE_OPTIMIZER)

std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings, std::vector<ParameterTensor> tensors) {
#define BOLTZCURVE_MAKE_OPTIMIZER(entry, meaning) \
  if (settings.name == OptimizerName::entry) return make_##entry(settings, std::move(tensors));
  BOLTZCURVE_OPTIMIZERS(BOLTZCURVE_MAKE_OPTIMIZER)
  return nullptr;
}

void update_average(std::span<double> average, std::span<const double> parameters, double decay, std::int64_t updates_done) {
  const double n = static_cast<double>(updates_done);
  const double keep = std::min(decay, (1 + n) / (10 + n));
  for (std::size_t i = 0; i < average.size(); ++i) average[i] = weighted_mean(keep, average[i], parameters[i]);
}

}  // namespace boltzcurve

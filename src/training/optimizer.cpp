#include <boltzcurve/training/optimizer.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace boltzcurve {

double LearningRate::at(std::int64_t step) const {
  const double n = static_cast<double>(step);
  double factor = 1;
  if (decay == LearningRateDecay::exponential) factor = std::pow(decay_rate, n / decay_steps);
  if (decay == LearningRateDecay::cosine) {
    const double progress = std::min(1.0, n / static_cast<double>(std::max<std::int64_t>(planned_steps, 1)));
    const double floor = rate > 0 ? final_rate / rate : 0;
    factor = floor + (1 - floor) * (1 + std::cos(std::numbers::pi * progress)) / 2;
  }
  const double warm = step < warm_up_steps ? (n + 1) / static_cast<double>(warm_up_steps) : 1;
  return rate * factor * warm;
}

double Adam::update(State& state, std::span<double> parameters, std::span<const double> gradient, double rate) const {
  double squares = 0;
  for (const double g : gradient) squares += g * g;
  const double norm = std::sqrt(squares);
  const double scale = clip > 0 && norm > clip ? clip / norm : 1;

  ++state.updates;
  const double n = static_cast<double>(state.updates);
  const double first_bias = 1 - std::pow(beta1, n), second_bias = 1 - std::pow(beta2, n);
  const double step = rate / first_bias, inverse_second = 1 / second_bias;
  double *const m = state.first_moment.data(), *const v = state.second_moment.data(), *const x = parameters.data();
  const double* const gradients = gradient.data();
  const double b1 = beta1, b2 = beta2, eps = epsilon;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double g = scale * gradients[i];
    m[i] = b1 * m[i] + (1 - b1) * g;
    v[i] = b2 * v[i] + (1 - b2) * g * g;
    x[i] -= step * m[i] / (std::sqrt(v[i] * inverse_second) + eps);
  }
  return norm;
}

void update_average(std::span<double> average, std::span<const double> parameters, double decay, std::int64_t updates_done) {
  const double n = static_cast<double>(updates_done);
  const double keep = std::min(decay, (1 + n) / (10 + n));
  for (std::size_t i = 0; i < average.size(); ++i) average[i] = keep * average[i] + (1 - keep) * parameters[i];
}

}  // namespace boltzcurve

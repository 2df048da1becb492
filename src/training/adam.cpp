#include "training/adam.hpp"

#include <cmath>

#include "training/weighted_mean.hpp"

namespace boltzcurve {

AdamStep::AdamStep(const OptimizerSettings& settings, std::int64_t n, double rate)
    : beta1_(settings.beta1), beta2_(settings.beta2), epsilon_(settings.epsilon) {
  const auto updates = static_cast<double>(n);
  const double first_bias = 1 - std::pow(beta1_, updates), second_bias = 1 - std::pow(beta2_, updates);
  step_ = rate / first_bias;
  inverse_second_ = 1 / second_bias;
}

void AdamStep::operator()(std::span<double> first_moment, std::span<double> second_moment, std::span<const double> gradient, double scale,
                          std::span<double> x) const {
  double *const m = first_moment.data(), *const v = second_moment.data(), *const to = x.data();
  const double* const gradients = gradient.data();
  const double b1 = beta1_, b2 = beta2_, eps = epsilon_, step = step_, inverse_second = inverse_second_;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double g = scale * gradients[i];
    m[i] = weighted_mean(b1, m[i], g);
    v[i] = weighted_mean(b2, v[i], g * g);
    to[i] -= step * m[i] / (std::sqrt(v[i] * inverse_second) + eps);
  }
}

std::vector<OptimizerState::Array> zero_moments(const std::vector<ParameterTensor>& tensors) {
  std::vector<OptimizerState::Array> arrays;
  for (const char* moment : {"first_moment/", "second_moment/"})
    for (const auto& tensor : tensors)
      arrays.push_back(
          {moment + tensor.name, tensor.rows, tensor.columns, std::vector<double>(static_cast<std::size_t>(tensor.size()), 0.0)});
  return arrays;
}

namespace {

class Adam final : public Optimizer {
 public:
  Adam(const OptimizerSettings& settings, std::vector<ParameterTensor> tensors) : Optimizer(settings, std::move(tensors)) {}

  OptimizerState initial_state() const override { return {zero_moments(tensors_), 0}; }

 private:
  void step(OptimizerState& state, std::span<double> parameters, std::span<const double> gradient, double scale,
            double rate) const override {
    const AdamStep adam(settings_, state.updates, rate);
    for (std::size_t k = 0; k < tensors_.size(); ++k) {
      const auto offset = static_cast<std::size_t>(tensors_[k].offset), size = static_cast<std::size_t>(tensors_[k].size());
      adam(state.arrays[k].values, state.arrays[tensors_.size() + k].values, gradient.subspan(offset, size), scale,
           parameters.subspan(offset, size));
    }
  }
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(const OptimizerSettings& settings, std::vector<ParameterTensor> tensors) {
  return std::make_unique<Adam>(settings, std::move(tensors));
}

}  // namespace boltzcurve

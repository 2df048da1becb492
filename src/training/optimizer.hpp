#pragma once

#include <boltzcurve/training_settings.hpp>
#include "core/named_array.hpp"
#include "network/network.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace boltzcurve {

struct LearningRate {
  OptimizerSettings settings;
  std::int64_t planned_steps = 1;

  /// Rate of step number `step` = 0, 1, ...
  double at(std::int64_t step) const;
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

  /// One update of `parameters` with g <- g min(1, gradient_clip/|g|); returns the gradient's norm before clipping.
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
std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings, std::vector<ParameterTensor> tensors);

/// Exponential running average of the parameters. Early on, when there is little to average, the decay is (1+n)/(10+n) if that is smaller.
void update_average(std::span<double> average, std::span<const double> parameters, double decay, std::int64_t updates_done);

}  // namespace boltzcurve

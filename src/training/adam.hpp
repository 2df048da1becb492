#pragma once

#include "training/optimizer.hpp"

namespace boltzcurve {

/// Adam (Kingma and Ba, ICLR 2015, Algorithm 1), update number n, entry by entry:
///     m <- b1 m + (1-b1) g,  v <- b2 v + (1-b2) g^2,  x <- x - rate m^ / (sqrt v^ + eps),
/// m^ and v^ being m and v without their bias towards zero: m / (1 - b1^n), v / (1 - b2^n).
class AdamStep {
 public:
  AdamStep(const OptimizerSettings& settings, std::int64_t n, double rate);

  /// With g = scale times `gradient`. All arrays are of one size.
  void operator()(std::span<double> first_moment, std::span<double> second_moment, std::span<const double> gradient, double scale,
                  std::span<double> x) const;

 private:
  double beta1_, beta2_, epsilon_, step_, inverse_second_;
};

/// "first_moment/TENSOR" of every tensor, then "second_moment/TENSOR" of every tensor, all zero.
std::vector<OptimizerState::Array> zero_moments(const std::vector<ParameterTensor>& tensors);

}  // namespace boltzcurve

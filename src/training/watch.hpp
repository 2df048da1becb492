#pragma once

#include "curve/curve.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace boltzcurve {

/// Looks at the gradients of training as they come and says, once for each kind, what goes wrong:
///
///   not finite    the first step without a finite loss and gradient
///   clipped       of a hundred gradients on end, half or more were longer than what they are clipped to
///   grown         the mean norm of a hundred on end is over 100 times the smallest such mean before
class GradientWatch {
 public:
  static constexpr std::size_t window = 100;

  /// `clip`: 0 for none. Gradients of steps before `first_step`, of the warm-up, are not looked at.
  GradientWatch(CurveName curve, double clip, std::int64_t first_step) : curve_(curve), clip_(clip), first_step_(first_step) {}

  /// After each step: a warning, if one is due. `norm` is that of the gradient before it is clipped.
  std::optional<std::string> after(std::int64_t step, bool finite, double norm);

 private:
  std::string advice() const;

  CurveName curve_;
  double clip_;
  std::int64_t first_step_;
  std::vector<double> norms_;  // since the last look, up to `window` of them
  double smallest_mean_ = std::numeric_limits<double>::infinity();
  bool told_nonfinite_ = false, told_clipped_ = false, told_grown_ = false;
};

}  // namespace boltzcurve

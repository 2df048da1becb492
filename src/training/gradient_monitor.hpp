#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace boltzcurve {

/// What is wrong with gradients.
struct GradientTrouble {
  enum class Kind { not_finite, clipped, grown } kind;
  std::int64_t step;
  std::ptrdiff_t clipped = 0;  ///< of the last `GradientMonitor::window`
  double mean = 0;             ///< of their norms
  double growth = 0;           ///< of that mean, over the smallest before
};

/// Looks at the gradients of training as they come and says, once for each kind, what goes wrong:
///
///   not finite    the first step without a finite loss and gradient
///   clipped       of a hundred gradients on end, half or more were longer than what they are clipped to
///   grown         the mean norm of a hundred on end is over 100 times the smallest such mean before
class GradientMonitor {
 public:
  static constexpr std::size_t window = 100;

  /// `clip`: 0 for none. Gradients of steps before `first_step`, of the warm-up, are not looked at.
  GradientMonitor(double clip, std::int64_t first_step) : clip_(clip), first_step_(first_step) {}

  /// After each step. `norm` is that of the gradient before it is clipped.
  std::optional<GradientTrouble> after(std::int64_t step, bool finite, double norm);

 private:
  double clip_;
  std::int64_t first_step_;
  std::vector<double> norms_;  // since the last look, up to `window` of them
  double smallest_mean_ = std::numeric_limits<double>::infinity();
  bool seen_not_finite_ = false, seen_clipped_ = false, seen_grown_ = false;
};

}  // namespace boltzcurve

#include "residual/residual.hpp"

#include <algorithm>
#include <cmath>

namespace boltzcurve {
namespace {

// |R| pulls as hard however small R is, which would let the points next to it rule a mean.
constexpr double min_size = 0.01;

}  // namespace

double robust_weight(const LossShape& loss, double residual) {
  const double size = std::fabs(residual);
  if (loss.kind == LossKind::pseudo_huber) return 1 / std::hypot(1, size / loss.width);
  return loss.kind == LossKind::absolute_and_squared ? 1 + 0.5 / std::max(size, min_size) : 1;
}

}  // namespace boltzcurve

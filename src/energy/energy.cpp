#include <boltzcurve/energy/energy.hpp>

#include <algorithm>

namespace boltzcurve {

double Domain::longest_side() const {
  double side = 0;
  for (std::size_t k = 0; k < lower.size(); ++k) side = std::max(side, upper[k] - lower[k]);
  return side;
}

Domain united(Domain a, const Domain& b) {
  for (std::size_t k = 0; k < a.lower.size(); ++k) {
    a.lower[k] = std::min(a.lower[k], b.lower[k]);
    a.upper[k] = std::max(a.upper[k], b.upper[k]);
  }
  return a;
}

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/counter_rng.hpp>

#include <cmath>

namespace boltzcurve {

/// A draw from the gamma distribution of shape a > 0 and scale 1 (Marsaglia and Tsang, ACM Trans. Math. Softw. 26, 2000); of shape a < 1 as
/// one of shape a + 1 times U^(1/a).
inline double gamma_draw(double a, CounterRng& rng) {
  if (a < 1) return gamma_draw(a + 1, rng) * std::pow(rng.uniform(), 1 / a);
  const double d = a - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = rng.normal(), v = std::pow(1 + c * x, 3);
    if (v > 0 && std::log(rng.uniform()) < 0.5 * x * x + d * (1 - v + std::log(v))) return d * v;
  }
}

}  // namespace boltzcurve

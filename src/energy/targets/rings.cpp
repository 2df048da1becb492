#include <boltzcurve/registry.hpp>
#include "energy/vectorized_energy.hpp"

#include <cmath>
#include <numbers>

namespace boltzcurve {
namespace {

/// Four rings of equal mass and width around the origin of the plane. In the softened radius s = sqrt(|x|^2 + core^2),
///
///     f(x) = log s - log sum_{r = 1..4} exp(-(s - r)^2 / (2 width^2)),
///
/// so that s, whose area element is 2 pi s ds, is distributed as an even mixture of N(r, width^2) cut off at s = core, and the angle is
/// uniform. The softening keeps f smooth at the origin, where the density is e^-20 of the rings'; it moves the first ring by 0.00125.
struct Rings {
  static constexpr double width = 0.15, core = 0.05;
  static constexpr int rings = 4;

  KOKKOS_FUNCTION int dimension() const { return 2; }

  template <class Scalar, class Point>
  KOKKOS_FUNCTION Scalar value(const Point& x) const {
    return along(sqrt(x(0) * x(0) + x(1) * x(1) + core * core));
  }

  /// f as a function of s.
  template <class Scalar>
  KOKKOS_FUNCTION Scalar along(const Scalar& s) const {
    const auto exponent = [&](int r) { return (s - r) * (s - r) * (-0.5 / (width * width)); };
    Scalar top = exponent(1), sum(0);
    for (int r = 2; r <= rings; ++r) top = fmax(top, exponent(r));
    for (int r = 1; r <= rings; ++r) sum += exp(exponent(r) - top);
    return log(s) - top - log(sum);
  }
};

EnergyFacts facts() {
  const Rings rings;
  // Z = 2 pi sqrt(2 pi) width times the number of rings, but for what lies below the core: 1e-10 of the first ring.
  double z = 0, mean_energy = 0;
  for (int r = 1; r <= Rings::rings; ++r) {
    z += std::pow(2 * std::numbers::pi, 1.5) * Rings::width * 0.5 * std::erfc((Rings::core - r) / (Rings::width * std::numbers::sqrt2));
  }
  // Mean of f by a trapezoid sum over s up to twelve widths beyond the last ring; smooth, and next to nothing at both ends.
  const int steps = 8192;
  const double h = (Rings::rings + 12 * Rings::width - Rings::core) / steps;
  for (int i = 0; i <= steps; ++i) {
    const double s = Rings::core + i * h, f = rings.along(s);
    mean_energy += f * 2 * std::numbers::pi * s * std::exp(-f) / z * h * (i == 0 || i == steps ? 0.5 : 1);
  }
  EnergyFacts known;
  known.domain = cube(2, 10);
  known.log_z = std::log(z);
  known.entropy = mean_energy + std::log(z);
  known.sample = [](CounterRng& rng, double* x) {
    double s = 0;
    while (s <= Rings::core) s = 1 + std::floor(Rings::rings * rng.uniform()) + Rings::width * rng.normal();
    const double radius = std::sqrt(s * s - Rings::core * Rings::core), angle = 2 * std::numbers::pi * rng.uniform();
    x[0] = radius * std::cos(angle);
    x[1] = radius * std::sin(angle);
  };
  return known;
}

}  // namespace

TargetEntry rings_target() {
  return {"rings",
          "four concentric rings in the plane, radii 1 to 4, width 0.15, of equal mass",
          {},
          [](const Parameters&) { return make_vectorized_energy(Rings{}, facts()); },
          nullptr};
}

}  // namespace boltzcurve

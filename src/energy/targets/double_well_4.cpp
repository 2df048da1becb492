#include <boltzcurve/registry.hpp>
#include "energy/vectorized_energy.hpp"

namespace boltzcurve {
namespace {

/// Four particles in the plane whose distances d have a double well, with minima at 4 +- 1.49:
///
///     f = sum over pairs of [ 0.9 (d - 4)^4 - 4 (d - 4)^2 ]/2  +  |x_1 + x_2 + x_3 + x_4|^2/8
///
/// (Koehler, Klein, Noe, ICML 2020, with the center of mass held by a normal density).
struct DoubleWell4 {
  static constexpr bool all_at_once = true;
  static constexpr int particles = 4, size = 2 * particles;
  static constexpr double rest = 4, quartic = 0.9, quadratic = 4;

  KOKKOS_FUNCTION int dimension() const { return size; }

  template <class Point, class Output>
  KOKKOS_FUNCTION void derivatives(const Point& x, const Output& out) const {
    using Scalar = typename Point::Scalar;
    Scalar slope[size], sum[2] = {Scalar(0), Scalar(0)};
    for (int i = 0; i < size; ++i) sum[i % 2] += x(i);
    for (int i = 0; i < size; ++i) slope[i] = sum[i % 2] * 0.25;
    Scalar value = (sum[0] * sum[0] + sum[1] * sum[1]) * 0.125, laplacian(0.25 * size);
    for (int i = 0; i < size; i += 2) {
      for (int j = 0; j < i; j += 2) {
        const Scalar u = x(i) - x(j), v = x(i + 1) - x(j + 1);
        // a distance of 0 has no direction, and no mass around it
        const Scalar distance = sqrt(fmax(u * u + v * v, Scalar(1e-10))), s = distance - rest, s2 = s * s;
        const Scalar pull = s * (2 * quartic * s2 - quadratic) / distance;  // its slope over the distance
        value += s2 * (0.5 * quartic * s2 - 0.5 * quadratic);
        slope[i] += pull * u;
        slope[i + 1] += pull * v;
        slope[j] -= pull * u;
        slope[j + 1] -= pull * v;
        laplacian += 2 * (6 * quartic * s2 - quadratic + pull);
      }
    }
    out.value(value);
    for (int i = 0; i < size; ++i) out.gradient(i, slope[i]);
    out.laplacian(laplacian);
  }
};

EnergyFacts facts() {
  EnergyFacts known;
  known.domain = cube(DoubleWell4::size, 12);  // distances above 8 have a density below e^-80, the center of mass a deviation of 1/2
  // by sums over a lattice of three particles around the fourth (tests/unit/energy/targets.cpp)
  known.log_z = 20.873698;
  return known;
}

}  // namespace

TargetEntry double_well_4_target() {
  return {"double-well-4",
          "four particles in the plane with double wells in all distances",
          {},
          [](const Parameters&) { return make_vectorized_energy(DoubleWell4{}, facts()); },
          nullptr};
}

}  // namespace boltzcurve

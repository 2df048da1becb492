#include <boltzcurve/registry.hpp>
#include "energy/vectorized_energy.hpp"

#include <cmath>
#include <numbers>

namespace boltzcurve {
namespace {

/// Neal's funnel: x_0 ~ N(0, 9) and, given it, x_i ~ N(0, exp(x_0)) for i > 0:
///
///     f(x) = x_0^2 / 18 + (D - 1) x_0 / 2 + exp(-x_0) (x_1^2 + ... + x_{D-1}^2) / 2.
struct Funnel {
  int size;

  KOKKOS_FUNCTION int dimension() const { return size; }

  template <class Scalar, class Point>
  KOKKOS_FUNCTION Scalar value(const Point& x) const {
    Scalar square(0);
    for (int i = 1; i < size; ++i) square += x(i) * x(i);
    return x(0) * (x(0) * (1.0 / 18) + 0.5 * (size - 1)) + exp(-x(0)) * square * 0.5;
  }
};

EnergyFacts facts(int dimension) {
  EnergyFacts known;
  // eight standard deviations of x_0; of x_i all but 1e-5 of its heavy-tailed mass
  known.domain = cube(dimension, 3000);
  known.domain.lower[0] = -24;
  known.domain.upper[0] = 24;
  known.log_z = 0.5 * dimension * std::log(2 * std::numbers::pi) + std::log(3);  // E x_0 = 0
  known.entropy = *known.log_z + 0.5 * dimension;
  known.sample = [dimension](CounterRng& rng, double* x) {
    x[0] = 3 * rng.normal();
    for (int i = 1; i < dimension; ++i) x[i] = std::exp(x[0] / 2) * rng.normal();
  };
  return known;
}

}  // namespace

TargetEntry funnel_target() {
  return {"funnel",
          "Neal's funnel: the first coordinate sets the scale of all others",
          {{"dimension", ParameterSpec::Kind::integer, "10", "number of coordinates", 2, 1024}},
          [](const Parameters& parameters) {
            const int dimension = static_cast<int>(parameters.integer("dimension"));
            return make_vectorized_energy(Funnel{dimension}, facts(dimension));
          },
          nullptr};
}

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/energy_of.hpp>

#include <memory>

namespace boltzcurve::testing_support {

/// A normal density of one variance whose energy is NaN where the first coordinate is above 1: what one's own energy may be by mistake.
struct HalfKnown {
  int size;
  double variance;

  KOKKOS_FUNCTION int dimension() const { return size; }

  template <class Scalar, class Point>
  KOKKOS_FUNCTION Scalar value(const Point& x) const {
    Scalar square(0);
    for (int d = 0; d < size; ++d) square += x(d) * x(d);
    return square * (0.5 / variance) + sqrt(Scalar(1) - x(0)) * 0.0;
  }
};

inline std::unique_ptr<Energy> half_known(int dimension, double variance) {
  EnergyFacts facts;
  facts.domain = cube(dimension, 8);
  return make_energy(HalfKnown{dimension, variance}, facts);
}

}  // namespace boltzcurve::testing_support

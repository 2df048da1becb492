#pragma once

#include "energy/latents/separable.hpp"
#include "energy/table_law.hpp"
#include "energy/vectorized_energy.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <utility>
#include <vector>

// Posteriors under uniform priors on a box, in coordinates without walls.
namespace boltzcurve {

/// The normal probability of (-infinity, z], and its inverse for 0 < p < 1.
template <class Scalar>
KOKKOS_FUNCTION Scalar normal_probability(const Scalar& z) {
  return erf(z * (1 / std::numbers::sqrt2)) * 0.5 + 0.5;
}
inline double normal_quantile(double p) {
  // Newton's method on the tail, which is convex: from 0 upwards it never passes the root
  const double tail = std::min(p, 1 - p);
  double z = 0;
  for (int iteration = 0; iteration < 100; ++iteration) {
    const double step = (0.5 * std::erfc(z / std::numbers::sqrt2) - tail) * std::sqrt(2 * std::numbers::pi) * std::exp(z * z / 2);
    z += step;
    if (!(step > 1e-15 * z)) break;
  }
  return p < 0.5 ? -z : z;
}

/// Sides [lower, upper] of the box, all coordinates alike.
struct PriorBox {
  double lower, upper;

  double side() const { return upper - lower; }
  /// z whose image is x.
  double coordinate(double x) const { return normal_quantile((x - lower) / side()); }
};

/// A likelihood L on a box with the uniform prior, in coordinates z of which that prior is the standard normal density: with
/// x = lower + (upper - lower) Phi(z), g = -log L and phi = Phi',
///
///     f(z) = |z|^2/2 + (D/2) log(2 pi) + g(x(z)),     df/dz_d = z_d + s_d dg/dx_d,     s_d = (upper - lower) phi(z_d),
///     d^2f/dz_d^2 = 1 + s_d^2 d^2g/dx_d^2 - z_d s_d dg/dx_d,
///
/// smooth on all of R^D, and Z is the evidence, the mean of L over the box. `likelihood` offers dimension() and
///
///     template <class Scalar, class Box, class Sink> void derivatives(const Box& x, Sink& sink) const;    // sink.value(g),
///                                                                       // sink.coordinate(d, dg/dx_d, d^2g/dx_d^2) for every d
template <class Likelihood>
struct OnUniformPrior {
  static constexpr bool all_at_once = true;

  Likelihood likelihood;
  PriorBox box;

  KOKKOS_FUNCTION int dimension() const { return likelihood.dimension(); }

  template <class Point>
  struct Mapped {
    using Scalar = typename Point::Scalar;
    const Point& z;
    double lower, side;

    KOKKOS_FORCEINLINE_FUNCTION Scalar operator()(int d) const { return normal_probability(z(d)) * side + lower; }
  };

  template <class Point, class Output>
  struct Sink {
    using Scalar = typename Point::Scalar;
    const Point& z;
    const Output& out;
    double side;
    Scalar energy, squares, laplacian;

    KOKKOS_FORCEINLINE_FUNCTION void value(const Scalar& g) { energy = g; }
    KOKKOS_FORCEINLINE_FUNCTION void coordinate(int d, const Scalar& slope, const Scalar& curvature) {
      const Scalar u = z(d), square = u * u, s = exp(square * -0.5) * (side / std::sqrt(2 * std::numbers::pi)), pull = s * slope;
      squares += square;
      out.gradient(d, u + pull);
      laplacian += 1 + s * s * curvature - u * pull;
    }
  };

  template <class Point, class Output>
  KOKKOS_FUNCTION void derivatives(const Point& z, const Output& out) const {
    using Scalar = typename Point::Scalar;
    Sink<Point, Output> sink{z, out, box.upper - box.lower, Scalar(0), Scalar(0), Scalar(0)};
    likelihood.template derivatives<Scalar>(Mapped<Point>{z, box.lower, box.upper - box.lower}, sink);
    out.value(sink.energy + sink.squares * 0.5 + 0.5 * std::log(2 * std::numbers::pi) * dimension());
    out.laplacian(sink.laplacian);
  }
};

/// The domain of any of them holds all of the prior but 2e-9 of each coordinate.
inline constexpr double prior_reach = 6;

template <class Likelihood>
std::unique_ptr<Energy> make_on_uniform_prior(const Likelihood& likelihood, const PriorBox& box, EnergyFacts facts) {
  facts.domain = cube(likelihood.dimension(), prior_reach);
  return make_vectorized_energy(OnUniformPrior<Likelihood>{likelihood, box}, std::move(facts));
}

/// A likelihood that is a product over coordinates: `one(kind, x)` gives g and its derivatives as a detail::CoordinateEnergy, for any
/// scalar type; `kind(d)` says which of a few coordinate d is.
template <class One>
struct SeparableLikelihood {
  One one;
  int size;

  KOKKOS_FUNCTION int dimension() const { return size; }

  template <class Scalar, class Box, class Sink>
  KOKKOS_FUNCTION void derivatives(const Box& x, Sink& sink) const {
    Scalar sum(0);
    for (int d = 0; d < size; ++d) {
      const auto at = one.template operator()<Scalar>(one.kind(d, size), x(d));
      sum += at.value;
      sink.coordinate(d, at.slope, at.curvature);
    }
    sink.value(sum);
  }
};

/// The same as an Energy. Everything is known by sums over one coordinate z of each kind 0, 1, ... kinds-1.
template <class One>
std::unique_ptr<Energy> make_separable_on_uniform_prior(const One& one, int dimension, int kinds, const PriorBox& box, EnergyFacts facts) {
  std::vector<TableLaw> laws;
  for (int kind = 0; kind < kinds; ++kind)
    laws.emplace_back(-prior_reach, prior_reach, std::size_t(1) << 13, [&](double z) {
      const double x = box.lower + box.side() * 0.5 * std::erfc(-z / std::numbers::sqrt2);
      return -one.template operator()<double>(kind, x).value - z * z / 2 - 0.5 * std::log(2 * std::numbers::pi);
    });
  facts.log_z = facts.entropy = 0;
  facts.moments.emplace();
  for (int d = 0; d < dimension; ++d) {
    const TableLaw& law = laws[static_cast<std::size_t>(one.kind(d, dimension))];
    const double mean = law.mean([](double z) { return z; });
    *facts.log_z += law.log_z();
    *facts.entropy += law.entropy();
    facts.moments->mean.push_back(mean);
    facts.moments->deviation.push_back(std::sqrt(law.mean([&](double z) { return (z - mean) * (z - mean); })));
  }
  facts.sample = [laws, one, dimension](CounterRng& rng, double* z) {
    for (int d = 0; d < dimension; ++d) z[d] = laws[static_cast<std::size_t>(one.kind(d, dimension))].draw(rng);
  };
  return make_on_uniform_prior(SeparableLikelihood<One>{one, dimension}, box, std::move(facts));
}

}  // namespace boltzcurve

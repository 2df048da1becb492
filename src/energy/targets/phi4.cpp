#include <boltzcurve/registry.hpp>
#include "energy/chain_law.hpp"
#include "energy/vectorized_energy.hpp"

#include <algorithm>
#include <cmath>

namespace boltzcurve {
namespace {

/// A chain of n sites of the lattice phi^4 model with fixed ends x_0 = x_{n+1} = 0 (Gabrie, Rotskoff, Vanden-Eijnden, PNAS 2022):
///
///     f(x) = beta [ (a n/2) sum over i = 0..n of (x_{i+1} - x_i)^2  +  sum over i of ( (1 - x_i^2)^2/(4 a n) + h x_i/n ) ].
struct Phi4 {
  static constexpr bool all_at_once = true;
  static constexpr double a = 0.1, beta = 20;

  int size;
  double stiffness, well, tilt;  ///< beta a n, beta/(a n), beta h/n

  Phi4(int sites, double field) : size(sites), stiffness(beta * a * sites), well(beta / (a * sites)), tilt(beta * field / sites) {}

  KOKKOS_FUNCTION int dimension() const { return size; }

  template <class Point, class Output>
  KOKKOS_FUNCTION void derivatives(const Point& x, const Output& out) const {
    using Scalar = typename Point::Scalar;
    Scalar before(0), here = x(0), value(0), curvature(0);
    for (int i = 0; i < size; ++i) {
      const Scalar after = i + 1 < size ? x(i + 1) : Scalar(0);
      const Scalar step = here - before, square = here * here, depth = square - 1;
      value += step * step * (0.5 * stiffness) + depth * depth * (0.25 * well) + here * tilt;
      out.gradient(i, (step - (after - here)) * stiffness + depth * here * well + tilt);
      curvature += square * (3 * well);
      before = here;
      here = after;
    }
    out.value(value + before * before * (0.5 * stiffness));
    out.laplacian(curvature + (2 * stiffness - well) * size);
  }

  double site(double u) const { return 0.25 * well * (u * u - 1) * (u * u - 1) + tilt * u; }
};

/// The minimum of f that descent from x = start everywhere ends in, by Newton's method with steps kept where the Hessian, tridiagonal, is
/// positive definite.
std::vector<double> minimum(const Phi4& chain, double start) {
  const auto n = static_cast<std::size_t>(chain.size);
  std::vector<double> x(n, start), step(n), ratio(n);
  for (int iteration = 0; iteration < 200; ++iteration) {
    // Thomas's algorithm for (H + shift) step = -gradient; the curvature of a site counts as at least zero
    double largest = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double before = i > 0 ? x[i - 1] : 0, after = i + 1 < n ? x[i + 1] : 0;
      const double gradient = chain.stiffness * (2 * x[i] - before - after) + chain.well * x[i] * (x[i] * x[i] - 1) + chain.tilt;
      const double diagonal = 2 * chain.stiffness + chain.well * std::max(0.0, 3 * x[i] * x[i] - 1);
      const double pivot = diagonal - (i > 0 ? chain.stiffness * ratio[i - 1] : 0);
      ratio[i] = chain.stiffness / pivot;
      step[i] = (-gradient + (i > 0 ? chain.stiffness * step[i - 1] : 0)) / pivot;
    }
    for (std::size_t i = n; i-- > 0;) {
      if (i + 1 < n) step[i] += ratio[i] * step[i + 1];
      largest = std::max(largest, std::fabs(step[i]));
    }
    for (std::size_t i = 0; i < n; ++i) x[i] += step[i];
    if (largest < 1e-12) break;
  }
  return x;
}

EnergyFacts facts(const Phi4& chain) {
  // the wells hold a site within u^4 well/4 of 100 or so; the field moves it
  double reach = 2;
  while (chain.site(reach) + chain.site(-reach) - 2 * std::min(chain.site(1), chain.site(-1)) < 200 && reach < 6) reach *= 1.05;
  const double deviation = 1 / std::sqrt(chain.stiffness + 5 * chain.well);  // of a site given its neighbors, where it is narrowest
  const auto end = [chain](double u) { return 0.5 * chain.stiffness * u * u; };
  const auto law = std::make_shared<const ChainLaw>(
      static_cast<std::size_t>(chain.size), ChainLaw::Nodes::between(-reach, reach, deviation / 3), end,
      [chain](double u, double v) { return 0.5 * chain.stiffness * (u - v) * (u - v) + chain.site(u); },
      [chain, end](double u) { return chain.site(u) + end(u); });
  EnergyFacts known;
  known.domain = cube(chain.size, 5);
  known.log_z = law->log_z();
  known.sample = [law](CounterRng& rng, double* x) { law->draw(rng, x); };
  const auto middle = static_cast<std::size_t>(chain.size / 2);
  const auto lower = minimum(chain, -1), upper = minimum(chain, 1);
  if (lower[middle] < -0.1 && upper[middle] > 0.1) {
    const double above = law->probability_above_zero(middle);
    known.modes = {{1 - above, lower}, {above, upper}};
  } else {
    known.modes = {{1, chain.tilt > 0 ? lower : upper}};
  }
  return known;
}

}  // namespace

/// log Z, the share of the upper mode P(x_{n/2} > 0) and exact samples by transfer matrix.
TargetEntry phi4_target() {
  using Kind = ParameterSpec::Kind;
  return {"phi4",
          "chain of the lattice phi^4 model with fixed ends: two modes, all sites up or all down",
          {{"sites", Kind::integer, "16", "number of sites, the dimension", 2, 1024},
           {"field", Kind::real, "0", "h: pulls all sites down, and weighs the modes exp(-h) and so on", -10, 10}},
          [](const Parameters& parameters) {
            const Phi4 chain(static_cast<int>(parameters.integer("sites")), parameters.real("field"));
            return make_vectorized_energy(chain, facts(chain));
          },
          nullptr};
}

}  // namespace boltzcurve

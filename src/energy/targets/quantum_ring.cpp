#include <boltzcurve/registry.hpp>
#include "energy/chain_law.hpp"
#include "energy/vectorized_energy.hpp"

#include <cmath>

namespace boltzcurve {
namespace {

/// A quantum particle in a double well as a ring of N classical ones, at inverse temperature 4 (Mate and Fleuret, arXiv 2301.07388):
///
///     f(x) = a sum over i of [ x_i^4/4 - (m/2) x_i^2 + (m/2) (x_i - x_{i-1})^2/a^2 ],    a = 4/N,    x_0 = x_N.
struct QuantumRing {
  static constexpr bool all_at_once = true;
  static constexpr double beta = 4;

  int size;
  double quartic, quadratic, stiffness;  ///< a, a m, m/a

  QuantumRing(int sites, double mass) : size(sites), quartic(beta / sites), quadratic(quartic * mass), stiffness(mass / quartic) {}

  KOKKOS_FUNCTION int dimension() const { return size; }

  template <class Point, class Output>
  KOKKOS_FUNCTION void derivatives(const Point& x, const Output& out) const {
    using Scalar = typename Point::Scalar;
    Scalar before = x(size - 1), here = x(0), value(0), squares(0);
    for (int i = 0; i < size; ++i) {
      const Scalar after = x(i + 1 < size ? i + 1 : 0), step = here - before, square = here * here;
      value += step * step * (0.5 * stiffness) + square * (square * (0.25 * quartic) - 0.5 * quadratic);
      out.gradient(i, (step - (after - here)) * stiffness + here * (square * quartic - quadratic));
      squares += square;
      before = here;
      here = after;
    }
    out.value(value);
    out.laplacian(squares * (3 * quartic) + (2 * stiffness - quadratic) * size);
  }

  double site(double u) const { return u * u * (0.25 * quartic * u * u - 0.5 * quadratic); }
};

EnergyFacts facts(const QuantumRing& ring, double mass) {
  // A site alone in its well reaches far where there are many, of which each has a small share: its fluctuation under the whole well,
  // spread over the ring, is what counts. Both are within this.
  const double well = std::sqrt(mass), reach = well + 4;
  const double deviation = 1 / std::sqrt(ring.stiffness + 3 * ring.quartic * reach * reach);
  const auto law = std::make_shared<const ChainLaw>(
      static_cast<std::size_t>(ring.size), ChainLaw::Nodes::between(-reach, reach, deviation / 1.5),
      [ring](double u, double v) { return 0.5 * ring.stiffness * (u - v) * (u - v) + 0.5 * (ring.site(u) + ring.site(v)); });
  const auto size = static_cast<std::size_t>(ring.size);
  EnergyFacts known;
  known.domain = cube(ring.size, reach + 1);
  known.log_z = law->log_z();
  known.modes = {{0.5, std::vector<double>(size, -well)}, {0.5, std::vector<double>(size, well)}};
  known.sample = [law](CounterRng& rng, double* x) { law->draw(rng, x); };
  return known;
}

}  // namespace

/// log Z and exact samples by transfer matrix.
TargetEntry quantum_ring_target() {
  using Kind = ParameterSpec::Kind;
  return {"quantum-ring",
          "ring polymer of a quantum particle in a double well: two modes, all sites left or all right",
          {{"sites", Kind::integer, "16", "N: number of sites, the dimension", 2, 128},
           {"mass", Kind::real, "1.5", "m: stiffness of the ring and depth of the wells, at -sqrt(m) and sqrt(m)", 0.1, 10}},
          [](const Parameters& parameters) {
            const double mass = parameters.real("mass");
            const QuantumRing ring(static_cast<int>(parameters.integer("sites")), mass);
            return make_vectorized_energy(ring, facts(ring, mass));
          },
          nullptr};
}

}  // namespace boltzcurve

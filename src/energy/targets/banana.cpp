#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "energy/vectorized_energy.hpp"

#include <cmath>
#include <numbers>

namespace boltzcurve {
namespace {

constexpr double wide = 10, thin = 0.1;  ///< variances of u and of v given u

/// D/2 independent pairs (u, v) = (x[2p], x[2p+1]), u ~ N(1, 10) and v | u ~ N(u^2, 1/10), Rosenbrock's valley as a density:
///
///     f(x) = sum over p of  (u - 1)^2/20 + 5 (v - u^2)^2.
struct Banana {
  static constexpr bool all_at_once = true;
  int size;

  KOKKOS_FUNCTION int dimension() const { return size; }

  template <class Point, class Output>
  KOKKOS_FUNCTION void derivatives(const Point& x, const Output& out) const {
    using Scalar = typename Point::Scalar;
    Scalar value(0), laplacian(0);
    for (int i = 0; i < size; i += 2) {
      const Scalar u = x(i), offset = u - 1, misfit = x(i + 1) - u * u, pull = misfit * (1 / thin);
      value += offset * offset * (0.5 / wide) + misfit * pull * 0.5;
      out.gradient(i, offset * (1 / wide) - 2 * u * pull);
      out.gradient(i + 1, pull);
      laplacian += (1 / wide + 1 / thin) + 4 / thin * u * u - 2 * pull;
    }
    out.value(value);
    out.laplacian(laplacian);
  }
};

std::unique_ptr<Energy> make(const Parameters& parameters) {
  const int dimension = static_cast<int>(parameters.integer("dimension"));
  if (dimension % 2 != 0) throw SettingError({"dimension", " = " + std::to_string(dimension) + ": must be even for banana"});
  EnergyFacts facts;
  facts.log_z = 0.5 * dimension * std::log(2 * std::numbers::pi);  // the deviations of a pair multiply to one
  facts.entropy = *facts.log_z + 0.5 * dimension;
  facts.modes = {{1, std::vector<double>(static_cast<std::size_t>(dimension), 1.0)}};
  facts.moments.emplace();
  for (int i = 0; i < dimension; i += 2) {
    // u within eight deviations, and v where that takes it
    const double reach = 8 * std::sqrt(wide);
    facts.domain.lower.insert(facts.domain.lower.end(), {1 - reach, -5});
    facts.domain.upper.insert(facts.domain.upper.end(), {1 + reach, (1 + reach) * (1 + reach) + 5});
    facts.moments->mean.insert(facts.moments->mean.end(), {1, 1 + wide});
    facts.moments->deviation.insert(facts.moments->deviation.end(), {std::sqrt(wide), std::sqrt(2 * wide * wide + 4 * wide + thin)});
  }
  facts.sample = [dimension](CounterRng& rng, double* x) {
    for (int i = 0; i < dimension; i += 2) {
      x[i] = 1 + std::sqrt(wide) * rng.normal();
      x[i + 1] = x[i] * x[i] + std::sqrt(thin) * rng.normal();
    }
  };
  return make_vectorized_energy(Banana{dimension}, std::move(facts));
}

}  // namespace

TargetEntry banana_target() {
  return {"banana",
          "D/2 independent curved valleys: u ~ N(1, 10), v | u ~ N(u^2, 1/10)",
          {{"dimension", ParameterSpec::Kind::integer, "2", "number of coordinates, even", 2, 1024}},
          make,
          nullptr};
}

}  // namespace boltzcurve

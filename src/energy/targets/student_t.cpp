#include <boltzcurve/registry.hpp>
#include "energy/gamma_draw.hpp"
#include "energy/vectorized_energy.hpp"

#include <cmath>
#include <numbers>

namespace boltzcurve {
namespace {

/// The multivariate Student t density of nu degrees of freedom, f(x) = (nu + D)/2 log(1 + |x|^2/nu).
struct StudentT {
  static constexpr bool all_at_once = true;
  int size;
  double degrees;

  KOKKOS_FUNCTION int dimension() const { return size; }

  template <class Point, class Output>
  KOKKOS_FUNCTION void derivatives(const Point& x, const Output& out) const {
    using Scalar = typename Point::Scalar;
    Scalar square(0);
    for (int d = 0; d < size; ++d) square += x(d) * x(d);
    const Scalar inverse = Scalar(1) / (square + degrees), slope = inverse * (degrees + size);
    for (int d = 0; d < size; ++d) out.gradient(d, x(d) * slope);
    out.value(log(square * (1 / degrees) + 1) * (0.5 * (degrees + size)));
    out.laplacian(slope * (size - 2 * square * inverse));
  }
};

EnergyFacts facts(int dimension, double nu) {
  const double half = 0.5 * (nu + dimension);
  EnergyFacts known;
  known.log_z = std::lgamma(nu / 2) + 0.5 * dimension * std::log(nu * std::numbers::pi) - std::lgamma(half);
  known.entropy = *known.log_z + half * (polygamma<1>(half) - polygamma<1>(nu / 2));
  known.modes = {{1, std::vector<double>(static_cast<std::size_t>(dimension), 0.0)}};
  if (nu > 2) {
    const auto size = static_cast<std::size_t>(dimension);
    known.moments = Moments{std::vector<double>(size, 0.0), std::vector<double>(size, std::sqrt(nu / (nu - 2)))};
  }
  // some 1e-8 of a coordinate's mass is outside
  known.domain = cube(dimension, 10 + std::sqrt(nu) * std::pow(1e7, 1 / nu));
  known.sample = [dimension, nu](CounterRng& rng, double* x) {
    const double stretch = std::sqrt(nu / (2 * gamma_draw(nu / 2, rng)));
    for (int d = 0; d < dimension; ++d) x[d] = stretch * rng.normal();
  };
  return known;
}

}  // namespace

TargetEntry student_t_target() {
  using Kind = ParameterSpec::Kind;
  return {"student-t",
          "multivariate Student t density around the origin: heavy tails",
          {{"dimension", Kind::integer, "10", "number of coordinates", 1, 1024},
           {"degrees", Kind::real, "5", "degrees of freedom: the fewer, the heavier the tails; 1 is Cauchy's density", 1, 1e6}},
          [](const Parameters& parameters) {
            const int dimension = static_cast<int>(parameters.integer("dimension"));
            const double degrees = parameters.real("degrees");
            return make_vectorized_energy(StudentT{dimension, degrees}, facts(dimension, degrees));
          },
          nullptr};
}

}  // namespace boltzcurve

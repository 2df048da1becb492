#include <boltzcurve/registry.hpp>
#include "energy/chain_law.hpp"
#include "energy/uniform_prior.hpp"

namespace boltzcurve {
namespace {

/// Rosenbrock's function of a chain as -log likelihood on [-10, 10]^D:
///
///     g(x) = 2 sum over i < D of [ 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2 ].
struct Rosenbrock {
  int size;

  KOKKOS_FUNCTION int dimension() const { return size; }

  template <class Scalar, class Box, class Sink>
  KOKKOS_FUNCTION void derivatives(const Box& x, Sink& sink) const {
    // `slope` and `curvature` begin with what the pair before gives to its second coordinate
    Scalar here = x(0), value(0), slope(0), curvature(0);
    for (int i = 0; i + 1 < size; ++i) {
      const Scalar after = x(i + 1), square = here * here, misfit = after - square, offset = here - 1;
      value += misfit * misfit * 200 + offset * offset * 2;
      sink.coordinate(i, slope - here * misfit * 800 + offset * 4, curvature + square * 1600 - misfit * 800 + 4);
      slope = misfit * 400;
      curvature = Scalar(400);
      here = after;
    }
    sink.coordinate(size - 1, slope, curvature);
    sink.value(value);
  }
};

EnergyFacts facts(int dimension, const PriorBox& box) {
  const auto nothing = [](double) { return 0.0; };
  const auto law = std::make_shared<const ChainLaw>(
      static_cast<std::size_t>(dimension), ChainLaw::Nodes::between(box.lower, box.upper, 0.05 / 3), nothing,
      [](double u, double v) { return 200 * (v - u * u) * (v - u * u) + 2 * (1 - u) * (1 - u); }, nothing);
  EnergyFacts known;
  known.log_z = law->log_z() - dimension * std::log(box.side());
  known.sample = [law, dimension, box](CounterRng& rng, double* z) {
    law->draw(rng, z);
    for (int d = 0; d < dimension; ++d) z[d] = box.coordinate(z[d]);
  };
  return known;
}

}  // namespace

/// log Z and exact samples by transfer matrix.
TargetEntry rosenbrock_target() {
  return {"rosenbrock",
          "Rosenbrock's function of a chain as -log likelihood on [-10, 10]^D, in coordinates of a normal prior",
          {{"dimension", ParameterSpec::Kind::integer, "2", "number of coordinates", 2, 1024}},
          [](const Parameters& parameters) {
            const int dimension = static_cast<int>(parameters.integer("dimension"));
            const PriorBox box{-10, 10};
            return make_on_uniform_prior(Rosenbrock{dimension}, box, facts(dimension, box));
          },
          nullptr};
}

}  // namespace boltzcurve

#include <boltzcurve/registry.hpp>
#include "energy/uniform_prior.hpp"

namespace boltzcurve {
namespace {

/// g(x) = 10 + x^2 - 10 cos(2 pi x) of every coordinate: eleven wells, one at each integer of [-5.12, 5.12].
struct Rastrigin {
  KOKKOS_FUNCTION int kind(int, int) const { return 0; }

  template <class Scalar>
  KOKKOS_FUNCTION detail::CoordinateEnergy<Scalar> operator()(int, const Scalar& x) const {
    constexpr double turn = 2 * std::numbers::pi;
    const Scalar angle = x * turn, cosine = cos(angle);
    return {10 + x * x - 10 * cosine, 2 * x + (10 * turn) * sin(angle), 2 + (10 * turn * turn) * cosine};
  }
};

}  // namespace

TargetEntry rastrigin_target() {
  return {"rastrigin",
          "Rastrigin's function as -log likelihood on [-5.12, 5.12]^D, 11^D wells, in coordinates of a normal prior",
          {{"dimension", ParameterSpec::Kind::integer, "2", "number of coordinates", 1, 1024}},
          [](const Parameters& parameters) {
            const int dimension = static_cast<int>(parameters.integer("dimension"));
            return make_separable_on_uniform_prior(Rastrigin{}, dimension, 1, {-5.12, 5.12}, {});
          },
          nullptr};
}

}  // namespace boltzcurve

#include "energy/latents/separable.hpp"

#include <cmath>
#include <numbers>

namespace boltzcurve {
namespace {

/// F(u) = u^2/2.
struct Square {
  template <class Scalar>
  KOKKOS_FUNCTION detail::CoordinateEnergy<Scalar> operator()(const Scalar& u) const {
    return {u * u * 0.5, u, Scalar(1)};
  }
};

}  // namespace

/// The normal density with f = sum over k of (x_k - mean_k)^2/(2 scale_k^2), log Z = sum of log(2 pi scale_k^2)/2. Domain: ten standard
/// deviations around the mean.
LatentEntry gaussian_latent() {
  return {"gaussian", "a normal distribution, with one standard deviation for all coordinates or one for each",
          detail::mean_and_scale("its standard deviation"), [](const Parameters& parameters, int dimension) {
            const double log_z = 0.5 * std::log(2 * std::numbers::pi);
            return detail::make_separable(parameters, dimension, Square{},
                                          {log_z, log_z + 0.5, 1, 10, [](CounterRng& rng) { return rng.normal(); }});
          }};
}

}  // namespace boltzcurve

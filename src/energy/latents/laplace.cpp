#include "energy/latents/separable.hpp"

#include <cmath>
#include <numbers>

namespace boltzcurve {
namespace {

/// F(u) = |u|, with slope 0 at the kink.
struct Absolute {
  template <class Scalar>
  KOKKOS_FUNCTION detail::CoordinateEnergy<Scalar> operator()(const Scalar& u) const {
    const Scalar zero(0);
    return {fabs(u), select(u > zero, Scalar(1), select(u < zero, Scalar(-1), zero)), zero};
  }
};

}  // namespace

/// Laplace's density with f = sum over k of |x_k - mean_k|/scale_k, log Z = sum of log(2 scale_k). Tails heavier than a normal density's
/// keep far modes in reach; where f has its kink, at the mean, its Laplacian is given without the delta function. Domain: 50 scales.
LatentEntry laplace_latent() {
  return {"laplace", "|x/scale|: tails that fall exponentially",
          detail::mean_and_scale("s in exp(-|x|/s), of standard deviation s sqrt(2)"), [](const Parameters& parameters, int dimension) {
            const auto sample = [](CounterRng& rng) {
              const double size = -std::log(rng.uniform());
              return rng.uniform() < 0.5 ? -size : size;
            };
            const double log_z = std::numbers::ln2;
            return detail::make_separable(parameters, dimension, Absolute{}, {log_z, log_z + 1, std::numbers::sqrt2, 50, sample});
          }};
}

}  // namespace boltzcurve

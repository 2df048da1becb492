#include "energy/gamma_draw.hpp"
#include "energy/latents/separable.hpp"

#include <cmath>

namespace boltzcurve {
namespace {

/// F(u) = |u|^p. Sizes below `least` count as that, so that curvatures stay finite for p < 2: of 1e-6 scales, where no mass is.
struct Power {
  double power;
  static constexpr double least = 1e-6;

  template <class Scalar>
  KOKKOS_FUNCTION detail::CoordinateEnergy<Scalar> operator()(const Scalar& u) const {
    const Scalar size = fmax(fabs(u), Scalar(least)), value = exp(log(size) * power), slope = value / (size * size) * power;
    return {value, slope * u, slope * (power - 1)};
  }
};

}  // namespace

/// The generalized normal density with f = sum over k of |(x_k - mean_k)/scale_k|^p, log Z = sum of log(2 scale_k Gamma(1 + 1/p)), entropy
/// log Z + D/p, variance scale^2 Gamma(3/p)/Gamma(1/p). p = 1 is Laplace's, 2 a normal one of variance scale^2/2, and large p nearly a
/// box. |u|^p has the gamma distribution of shape 1/p, and a draw of that is one of shape 1 + 1/p times U^p. Domain: where f is 50.
LatentEntry generalized_normal_latent() {
  auto parameters = detail::mean_and_scale("s in exp(-|x/s|^p)");
  parameters.push_back({"power", ParameterSpec::Kind::real, "4", "p: 1 Laplace's density, 2 a normal one, more falls faster", 1, 20});
  return {"generalised-normal", "|x/scale|^power", std::move(parameters), [](const Parameters& given, int dimension) {
            const double p = given.real("power"), log_z = std::log(2.0) + std::lgamma(1 + 1 / p);
            const auto sample = [p](CounterRng& rng) {
              const double size = rng.uniform() * std::pow(gamma_draw(1 + 1 / p, rng), 1 / p);
              return rng.uniform() < 0.5 ? -size : size;
            };
            const double deviation = std::exp(0.5 * (std::lgamma(3 / p) - std::lgamma(1 / p)));
            return detail::make_separable(given, dimension, Power{p}, {log_z, log_z + 1 / p, deviation, std::pow(50, 1 / p), sample});
          }};
}

}  // namespace boltzcurve

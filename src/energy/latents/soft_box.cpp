#include "energy/latents/separable.hpp"

#include <cmath>
#include <numbers>

namespace boltzcurve {
namespace {

/// F(u) = 0 in [-1, 1], and (|u| - 1)^2/(2 w^2) beyond.
struct Walls {
  double softness;  ///< w

  template <class Scalar>
  KOKKOS_FUNCTION detail::CoordinateEnergy<Scalar> operator()(const Scalar& u) const {
    const Scalar zero(0), sharpness(1 / softness), depth = fmax(fabs(u) - 1.0, zero) * sharpness, slope = depth * sharpness;
    return {depth * depth * 0.5, select(u > zero, slope, -slope), select(depth > zero, sharpness * sharpness, zero)};
  }
};

}  // namespace

/// The uniform density on the box of half sides scale_k, with walls that fall off like a normal density of standard deviation w scale_k: f
/// is 0 inside and (|x_k - mean_k|/scale_k - 1)^2/(2 w^2) outside, log Z = sum of log(scale_k (2 + w sqrt(2 pi))), and the walls hold the
/// share q = w sqrt(2 pi)/(2 + w sqrt(2 pi)) of each coordinate, so that the entropy is log Z + D q/2. Domain: ten w outside the box.
LatentEntry soft_box_latent() {
  auto parameters = detail::mean_and_scale("half a side of the box");
  parameters.push_back({"softness", ParameterSpec::Kind::real, "0.1", "w, standard deviation of the walls over half a side", 1e-3, 1e3});
  return {"soft-box", "uniform in a box whose walls fall off like a normal density", std::move(parameters),
          [](const Parameters& given, int dimension) {
            const double w = given.real("softness"), walls = w * std::sqrt(2 * std::numbers::pi), share = walls / (2 + walls);
            const double log_z = std::log(2 + walls);
            // E u^2 inside is 1/3, outside E (1 + w |n|)^2 with n normal
            const double outside = 1 + 2 * w * std::sqrt(2 / std::numbers::pi) + w * w;
            const double deviation = std::sqrt((1 - share) / 3 + share * outside);
            const auto sample = [w, share](CounterRng& rng) {
              const double u = 2 * rng.uniform() - 1;
              return rng.uniform() < share ? std::copysign(1 + w * std::fabs(rng.normal()), u) : u;
            };
            return detail::make_separable(given, dimension, Walls{w}, {log_z, log_z + share / 2, deviation, 1 + 10 * w, sample});
          }};
}

}  // namespace boltzcurve

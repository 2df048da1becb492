#include "energy/gaussian_mixture.hpp"

#include <cmath>
#include <numbers>
#include <random>

namespace boltzcurve {

/// Forty equal modes in the plane with covariance softplus(1)^2 I, softplus(1) = log(1 + e), and means uniform in [-40, 40)^2: the GMM-40
/// of Midgley et al., ICLR 2023 (arXiv 2208.01893). The means are those of torch.manual_seed(0); torch.rand: Mersenne Twister with seed 0,
/// the low 24 bits of each output. First means (-0.2995, 21.4577), (-32.9218, -29.4376), (-15.4062, 10.7263).
TargetEntry gmm40_target() {
  return {"gmm40",
          "40 equal Gaussian modes with means spread over [-40, 40]^2",
          {},
          [](const Parameters&) {
            const double deviation = std::log1p(std::numbers::e);
            std::mt19937 twister(0);
            const auto coordinate = [&] { return (static_cast<double>(twister() & 0xFFFFFFu) * 0x1p-24 - 0.5) * 80; };
            std::vector<GaussianComponent> components;
            for (int k = 0; k < 40; ++k) {
              const double x = coordinate(), y = coordinate();
              components.push_back({1.0, {x, y}, {deviation * deviation}});
            }
            return make_gaussian_mixture(std::move(components));
          },
          nullptr};
}

}  // namespace boltzcurve

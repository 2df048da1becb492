#pragma once

#include "energy/normal_mixture.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace boltzcurve {

/// Most components that are looked for.
inline constexpr std::size_t max_mixture_components = 64;

struct MixtureFit {
  NormalMixture mixture;
  double held_out = 0;  ///< mean log likelihood of the points that it was not fitted to [nats]
};

/// The mixture of normal laws of highest likelihood for equally weighted points [N][D] by expectation maximization (Dempster, Laird and
/// Rubin, J. R. Stat. Soc. B 39, 1977) from starts that are spread as by k-means++ (Arthur and Vassilvitskii, SODA 2007), with as many
/// components as serve points that it has not been fitted to: half of the points choose among 1, 2, 3, 4, 6, 8, 12, ... components the
/// first that no larger number beats by more than chance. Off-diagonal covariances shrink as a component has fewer points for each
/// dimension. A function of points and seed alone. Costs some hundred passes of K D^2 a point.
MixtureFit fit_normal_mixture(std::span<const double> points, std::size_t dimension, std::uint64_t seed);

}  // namespace boltzcurve

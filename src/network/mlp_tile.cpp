#include "network/mlp_tile.hpp"
#include "network/mlp_gradient_tile.hpp"

namespace boltzcurve {

#ifndef BOLTZCURVE_ONE_LANE
template struct MlpTile<float, 1>;
template struct MlpTile<float, 2>;
template struct MlpTile<double, 1>;
template struct MlpTile<double, 2>;
template struct MlpGradientTile<float, 1>;
template struct MlpGradientTile<float, 2>;
template struct MlpGradientTile<double, 1>;
template struct MlpGradientTile<double, 2>;
#endif

}  // namespace boltzcurve

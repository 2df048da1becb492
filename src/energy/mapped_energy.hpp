#pragma once

#include <boltzcurve/energy.hpp>

#include <memory>

namespace boltzcurve {

/// The same density in the coordinates y that `map` begins with: f(x(y)) - log |dx/dy|, whose exp(-f) integrates to the same Z. Of any
/// energy, since nothing but its value and gradient are asked for; they are evaluated in double, because where a target is far away and
/// narrow float does not hold its coordinates. The Laplacian comes from central differences of the gradient, 2 D of them. `energy` itself
/// where the map is the identity.
std::shared_ptr<const Energy> in_coordinates(const std::shared_ptr<const Energy>& energy, const ScaleMap& map);

}  // namespace boltzcurve

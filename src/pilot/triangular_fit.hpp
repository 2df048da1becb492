#pragma once

#include <boltzcurve/scale_map.hpp>

#include <cstddef>
#include <span>

namespace boltzcurve {

/// The map (scale_map.hpp) to coordinates whose places and scales no longer follow others, as equally weighted points x [N][D] show them;
/// the identity where none does.
///
/// Coordinate j is a driver of k where, of what a linear regression of k on all others leaves, the square of j explains a part, or of its
/// logarithm's square j itself: more than chance does. Edges enter by what they explain, unless they would close a circle. In the order
/// that follows, place and scale of every driven coordinate are fitted to a normal law: its place is linear in all that come before it and
/// quadratic in its drivers, the logarithm of its scale linear in its drivers (weighted least squares and Newton steps in turns).
/// Not collective.
ScaleMap fit_triangular_map(std::span<const double> points, std::size_t dimension);

}  // namespace boltzcurve

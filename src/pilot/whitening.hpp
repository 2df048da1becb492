#pragma once

#include <boltzcurve/scale_map.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace boltzcurve {

/// What gives points z [N][D] mean 0 and covariance 1: the covariance is shrunk towards its diagonal, by D/N where points are few, so that
/// it has a Cholesky factor however few there are; a coordinate in which points do not differ keeps its unit. Groups of coordinates, where
/// given, keep apart: the chance in their correlations would mix what is a product. Not collective.
ScaleMap whitening_of(std::span<const double> z, std::size_t dimension, const std::vector<std::vector<std::size_t>>& groups = {});

/// `map` after a whitening of the coordinates that it begins with.
ScaleMap behind(const ScaleMap& whitening, ScaleMap map);

/// A correlation that points of common ancestors do not show by chance.
inline constexpr double least_dependence = 0.08;

/// Coordinates in groups that show no dependence on one another: pairs belong together where, of the values, their squares and cubes, any
/// correlate by more than `least`. Not collective.
std::vector<std::vector<std::size_t>> independent_groups(std::span<const double> points, std::size_t dimension, double least);

}  // namespace boltzcurve

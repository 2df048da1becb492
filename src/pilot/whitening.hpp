#pragma once

#include <boltzcurve/scale_map.hpp>

#include <cstddef>
#include <span>

namespace boltzcurve {

/// `drivers` behind the whitening that gives points z [N][D], in the coordinates it begins with, mean 0 and covariance 1: the covariance is
/// shrunk towards its diagonal, by D/N, so that it has a Cholesky factor however few points there are; a coordinate in which points do not
/// differ keeps its unit. A map that whitens already does so anew, for points in the coordinates that it begins with. Not collective.
ScaleMap whitened(std::span<const double> z, std::size_t dimension, ScaleMap drivers);

}  // namespace boltzcurve

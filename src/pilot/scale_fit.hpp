#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/scale_map.hpp>
#include <boltzcurve/views.hpp>

#include <cstdint>

namespace boltzcurve {

/// What a population on a target shows of how scales follow coordinates: one rank's part of it, [n] points in D dimensions.
struct ThermalPoints {
  HostPoints<double> position;      ///< [n][D]
  HostPoints<double> gradient;      ///< [n][D] of f
  HostScalars<double> temperature;  ///< [n]
  std::int64_t granule = 1;         ///< points that are summed together: parts begin at multiples of it
};

/// Most dimensions in which scales are looked for: the sums grow with the square of D.
inline constexpr std::size_t max_scaled_dimensions = 256;

/// The map to coordinates whose scales no longer follow others; the identity where none does.
///
/// Where coordinate k is, given the others, nearly normal with deviation exp(s_k), its distance d from its median and its slope g obey
/// E log d^2/T = 2 s_k - 1.27 and E log g^2/T = -2 s_k - 1.27 at temperature T. Both are regressed on every other coordinate x_j.
/// Coordinate j drives k where both regressions explain at least a seventh of the variance (by chance alone: 1/n) and their slopes agree
/// within a factor of two: so modes at different places, which move d but not g, drive nothing. What drives most takes precedence, and is
/// not driven itself. Offset and slopes of s_k are the means of both regressions: what one has too much where the law is hot or far from
/// normal, the other has too little. Collective, and the same bits for any number of ranks.
ScaleMap fit_scale_map(const Communicator& ranks, const ThermalPoints& points);

}  // namespace boltzcurve

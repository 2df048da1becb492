#pragma once

#include <boltzcurve/views.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace boltzcurve {

/// Coordinates z in which no coordinate's place and scale follow the others, for densities where they do: Neal's funnel, hierarchical
/// models
/// ("non-centered", Papaspiliopoulos, Roberts and Skoeld, Statistical Science 22, 2007), curved valleys. In an order in which coordinates
/// come after those that drive them (a triangular map: Marzouk, Moselhy, Parno, Spantini, Handbook of Uncertainty Quantification, 2017),
///
///     x_k = c_k + sum_j [l_kj (x_j - c_j) + q_kj (x_j - c_j)^2] + z_k exp(s_k),   s_k = a_k + sum_j b_kj (x_j - c_j)
///     x_j = z_j
///
/// for every driven coordinate k, for which not all of b, l, q are zero, and for all others j. Before it, z may be whitened: z = m + L y
/// with a lower triangular L, and then y is what the map begins with. log |dx/dy| = log det L + sum of s_k over the driven k. Without any
/// vectors it is the identity, in as many dimensions as asked for.
struct ScaleMap {
  std::vector<double> center;  ///< c [D], or empty: nothing is driven
  std::vector<double> offset;  ///< a [D] of log scales, 0 where not driven, or empty
  std::vector<double> slope;   ///< b [D][D], or empty
  std::vector<double> linear;  ///< l [D][D], or empty: 0
  std::vector<double> square;  ///< q [D][D], or empty: 0
  std::vector<double> order;   ///< [D] numbers of coordinates, drivers before what they drive; empty: no driver is driven
  std::vector<double> shift;   ///< m [D], or empty: y is z
  std::vector<double> factor;  ///< L [D][D], row after row, positive on its diagonal, or empty

  bool operator==(const ScaleMap&) const = default;

  bool is_identity() const { return center.empty() && shift.empty(); }
  bool is_whitening() const { return !shift.empty(); }
  bool moves_places() const { return !linear.empty() || !square.empty(); }
  bool is_driven(std::size_t k) const;
  std::size_t dimension() const { return center.empty() ? shift.size() : center.size(); }  ///< 0 of the identity

  /// In place, from one kind of coordinates [D] to the other: from where the map begins to x, and back.
  void to_x(double* y) const;
  void to_z(double* x) const;
  /// Many points [n][D].
  void to_x(std::span<double> y) const;
  void to_z(std::span<double> x) const;

  /// log |dx/dy| at y.
  double log_volume(const double* y) const;

 private:
  double log_scale(std::size_t k, const double* x) const;
  double place(std::size_t k, const double* x) const;
  std::size_t at(std::size_t place) const;  ///< the coordinate there in the order
  void color(double* y) const;              ///< from y to z
  double drive(double* z) const;            ///< from z to x; log |dx/dz|
};

}  // namespace boltzcurve

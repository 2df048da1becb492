#pragma once

#include <boltzcurve/views.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace boltzcurve {

/// Coordinates z in which no coordinate's scale follows the others, for densities like Neal's funnel where it does ("non-centered", as in
/// Papaspiliopoulos, Roberts and Skoeld, Statistical Science 22, 2007):
///
///     x_k = c_k + z_k exp(s_k),   s_k = a_k + sum_j b_kj (x_j - c_j)    for every driven coordinate k, whose b_k is not zero,
///     x_j = z_j                                                         for all others, among them the drivers j.
///
/// A driver is not driven itself, so the map is one to one. Before it, z may be whitened: z = m + L y with a lower triangular L, and then y
/// is what the map begins with. log |dx/dy| = log det L + sum of s_k over the driven k. Without any vectors it is the identity, in as many
/// dimensions as asked for.
struct ScaleMap {
  std::vector<double> center;  ///< c [D], or empty: nothing is driven
  std::vector<double> offset;  ///< a [D] of log scales, 0 where not driven, or empty
  std::vector<double> slope;   ///< b [D][D], or empty
  std::vector<double> shift;   ///< m [D], or empty: y is z
  std::vector<double> factor;  ///< L [D][D], row after row, positive on its diagonal, or empty

  bool operator==(const ScaleMap&) const = default;

  bool is_identity() const { return center.empty() && shift.empty(); }
  bool is_whitening() const { return !shift.empty(); }
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
  double log_scale(std::size_t k, const double* z) const;
  void color(double* y) const;  ///< from y to z
};

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/error.hpp>
#include "studies/line_curve.hpp"
#include "studies/quadrature.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <fmt/format.h>

namespace boltzcurve::detail {

/// The rule of every cell: exact to rounding for a normal law on cells as wide as its deviation.
const GaussLegendre& cell_rule();

/// The line in cells, with the nodes of the rule in each.
struct LineCells {
  std::vector<double> edges;  ///< [cells + 1]
  std::vector<double> nodes;  ///< [cells x nodes]

  /// About `count` cells, none of which has a corner inside.
  LineCells(double lower, double upper, const std::vector<double>& corners, int count);

  std::size_t count() const { return edges.size() - 1; }
  double width(std::size_t cell) const { return edges[cell + 1] - edges[cell]; }
  /// Of node `i` [length].
  double weight(std::size_t i) const;
};

/// A law on cells: its normalized density as a polynomial in each, and how much lies on either side.
class LineLaw {
 public:
  LineLaw(const LineEnergy& energy, int cells);

  const LineCells& cells() const { return cells_; }
  double log_z() const { return log_z_; }
  /// log rho at node `i`.
  double log_density(std::size_t i) const { return log_density_[i]; }

  double density(double x) const;
  double below(double x) const;  ///< F(x)
  double above(double x) const;  ///< 1 - F(x), not by subtraction
  /// The point with F = `below` where that is the smaller of the two, else with 1 - F = `above`.
  double quantile(double below, double above) const;

 private:
  std::size_t cell_of(double x) const;
  /// Mass of `cell` between its left edge and x.
  double within(std::size_t cell, double x) const;

  LineCells cells_;
  double log_z_ = 0;
  std::vector<double> log_density_;
  std::vector<std::vector<double>> coefficients_;  // [cell][node] of Legendre polynomials
  std::vector<double> below_, above_;              // [edges]
};

/// at(cells) on twice as many cells again and again, until agree(coarser, finer): the finer. `cells`: where to start, and then where to
/// start next time. Throws NumericalError, naming `what`, beyond `most`.
template <class At, class Agree>
auto on_ever_finer_cells(int& cells, int most, const At& at, const Agree& agree, const char* what) {
  auto coarser = at(cells);
  for (int count = 2 * cells; count <= most; count *= 2) {
    auto finer = at(count);
    if (agree(coarser, finer)) {
      cells = count / 2;
      return finer;
    }
    coarser = finer;
  }
  throw NumericalError(fmt::format("{}: results on {} and on {} cells differ: the energies are too rough, or the numbers beyond a double",
                                   what, most / 2, most));
}

/// Whether two results are equal to `relative`, or their difference no more than `absolute`. Never with a number that is not finite.
inline bool nearly_equal(double a, double b, double relative, double absolute) {
  return std::isfinite(a) && std::isfinite(b) && std::fabs(a - b) <= std::max(absolute, relative * std::max(std::fabs(a), std::fabs(b)));
}

}  // namespace boltzcurve::detail

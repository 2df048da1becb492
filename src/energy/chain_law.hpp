#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace boltzcurve {

class CounterRng;

/// Numbers x_1 ... x_n in a row, each tied to the next, by transfer matrix (Kramers and Wannier, Phys. Rev. 60, 1941):
///
///     f = first(x_1) + sum over i < n of bond(x_i, x_{i+1}) + last(x_n),       or, as a ring,   f = sum over i of bond(x_i, x_{i+1 mod
///     n}).
///
/// Integrals are trapezoid sums over equally spaced nodes, without error but rounding where the nodes resolve exp(-bond). Draws are exact,
/// but for a cubic interpolation of logarithms of partial sums: all nodes are moved by one uniform part of their spacing, and one of them
/// is drawn by its density.
class ChainLaw {
 public:
  using Site = std::function<double(double)>;
  using Bond = std::function<double(double, double)>;
  struct Nodes {
    double lower, spacing;
    std::size_t count;
    /// `count` nodes from lower to upper, at most `spacing` apart.
    static Nodes between(double lower, double upper, double spacing);
    double at(std::size_t k) const { return lower + spacing * static_cast<double>(k); }
    double upper() const { return at(count - 1); }
  };

  /// An open chain of n >= 1 sites.
  ChainLaw(std::size_t sites, Nodes nodes, const Site& first, Bond bond, const Site& last);
  /// A ring of n >= 2 sites; bond(x, y) = bond(y, x).
  ChainLaw(std::size_t sites, Nodes nodes, Bond bond);

  double log_z() const { return log_z_; }

  /// P(x_1 > 0) of a ring, P(x_i > 0) of any site 0 <= i < n of an open chain.
  double probability_above_zero(std::size_t site) const;

  void draw(CounterRng& rng, double* x) const;

 private:
  using Logs = std::vector<double>;  // logarithm of a density at every node

  /// A range of cells, those with any mass.
  struct Window {
    std::size_t begin, end;
  };

  /// exp(-bond) times the spacing, row by row, each without what is below rounding at its ends: it begins at its window.
  std::vector<std::vector<double>> transfer_matrix();
  double draw_from(CounterRng& rng, const std::function<double(double)>& energy, const double* logs, Window cells) const;
  double interpolated(const double* logs, double x) const;

  std::size_t sites_;
  Nodes nodes_;
  Site first_;
  Bond bond_;
  bool ring_;
  double log_z_ = 0;
  /// Open: logs_[i][k] is log of the integral over all after site i, given x_i at node k. Ring: logs_[p][k M + l], of the power p + 1 of
  /// exp(-bond) between nodes k and l.
  std::vector<Logs> logs_;
  std::vector<Window> windows_;  // of the site after one at a node
};

}  // namespace boltzcurve

#include "studies/line_law.hpp"

#include <map>

namespace boltzcurve {
namespace {

constexpr int first_cells = 64, max_cells = 1 << 14;
constexpr double to_agree = 1e-9;   // a tenth of what is promised
constexpr double rounding = 1e-24;  // of a velocity that vanishes, relative to the squared length of the line

class LinearLineCurve final : public LineCurve {
 public:
  LinearLineCurve(LineEnergy latent, LineEnergy target) : latent_(std::move(latent)), target_(std::move(target)) {
    lower_ = std::min(latent_.lower, target_.lower);
    upper_ = std::max(latent_.upper, target_.upper);
    corners_ = latent_.corners;
    corners_.insert(corners_.end(), target_.corners.begin(), target_.corners.end());
    std::sort(corners_.begin(), corners_.end());
    corners_.erase(std::unique(corners_.begin(), corners_.end()), corners_.end());
  }

  double latent_time() const override { return 0; }
  double target_time() const override { return 1; }

  CurveSpeed speed(double t) const override {
    const double length = upper_ - lower_;
    const auto agree = [&](const CurveSpeed& a, const CurveSpeed& b) {
      return detail::nearly_equal(a.wasserstein, b.wasserstein, to_agree, rounding * length * length) &&
             detail::nearly_equal(a.fisher_rao, b.fisher_rao, to_agree, rounding);
    };
    return detail::on_ever_finer_cells(
        cells_, max_cells, [&](int count) { return speed_on(table_of(count), t); }, agree, "velocity of the linear curve");
  }

 private:
  /// What does not depend on time: energies at nodes and at the cells' edges.
  struct Table {
    detail::LineCells cells;
    std::vector<double> latent, target, latent_at_edges, target_at_edges;
  };

  const Table& table_of(int count) const {
    const auto found = tables_.find(count);
    if (found != tables_.end()) return found->second;
    Table table{detail::LineCells(lower_, upper_, corners_, count), {}, {}, {}, {}};
    table.latent = latent_.at(table.cells.nodes).value;
    table.target = target_.at(table.cells.nodes).value;
    table.latent_at_edges = latent_.at(table.cells.edges).value;
    table.target_at_edges = target_.at(table.cells.edges).value;
    return tables_.emplace(count, std::move(table)).first->second;
  }

  static CurveSpeed speed_on(const Table& table, double t) {
    const auto& rule = detail::cell_rule();
    const std::size_t n = rule.node.size(), size = table.cells.nodes.size(), cells = table.cells.count();
    std::vector<double> log_density(size), change(size), mass(cells, 0.0);
    for (std::size_t i = 0; i < size; ++i) {
      log_density[i] = -(1 - t) * table.latent[i] - t * table.target[i];
      change[i] = table.target[i] - table.latent[i];
    }
    const double highest = *std::max_element(log_density.begin(), log_density.end());
    double z = 0, mean = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const double w = table.cells.weight(i) * std::exp(log_density[i] - highest);
      mass[i / n] += w;
      z += w;
      mean += w * change[i];
    }
    mean /= z;
    const double log_z = highest + std::log(z);
    CurveSpeed speed;
    for (std::size_t i = 0; i < size; ++i) {
      log_density[i] -= log_z;
      change[i] -= mean;
      speed.fisher_rao += table.cells.weight(i) * std::exp(log_density[i]) * change[i] * change[i];
    }
    const auto at_edge = [&](std::size_t e) { return -(1 - t) * table.latent_at_edges[e] - t * table.target_at_edges[e] - log_z; };

    /// E |v|^2 in cell c with the velocity `v` at the edge `from`, which becomes that at the edge `to`.
    const auto cross = [&](std::size_t c, std::size_t from, std::size_t to, double& v) {
      const bool rightward = to > from;
      const double begin = at_edge(from), half = 0.5 * table.cells.width(c);
      const double* density = &log_density[c * n];
      const double* h = &change[c * n];
      const double top = *std::max_element(density, density + n);
      double moved[64], square = 0, whole = 0;
      for (std::size_t j = 0; j < n; ++j) {
        moved[j] = half * std::exp(density[j] - top) * h[j];
        whole += rule.weight[j] * moved[j];
      }
      for (std::size_t i = 0; i < n; ++i) {
        double inside = 0;
        for (std::size_t j = 0; j < n; ++j) inside += rule.integral_to_node[i][j] * moved[j];
        const double here = v * std::exp(begin - density[i]) + (rightward ? inside : inside - whole) * std::exp(top - density[i]);
        square += half * rule.weight[i] * (std::exp(density[i]) * here) * here;
      }
      const double end = at_edge(to);
      v = v * std::exp(begin - end) + (rightward ? whole : -whole) * std::exp(top - end);
      return square;
    };
    std::size_t median = 0;
    for (double sum = mass[0]; median + 1 < cells && sum < 0.5 * z; sum += mass[median]) ++median;
    double v = 0;
    for (std::size_t c = 0; c <= median; ++c) speed.wasserstein += cross(c, c, c + 1, v);
    v = 0;
    for (std::size_t c = cells; --c > median;) speed.wasserstein += cross(c, c + 1, c, v);
    return speed;
  }

  LineEnergy latent_, target_;
  double lower_, upper_;
  std::vector<double> corners_;
  mutable std::map<int, Table> tables_;
  mutable int cells_ = first_cells;
};

}  // namespace

std::unique_ptr<LineCurve> make_linear_line_curve(LineEnergy latent, LineEnergy target) {
  return std::make_unique<LinearLineCurve>(std::move(latent), std::move(target));
}

CurveSpeed LineCurve::action() const {
  std::map<double, CurveSpeed> known;  // both integrals ask at the same times
  const auto at = [&](double t) {
    const auto found = known.find(t);
    return found != known.end() ? found->second : known.emplace(t, this->speed(t)).first->second;
  };
  const double begin = std::min(latent_time(), target_time()), end = std::max(latent_time(), target_time());
  constexpr IntegralTolerance tolerance{1e-6, 1e-20};
  return {integrate_adaptively([&](double t) { return at(t).wasserstein; }, begin, end, tolerance, "Wasserstein action"),
          integrate_adaptively([&](double t) { return at(t).fisher_rao; }, begin, end, tolerance, "Fisher-Rao action")};
}

}  // namespace boltzcurve

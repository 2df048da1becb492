#include "studies/line_law.hpp"

namespace boltzcurve {

LineEnergy line_energy(const Energy& law, const char* what) {
  if (law.dimension() != 1)
    throw ConfigError(fmt::format("{}: has dimension {}: quadrature is for laws on the line only", what, law.dimension()));
  const auto domain = law.domain();
  LineEnergy line;
  line.lower = domain.lower[0];
  line.upper = domain.upper[0];
  line.at = [&law](const std::vector<double>& x) {
    const std::size_t n = x.size();
    Points<double> points("boltzcurve::line_points", n, 1), out("boltzcurve::line_energy", n, 3);
    const auto host = Kokkos::create_mirror_view(points);
    for (std::size_t i = 0; i < n; ++i) host(i, 0) = x[i];
    Kokkos::deep_copy(points, host);
    law.evaluate(points, out);
    const auto found = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out);
    LineEnergy::Values values;
    for (std::size_t i = 0; i < n; ++i) {
      values.value.push_back(found(i, 0));
      values.slope.push_back(found(i, 1));
      values.curvature.push_back(found(i, 2));
    }
    return values;
  };
  return line;
}

namespace detail {

const GaussLegendre& cell_rule() {
  static const GaussLegendre rule(16);
  return rule;
}

LineCells::LineCells(double lower, double upper, const std::vector<double>& corners, int count) {
  std::vector<double> borders = {lower};
  for (const double corner : corners)
    if (corner > lower && corner < upper) borders.push_back(corner);
  borders.push_back(upper);
  for (std::size_t b = 0; b + 1 < borders.size(); ++b) {
    const double length = borders[b + 1] - borders[b];
    const int parts = std::max(1, static_cast<int>(std::lround(count * length / (upper - lower))));
    for (int p = 0; p < parts; ++p) edges.push_back(borders[b] + length * p / parts);
  }
  edges.push_back(upper);
  for (std::size_t c = 0; c < this->count(); ++c)
    for (const double node : cell_rule().node) nodes.push_back(edges[c] + 0.5 * width(c) * (1 + node));
}

double LineCells::weight(std::size_t i) const {
  const std::size_t n = cell_rule().node.size();
  return 0.5 * width(i / n) * cell_rule().weight[i % n];
}

LineLaw::LineLaw(const LineEnergy& energy, int cells) : cells_(energy.lower, energy.upper, energy.corners, cells) {
  const auto& rule = cell_rule();
  const std::size_t n = rule.node.size();
  for (const double f : energy.at(cells_.nodes).value) log_density_.push_back(-f);
  const double highest = *std::max_element(log_density_.begin(), log_density_.end());
  double sum = 0;
  for (std::size_t i = 0; i < log_density_.size(); ++i) sum += cells_.weight(i) * std::exp(log_density_[i] - highest);
  log_z_ = highest + std::log(sum);
  for (double& density : log_density_) density -= log_z_;

  std::vector<double> mass;
  for (std::size_t c = 0; c < cells_.count(); ++c) {
    std::vector<double> of_cell(n, 0.0);
    double in_cell = 0;
    for (std::size_t j = 0; j < n; ++j) {
      const double rho = std::exp(log_density_[c * n + j]);
      in_cell += cells_.weight(c * n + j) * rho;
      double before = 0, now = 1;
      for (std::size_t k = 0; k < n; ++k) {
        const auto degree = static_cast<double>(k);
        of_cell[k] += (degree + 0.5) * rule.weight[j] * now * rho;
        const double next = ((2 * degree + 1) * rule.node[j] * now - degree * before) / (degree + 1);
        before = now;
        now = next;
      }
    }
    coefficients_.push_back(std::move(of_cell));
    mass.push_back(in_cell);
  }
  below_.assign(1, 0.0);
  for (const double part : mass) below_.push_back(below_.back() + part);
  above_.assign(mass.size() + 1, 0.0);
  for (std::size_t c = mass.size(); c-- > 0;) above_[c] = above_[c + 1] + mass[c];
}

std::size_t LineLaw::cell_of(double x) const {
  const auto after = std::upper_bound(cells_.edges.begin(), cells_.edges.end(), x) - cells_.edges.begin();
  return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(after - 1, 0, static_cast<std::ptrdiff_t>(cells_.count()) - 1));
}

double LineLaw::density(double x) const {
  const auto c = cell_of(x);
  const double at = std::clamp(2 * (x - cells_.edges[c]) / cells_.width(c) - 1, -1.0, 1.0);
  double sum = 0, before = 0, now = 1;
  for (std::size_t k = 0; k < coefficients_[c].size(); ++k) {
    const auto degree = static_cast<double>(k);
    sum += coefficients_[c][k] * now;
    const double next = ((2 * degree + 1) * at * now - degree * before) / (degree + 1);
    before = now;
    now = next;
  }
  return std::max(sum, 0.0);
}

double LineLaw::within(std::size_t cell, double x) const {
  const double at = std::clamp(2 * (x - cells_.edges[cell]) / cells_.width(cell) - 1, -1.0, 1.0);
  // P_k integrates from -1 to (P_k+1 - P_k-1)/(2k + 1), P_0 to at + 1.
  double sum = 0, before = -1, now = 1;  // P_-1 such that P_0 fits in
  for (std::size_t k = 0; k < coefficients_[cell].size(); ++k) {
    const auto degree = static_cast<double>(k);
    const double next = k == 0 ? at : ((2 * degree + 1) * at * now - degree * before) / (degree + 1);
    sum += coefficients_[cell][k] * (next - before) / (2 * degree + 1);
    before = now;
    now = next;
  }
  return 0.5 * cells_.width(cell) * sum;
}

double LineLaw::below(double x) const {
  const auto c = cell_of(x);
  return below_[c] + within(c, x);
}

double LineLaw::above(double x) const {
  const auto c = cell_of(x);
  return above_[c + 1] + (below_[c + 1] - below_[c]) - within(c, x);
}

double LineLaw::quantile(double below, double above) const {
  const bool from_left = below <= above;
  const auto left_of_goal = [&](double x) { return from_left ? this->below(x) < below : this->above(x) > above; };
  std::size_t first = 0, last = cells_.count();  // edges
  while (last - first > 1) {
    const std::size_t middle = (first + last) / 2;
    const bool left = from_left ? below_[middle] < below : above_[middle] > above;
    (left ? first : last) = middle;
  }
  double lower = cells_.edges[first], upper = cells_.edges[last];
  while (upper - lower > 1e-13 * (cells_.edges.back() - cells_.edges.front())) {
    const double middle = 0.5 * (lower + upper);
    (left_of_goal(middle) ? lower : upper) = middle;
  }
  return 0.5 * (lower + upper);
}

}  // namespace detail
}  // namespace boltzcurve

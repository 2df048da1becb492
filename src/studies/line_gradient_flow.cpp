#include "studies/line_law.hpp"

#include <map>
#include <numbers>

namespace boltzcurve {
namespace {

constexpr int first_cells = 32, max_cells = 512;
constexpr double to_agree = 1e-9;
constexpr double negligible_density = 1e-280;  // and what is asked of it is nothing beside it
constexpr double noise_deviations = 9, noise_cells = 18;
constexpr double lifetimes = 8;  // of the divergence, which falls like exp(-2t/sigma^2) or faster

class GradientFlowLineCurve final : public LineCurve {
 public:
  GradientFlowLineCurve(LineEnergy target, double mean, double sigma, double horizon)
      : target_(std::move(target)), mean_(mean), sigma_(sigma), horizon_(horizon > 0 ? horizon : lifetimes * sigma * sigma) {
    if (!target_.corners.empty())
      throw ConfigError("gradient flow on the line: the target's energy has corners, whose curvature is infinite; give one that is smooth");
    const GaussLegendre rule(10);
    const double half = noise_deviations / noise_cells;
    for (int c = 0; c < static_cast<int>(noise_cells); ++c)
      for (std::size_t i = 0; i < rule.node.size(); ++i) {
        const double z = -noise_deviations + half * (2 * c + 1 + rule.node[i]);
        noise_.push_back(z);
        noise_weight_.push_back(half * rule.weight[i] * std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi));
      }
  }

  double latent_time() const override { return horizon_; }
  double target_time() const override { return 0; }

  CurveSpeed speed(double t) const override {
    const auto agree = [&](const CurveSpeed& a, const CurveSpeed& b) {
      return detail::nearly_equal(a.wasserstein, b.wasserstein, to_agree, 1e-18) &&
             detail::nearly_equal(a.fisher_rao, b.fisher_rao, to_agree, 1e-18);
    };
    return detail::on_ever_finer_cells(
        cells_, max_cells, [&](int count) { return speed_on(count, t); }, agree, "velocity of the gradient flow");
  }

 private:
  /// The normalized target at the nodes of its cells.
  struct Table {
    detail::LineCells cells;
    std::vector<double> density;
    double log_z;
  };

  /// rho and its first two derivatives.
  struct Density {
    double value = 0, slope = 0, curvature = 0;
  };

  const Table& table_of(int count) const {
    const auto found = tables_.find(count);
    if (found != tables_.end()) return found->second;
    const detail::LineLaw law(target_, count);
    Table table{law.cells(), {}, law.log_z()};
    for (std::size_t i = 0; i < table.cells.nodes.size(); ++i) table.density.push_back(std::exp(law.log_density(i)));
    return tables_.emplace(count, std::move(table)).first->second;
  }

  CurveSpeed speed_on(int count, double t) const {
    const auto& table = table_of(count);
    const double variance = sigma_ * sigma_, a = std::exp(-t / variance), s = sigma_ * std::sqrt(-std::expm1(-2 * t / variance));
    const double margin = (noise_deviations + 1) * s;
    const detail::LineCells cells(mean_ + a * (target_.lower - mean_) - margin, mean_ + a * (target_.upper - mean_) + margin, {}, count);
    // Where the noise is narrower than the cells that resolve the target, the target is smooth on the scale of the noise.
    const auto density = s < a * table.cells.width(0) ? over_noise(table, cells.nodes, a, s) : over_target(table, cells.nodes, a, s);
    CurveSpeed speed;
    for (std::size_t i = 0; i < cells.nodes.size(); ++i) {
      const auto& rho = density[i];
      if (rho.value < negligible_density) continue;
      const double pull = (cells.nodes[i] - mean_) / variance, v = -rho.slope / rho.value - pull;
      const double rate = pull * rho.slope / rho.value + 1 / variance + rho.curvature / rho.value;  // d_t log rho
      speed.wasserstein += cells.weight(i) * rho.value * v * v;
      speed.fisher_rao += cells.weight(i) * rho.value * rate * rate;
    }
    return speed;
  }

  /// rho_t(x) = E rho_D(y)/a with y = mean + (x - mean - s Z)/a.
  std::vector<Density> over_noise(const Table& table, const std::vector<double>& x, double a, double s) const {
    std::vector<double> y;
    const std::size_t m = noise_.size();
    for (const double point : x)
      for (const double z : noise_) y.push_back(mean_ + (point - mean_ - s * z) / a);
    const auto f = target_.at(y);
    std::vector<Density> density(x.size());
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double rho = noise_weight_[i % m] * std::exp(-f.value[i] - table.log_z) / a;
      auto& at = density[i / m];
      at.value += rho;
      at.slope -= rho * f.slope[i] / a;
      at.curvature += rho * (f.slope[i] * f.slope[i] - f.curvature[i]) / (a * a);
    }
    return density;
  }

  /// rho_t(x) = integral of rho_D(y) N(x; mean + a (y - mean), s^2).
  std::vector<Density> over_target(const Table& table, const std::vector<double>& x, double a, double s) const {
    std::vector<double> center, weight;
    for (std::size_t j = 0; j < table.density.size(); ++j) {
      center.push_back(mean_ + a * (table.cells.nodes[j] - mean_));
      weight.push_back(table.cells.weight(j) * table.density[j] / (s * std::sqrt(2 * std::numbers::pi)));
    }
    std::vector<Density> density;
    for (const double point : x) {
      Density at;
      const auto first = std::lower_bound(center.begin(), center.end(), point - (noise_deviations + 1) * s);
      for (auto j = static_cast<std::size_t>(first - center.begin()); j < center.size(); ++j) {
        const double u = (point - center[j]) / s;
        if (u < -noise_deviations - 1) break;
        const double rho = weight[j] * std::exp(-0.5 * u * u);
        at.value += rho;
        at.slope -= rho * u / s;
        at.curvature += rho * (u * u - 1) / (s * s);
      }
      density.push_back(at);
    }
    return density;
  }

  LineEnergy target_;
  double mean_, sigma_, horizon_;
  std::vector<double> noise_, noise_weight_;
  mutable std::map<int, Table> tables_;
  mutable int cells_ = first_cells;
};

}  // namespace

std::unique_ptr<LineCurve> make_gradient_flow_line_curve(LineEnergy target, double mean, double sigma, double horizon) {
  return std::make_unique<GradientFlowLineCurve>(std::move(target), mean, sigma, horizon);
}

}  // namespace boltzcurve

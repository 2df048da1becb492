#include "studies/line_law.hpp"

#include <algorithm>
#include <cmath>

namespace boltzcurve {
namespace {

constexpr double cells_per_length = 50;  // of a law whose features have length 1
constexpr int fewest_cells = 4000, max_cells = 40000;
constexpr double first_time = 1e-6;    // of the length of a step, squared: nothing moves before
constexpr int steps_per_decade = 240;  // of the coarser of two solutions
constexpr double last_share = 1e-7;    // of the action that may be left beyond the horizon
constexpr double longest_time = 1e6;

/// Masses p on equal cells under  d_t rho = d_x(rho_Z d_x(rho/rho_Z)).  The flux over the face f between cells i and i+1 is
/// (p_i exp(V_i - V_f) - p_i+1 exp(V_i+1 - V_f))/h^2 with V = f_Z: exact for rho_Z, and with ratios of densities alone.
class Relaxation {
 public:
  Relaxation(const LineEnergy& target, const LineEnergy& latent) {
    const double lower = std::min(target.lower, latent.lower), upper = std::max(target.upper, latent.upper);
    const int cells = std::clamp(static_cast<int>(cells_per_length * (upper - lower)), fewest_cells, max_cells);
    h_ = (upper - lower) / cells;
    std::vector<double> centers, faces;
    for (int i = 0; i < cells; ++i) centers.push_back(lower + (i + 0.5) * h_);
    for (int i = 1; i < cells; ++i) faces.push_back(lower + i * h_);
    potential_ = latent.at(centers).value;
    const auto at_faces = latent.at(faces).value, energy = target.at(centers).value;
    for (std::size_t f = 0; f < faces.size(); ++f) {
      rightward_.push_back(std::exp(potential_[f] - at_faces[f]) / (h_ * h_));
      leftward_.push_back(std::exp(potential_[f + 1] - at_faces[f]) / (h_ * h_));
    }
    const double lowest = *std::min_element(energy.begin(), energy.end());
    double sum = 0;
    for (const double f : energy) mass_.push_back(std::exp(lowest - f));
    for (const double p : mass_) sum += p;
    for (double& p : mass_) p = std::max(p / sum, smallest_mass);
  }

  double cell() const { return h_; }

  /// By the implicit Euler method, whose matrix has positive diagonal and negative neighbors: masses stay positive, and each is right to
  /// rounding relative to itself.
  void step(double dt) {
    const std::size_t n = mass_.size();
    std::vector<double> upper(n, 0.0);
    double carried = 0, above = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double out = (i + 1 < n ? dt * rightward_[i] : 0) + (i > 0 ? dt * leftward_[i - 1] : 0);
      const double from_left = i > 0 ? dt * rightward_[i - 1] : 0;
      const double pivot = 1 + out - from_left * above;
      above = i + 1 < n ? dt * leftward_[i] / pivot : 0;
      carried = (mass_[i] + from_left * carried) / pivot;
      upper[i] = above;
      mass_[i] = carried;
    }
    for (std::size_t i = n - 1; i-- > 0;) mass_[i] += upper[i] * mass_[i + 1];
  }

  /// The fluxes and forces of these masses: minus the rate at which KL(p || rho_Z) falls is the squared norm.
  CurveSpeed speed() const {
    const std::size_t n = mass_.size();
    CurveSpeed speed;
    double inflow = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double outflow = 0;
      if (i + 1 < n) {
        outflow = mass_[i] * rightward_[i] - mass_[i + 1] * leftward_[i];
        speed.wasserstein += outflow * (std::log(mass_[i] / mass_[i + 1]) + potential_[i] - potential_[i + 1]);
      }
      const double rate = inflow - outflow;
      speed.fisher_rao += rate * rate / mass_[i];
      inflow = outflow;
    }
    return speed;
  }

 private:
  static constexpr double smallest_mass = 1e-290;

  double h_ = 0;
  std::vector<double> potential_, rightward_, leftward_, mass_;
};

class RelaxationLineCurve final : public LineCurve {
 public:
  RelaxationLineCurve(const LineEnergy& target, const LineEnergy& latent, double horizon) {
    Relaxation coarse(target, latent), fine = coarse;
    const double ratio = std::pow(10, 1.0 / steps_per_decade);
    times_.push_back(0);
    speeds_.push_back(coarse.speed());
    double t = 0;
    for (double next = first_time * coarse.cell() * coarse.cell(); horizon > 0 ? t < horizon : t < longest_time; next *= ratio) {
      if (horizon > 0) next = std::min(next, horizon);
      coarse.step(next - t);
      for (int half = 0; half < 2; ++half) fine.step(0.5 * (next - t));
      // The error is of first order in the steps: this leaves the second.
      const auto once = coarse.speed(), twice = fine.speed();
      const CurveSpeed speed{std::max(2 * twice.wasserstein - once.wasserstein, 0.0),
                             std::max(2 * twice.fisher_rao - once.fisher_rao, 0.0)};
      action_.wasserstein += 0.5 * (next - t) * (speeds_.back().wasserstein + speed.wasserstein);
      action_.fisher_rao += 0.5 * (next - t) * (speeds_.back().fisher_rao + speed.fisher_rao);
      t = next;
      times_.push_back(t);
      speeds_.push_back(speed);
      if (horizon == 0 && t * speed.wasserstein < last_share * action_.wasserstein) break;
    }
  }

  double latent_time() const override { return times_.back(); }
  double target_time() const override { return 0; }

  /// Between times of the solution, which are 1 % apart, linearly; beyond the horizon as there.
  CurveSpeed speed(double t) const override {
    t = std::min(t, times_.back());
    const auto after = std::upper_bound(times_.begin(), times_.end() - 1, t) - times_.begin();
    const auto b = static_cast<std::size_t>(std::max<std::ptrdiff_t>(after, 1)), a = b - 1;
    const double share = (t - times_[a]) / (times_[b] - times_[a]);
    return {(1 - share) * speeds_[a].wasserstein + share * speeds_[b].wasserstein,
            (1 - share) * speeds_[a].fisher_rao + share * speeds_[b].fisher_rao};
  }

  CurveSpeed action() const override { return action_; }

 private:
  std::vector<double> times_;
  std::vector<CurveSpeed> speeds_;
  CurveSpeed action_;
};

}  // namespace

std::unique_ptr<LineCurve> make_relaxation_line_curve(const LineEnergy& target, const LineEnergy& latent, double horizon) {
  return std::make_unique<RelaxationLineCurve>(target, latent, horizon);
}

}  // namespace boltzcurve

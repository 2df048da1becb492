#include <boltzcurve/registry.hpp>
#include "energy/vectorized_energy.hpp"

#include <boltzcurve/error.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace boltzcurve {
namespace {

/// D/2 independent pairs (u, v) = (x[2p], x[2p+1]): a tilted double well in u, a standard normal in v.
///
///     f(x) = sum over p of  quartic u^4 - quadratic u^2 - tilt u + v^2 / 2        [nats]
///
/// The defaults 1, 6, 0.5 are the many-well of Midgley et al., ICLR 2023 (arXiv 2208.01893): 2^(D/2) modes, u near -1.71 or 1.75.
class ManyWell {
 public:
  ManyWell(int dimension, double quartic, double quadratic, double tilt)
      : dimension_(dimension), quartic_(quartic), quadratic_(quadratic), tilt_(tilt) {}

  KOKKOS_FUNCTION int dimension() const { return dimension_; }

  template <class Point, class Output>
  KOKKOS_FUNCTION void derivatives(const Point& x, const Output& out) const {
    using Scalar = typename Point::Scalar;
    const Scalar a(quartic_), b(quadratic_), c(tilt_);
    Scalar value(0), squares(0);
    for (int i = 0; i < dimension_; i += 2) {
      const Scalar u = x(i), v = x(i + 1), u2 = u * u;
      value += u2 * (a * u2 - b) - c * u + v * v * 0.5;
      squares += u2;
      out.gradient(i, u * (4 * a * u2 - 2 * b) - c);
      out.gradient(i + 1, v);
    }
    out.value(value);
    out.laplacian(12 * a * squares + (1 - 2 * b) * (0.5 * dimension_));  // the 1 is the normal's
  }

 private:
  int dimension_;
  double quartic_, quadratic_, tilt_;
};

/// The distribution of u alone, density proportional to exp(-U), cut into cells on each of which U is monotone.
class Well {
 public:
  Well(double quartic, double quadratic, double tilt) : a_(quartic), b_(quadratic), c_(tilt) {
    find_turning_points();
    lowest_ = potential(turning_[0]);
    for (const double u : turning_) lowest_ = std::min(lowest_, potential(u));
    // beyond these ends the density is below e^-cut of its top
    constexpr double cut = 100;
    lower_ = turning_.front(), upper_ = turning_.back();
    double reach = 1e-3;
    while (potential(lower_) - lowest_ < cut) lower_ -= reach *= 1.1;
    reach = 1e-3;
    while (potential(upper_) - lowest_ < cut) upper_ += reach *= 1.1;
    integrate();
    build_envelope();
  }

  double log_z() const { return log_z_; }
  double entropy() const { return mean_ + log_z_; }
  double lower() const { return lower_; }
  double upper() const { return upper_; }

  /// Minima of U, from left to right: one or two.
  std::vector<double> minima() const { return turning_.size() == 3 ? std::vector<double>{turning_[0], turning_[2]} : turning_; }
  double probability_below_zero() const { return below_zero_; }

  /// One exact sample: a cell in proportion to its share of the envelope, which is the largest density in each cell, then accept or
  /// reject. Four of five are accepted with the defaults.
  double draw(CounterRng& rng) const {
    for (;;) {
      const double mass = rng.uniform() * envelope_.back();
      const auto cell =
          static_cast<std::size_t>(std::upper_bound(envelope_.begin() + 1, envelope_.end() - 1, mass) - envelope_.begin() - 1);
      const double u = borders_[cell] + rng.uniform() * (borders_[cell + 1] - borders_[cell]);
      const double top = (envelope_[cell + 1] - envelope_[cell]) / (borders_[cell + 1] - borders_[cell]);
      if (rng.uniform() * top < density(u)) return u;
    }
  }

 private:
  double potential(double u) const { return u * (u * (a_ * u * u - b_) - c_); }
  double density(double u) const { return std::exp(lowest_ - potential(u)); }  // 1 at the deepest minimum

  /// The real roots of U' = 4 a u^3 - 2 b u - c, ascending: one minimum, or minimum, barrier, minimum.
  void find_turning_points() {
    const double p = -b_ / (2 * a_), q = -c_ / (4 * a_);  // u^3 + p u + q = 0
    const double discriminant = q * q / 4 + p * p * p / 27;
    if (discriminant >= 0) {
      // one real root; the two cube roots have product -p/3, the smaller is got from the larger without cancellation
      const double larger = std::cbrt(-q / 2 - std::copysign(std::sqrt(discriminant), q));
      turning_ = {larger == 0 ? 0.0 : larger - p / (3 * larger)};
    } else {
      const double radius = 2 * std::sqrt(-p / 3), angle = std::acos(std::clamp(3 * q / (p * radius), -1.0, 1.0)) / 3;
      for (const int k : {1, 2, 0}) turning_.push_back(radius * std::cos(angle + 2 * std::numbers::pi * k / 3));
      std::sort(turning_.begin(), turning_.end());
    }
    for (double& u : turning_) {  // polish: one Newton step
      const double slope = 12 * a_ * u * u - 2 * b_;
      if (slope != 0) u -= (4 * a_ * u * u * u - 2 * b_ * u - c_) / slope;
    }
  }

  /// Trapezoid sums of a smooth function that vanishes at both ends: no error but rounding once the wells are resolved. P(u < 0) ends
  /// inside.
  void integrate() {
    constexpr int steps = 1 << 15;
    const double h = (upper_ - lower_) / steps;
    double z = 0, energy = 0;
    for (int i = 0; i <= steps; ++i) {
      const double u = lower_ + i * h, weight = density(u);
      z += weight * h;
      energy += weight * potential(u) * h;
    }
    log_z_ = std::log(z) - lowest_;
    mean_ = energy / z;
    if (lower_ >= 0 || upper_ <= 0) {
      below_zero_ = lower_ >= 0 ? 0 : 1;
      return;
    }
    // not periodic: Simpson's rule from the left end to 0
    const double g = -lower_ / steps;
    double sum = density(lower_) + density(0);
    for (int i = 1; i < steps; ++i) sum += (i % 2 == 1 ? 4 : 2) * density(lower_ + i * g);
    below_zero_ = sum * g / 3 / z;
  }

  void build_envelope() {
    constexpr int cells = 64;
    for (int i = 0; i <= cells; ++i) borders_.push_back(lower_ + (upper_ - lower_) * i / cells);
    borders_.insert(borders_.end(), turning_.begin(), turning_.end());
    std::sort(borders_.begin(), borders_.end());
    borders_.erase(std::unique(borders_.begin(), borders_.end()), borders_.end());
    envelope_ = {0};
    for (std::size_t i = 0; i + 1 < borders_.size(); ++i) {
      const double top = std::max(density(borders_[i]), density(borders_[i + 1]));
      envelope_.push_back(envelope_.back() + top * (borders_[i + 1] - borders_[i]));
    }
  }

  double a_, b_, c_, lowest_ = 0, lower_ = 0, upper_ = 0, log_z_ = 0, mean_ = 0, below_zero_ = 0;
  std::vector<double> turning_, borders_, envelope_;
};

/// All products of wells, while there are at most 2^8 of them.
std::vector<Mode> modes_of(const Well& well, int pairs) {
  if (pairs > 8) return {};
  const auto minima = well.minima();
  std::vector<Mode> modes{{1.0, {}}};
  for (int p = 0; p < pairs; ++p) {
    std::vector<Mode> longer;
    for (const Mode& mode : modes) {
      for (std::size_t w = 0; w < minima.size(); ++w) {
        Mode next = mode;
        if (minima.size() == 2) next.weight *= w == 0 ? well.probability_below_zero() : 1 - well.probability_below_zero();
        next.center.push_back(minima[w]);
        next.center.push_back(0);
        longer.push_back(next);
      }
    }
    modes = longer;
  }
  return modes;
}

std::unique_ptr<Energy> make(const Parameters& parameters) {
  const int dimension = static_cast<int>(parameters.integer("dimension"));
  if (dimension % 2 != 0) throw SettingError({"dimension", " = " + std::to_string(dimension) + ": must be even for many-well"});
  const double quartic = parameters.real("quartic"), quadratic = parameters.real("quadratic"), tilt = parameters.real("tilt");
  const Well well(quartic, quadratic, tilt);
  const int pairs = dimension / 2;

  EnergyFacts facts;
  const double u_lower = std::min(-10.0, 2 * well.lower()), u_upper = std::max(10.0, 2 * well.upper());
  for (int p = 0; p < pairs; ++p) {
    facts.domain.lower.insert(facts.domain.lower.end(), {u_lower, -10});
    facts.domain.upper.insert(facts.domain.upper.end(), {u_upper, 10});
  }
  const double log_two_pi = std::log(2 * std::numbers::pi);
  facts.log_z = pairs * (well.log_z() + 0.5 * log_two_pi);
  facts.entropy = pairs * (well.entropy() + 0.5 * (1 + log_two_pi));
  facts.modes = modes_of(well, pairs);
  facts.sample = [well, dimension](CounterRng& rng, double* x) {
    for (int i = 0; i < dimension; i += 2) {
      x[i] = well.draw(rng);
      x[i + 1] = rng.normal();
    }
  };
  return make_vectorized_energy(ManyWell(dimension, quartic, quadratic, tilt), std::move(facts));
}

}  // namespace

/// log Z and entropy are quadratures over u, converged to rounding. Modes: all products of the minima, for up to 2^8 of them, with the
/// product of P(u < 0) or P(u > 0) as weight. Domain: at least [-10, 10]^D, and twice as far as any u of density above e^-100.
TargetEntry many_well_target() {
  using Kind = ParameterSpec::Kind;
  return {"many-well",
          "D/2 independent double wells, each beside a normal coordinate: 2^(D/2) modes",
          {{"dimension", Kind::integer, "8", "number of coordinates, even", 2, 1024},
           {"quartic", Kind::real, "1", "a in U = a u^4 - b u^2 - c u + v^2/2", 0.01, 100},
           {"quadratic", Kind::real, "6", "b in U", -50, 50},
           {"tilt", Kind::real, "0.5", "c in U", -50, 50}},
          make,
          nullptr};
}

}  // namespace boltzcurve

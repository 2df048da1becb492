#pragma once

#include <boltzcurve/energy.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace boltzcurve {

/// An energy f on the line, known up to a constant [nats], and where it matters.
struct LineEnergy {
  /// Each [n].
  struct Values {
    std::vector<double> value, slope, curvature;
  };

  std::function<Values(const std::vector<double>& x)> at;  ///< f, f' and f'' at x [n]
  double lower = 0, upper = 0;                             ///< outside, exp(-f) is nothing beside what it is inside
  std::vector<double> corners;                             ///< where f has no slope, growing
};

/// The energy of a law in one dimension, which must outlive what is made. Throws ConfigError, naming `what`, in more.
LineEnergy line_energy(const Energy& law, const char* what);

/// How fast a curve of laws rho_t moves, in either geometry.
///
/// On the line the continuity equation d_t rho + d_x(rho v) = 0 leaves the velocity no freedom: v_t = -(d_t F_t)/rho_t with F the cdf.
struct CurveSpeed {
  double wasserstein = 0;  ///< ||v_t||^2 in L2(rho_t), the squared speed in the Wasserstein geometry [length^2/time^2]
  double fisher_rao = 0;   ///< E_t (d_t log rho_t)^2, the squared speed in the Fisher-Rao geometry [1/time^2]
};

/// A curve of laws on the line of which everything is known.
class LineCurve {
 public:
  virtual ~LineCurve() = default;

  virtual double latent_time() const = 0;
  virtual double target_time() const = 0;

  /// By quadrature on ever finer cells until both numbers agree to 1e-8. Throws NumericalError where they do not, or are beyond what a
  /// double holds.
  virtual CurveSpeed speed(double t) const = 0;

  /// Both actions, integrals of the squared speeds over the curve's times, to a relative error of 1e-6 unless the curve says otherwise.
  virtual CurveSpeed action() const;
};

/// rho_t of energy (1-t) f_0 + t f_1, from the latent law at t = 0 to the target at t = 1, for any two energies. With h = f_1 - f_0 and
/// C_t = E_t h,
///
///     d_t log rho_t = C_t - h,     v_t(x) rho_t(x) = integral up to x of (h - C_t) rho_t = minus the integral from x on.
///
/// v is carried from cell to cell with ratios of densities, from the left end up to the median and from the right end down to it: no
/// density is too small, and nothing large is subtracted from nothing much larger.
std::unique_ptr<LineCurve> make_linear_line_curve(LineEnergy latent, LineEnergy target);

/// The gradient flow of KL(. || rho_Z) from the target at t = 0 towards rho_Z = N(mean, sigma^2), at the latent end t = T. With
/// a = exp(-t/sigma^2) and s^2 = sigma^2 (1 - a^2), X_t = mean + a (Y - mean) + s Z for Y of the target and Z normal, and
///
///     v_t = -d_x log(rho_t/rho_Z),     integral from 0 to T of ||v_t||^2 dt = KL(rho_D || rho_Z) - KL(rho_T || rho_Z).
///
/// T = 8 sigma^2, where exp(-16) of the divergence is left, unless `horizon` is given. The target's energy needs to be smooth: throws
/// ConfigError where it has corners.
std::unique_ptr<LineCurve> make_gradient_flow_line_curve(LineEnergy target, double mean, double sigma, double horizon = 0);

/// The gradient flow of KL(. || rho_Z) towards any latent law, by finite volumes: about fifty cells to a unit of length, implicit steps in
/// a geometric progression of times, extrapolated from two lengths of them. Good to about 1e-3 for laws with features of length one, and
/// where an energy has corners. Ends at `horizon`, or where 1e-7 of the action is left.
std::unique_ptr<LineCurve> make_relaxation_line_curve(const LineEnergy& target, const LineEnergy& latent, double horizon = 0);

/// KL(rho_0 || rho_1) [nats] of the normalized laws.
double kullback_leibler(const LineEnergy& law, const LineEnergy& other);

/// W2^2 between two laws on the line [length^2]: the integral of rho_0(x) (x - T(x))^2 with the monotone map T that has F_1(T(x)) = F_0(x).
/// To a relative error of 1e-7.
double squared_wasserstein_distance(const LineEnergy& from, const LineEnergy& to);

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/views.hpp>
#include "ode/velocity_field.hpp"

#include <vector>

namespace boltzcurve::test {

/// The exact answer for a Gaussian mixture under the gradient flow towards N(0, I). With a = e^-t,
///
///     rho_t = sum_k w_k N(a mu_k, S_k),   S_k = a^2 Sigma_k + (1 - a^2) I,   f_t = -log rho_t (normalized, so C_t = 0),
///     v_t = grad(f_t - |x|^2/2) = grad f_t - x.
///
/// The target is at t = 0; the law tends to N(0, I). Any D; all in double on the host. Energies in nats.
class MixtureFlow {
 public:
  struct Component {
    double weight;                   ///< above 0; weights are normalized
    std::vector<double> mean;        ///< [D]
    std::vector<double> covariance;  ///< [D][D], symmetric and positive definite
  };

  explicit MixtureFlow(std::vector<Component> components);

  /// Components with covariance sd^2 I.
  struct Round {
    double weight;
    std::vector<double> mean;
    double sd;
  };
  static MixtureFlow of_round_components(const std::vector<Round>& components);

  int dimension() const { return dimension_; }
  const std::vector<Component>& components() const { return components_; }

  struct Derivatives {
    double value, d_t, laplacian;
    std::vector<double> gradient;  ///< [D]
  };

  /// f_t and its derivatives at x [D], t >= 0.
  Derivatives energy(double t, const double* x) const;

  /// The residual R = d_t f + <grad f, grad(f - f_Z)> - Lap(f - f_Z), f_Z = |x|^2/2, of the exact energy, and the sum of the sizes of its
  /// terms.
  struct Residual {
    double value, scale;
  };
  Residual residual(double t, const double* x) const;

  enum class Form { plain, anchored };

  /// The psi with which the curve g f_D + t psi (plain) or g f_D + (1-g) f_Z + t psi (anchored), g = (T-t)/T, is exactly f_t +
  /// target_offset, where the curve's f_D is f_0 + target_offset and its f_Z is |x|^2/2 + latent_offset. (Constants in t alone leave the
  /// residual at 0 with C = 0.) For 0 < t <= T; digits are lost as t -> 0, about log10(1/t) of them for the value and twice as many for
  /// d_t.
  Derivatives psi(double t, const double* x, double horizon, Form form, double target_offset = 0, double latent_offset = 0) const;

  /// A sample of rho_t into x [D].
  void draw(double t, CounterRng& random, double* x) const;

  /// chi^2(rho_t || N(0, I)); infinite where the integral is.
  double chi_squared_to_latent(double t) const;

  /// The largest ESS that a sampler can have that starts from N(0, I) in place of rho_t and then moves exactly.
  double ess_ceiling(double t) const { return 1 / (1 + chi_squared_to_latent(t)); }

 private:
  int dimension_;
  std::vector<Component> components_;
  struct Axes {
    std::vector<double> directions;  // [D][D], columns are the eigenvectors of Sigma
    std::vector<double> variances;   // [D], eigenvalues
    std::vector<double> mean;        // [D], along the eigenvectors
  };
  std::vector<Axes> axes_;
};

/// Forty equal components in 2-D with standard deviation softplus(1), means from std::mt19937(0) in [-40, 40]^2.
MixtureFlow gmm40_flow();

/// Three components in D dimensions with full covariances, different weights and distinct means of size about 3. A function of D only.
MixtureFlow correlated_flow(int dimension);

/// The exact velocity of a mixture's gradient flow, as the integrator wants it.
class MixtureVelocity : public VelocityField {
 public:
  explicit MixtureVelocity(const MixtureFlow& flow) : flow_(flow) {}
  int dimension() const override { return flow_.dimension(); }
  void evaluate(PointScalars<const double> t, Points<const double> x, Points<double> velocity,
                PointScalars<double> divergence) const override;

 private:
  const MixtureFlow& flow_;
};

}  // namespace boltzcurve::test

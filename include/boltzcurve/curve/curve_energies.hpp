#pragma once

#include <boltzcurve/core/views.hpp>
#include <boltzcurve/curve/gradient_flow.hpp>
#include <boltzcurve/energy/energy.hpp>

#include <limits>
#include <vector>

namespace boltzcurve {

/// The normal law f_A of the contracted form at t = 0, with the constant that makes it comparable with f_D.
struct CurveAnchor {
  std::vector<double> mean, variance;  ///< mu, S^2 [D]
  double offset = 0;                   ///< nats

  /// Above this energy [nats] the target's is tamed to  level + scale log(1 + (f_D - level)/scale): where a density is exp(-50) of what it
  /// is elsewhere its walls only make numbers overflow. Weights of samples are those of f_D itself.
  double level = std::numeric_limits<double>::infinity(), scale = 1;

  /// N(0, 1) in all coordinates, nothing tamed.
  static CurveAnchor standard(int dimension);
};

/// The rows of a GradientFlow's base b and of f_Z at points of space-time. In the contracted form derivatives by x and t follow by the
/// chain rule,
///
///     grad_x F(y) = grad F(y)/alpha,  Lap_x F(y) = Lap F(y)/alpha^2,  d_t F(y) = <grad F(y), y-m>/sigma^2.
///
/// Where g is below 1e-9, or f_D overflows, f_D is left out: y grows like exp(t), and an energy may grow exponentially.
template <class Real>
class CurveEnergies {
 public:
  /// The energies must outlive this. m is the latent law's only mode. `anchor` is needed by the contracted form.
  CurveEnergies(const GradientFlow& curve, const CurveAnchor& anchor, const Energy& target, const Energy& latent);

  /// At points x [n][D], each with its own time t [n], into `base` [n][D+2] and `latent` [n][D+2].
  void evaluate(PointScalars<const Real> t, Points<const Real> x, Points<Real> base, Points<Real> latent);

 private:
  void contract(PointScalars<const Real> t, Points<const Real> x, Points<Real> base);
  void stay(PointScalars<const Real> t, Points<const Real> x, Points<Real> base, Points<const Real> latent);

  GradientFlow curve_;
  const Energy& target_;
  const Energy& latent_;
  Kokkos::View<Real*> center_, anchor_mean_, anchor_variance_;
  Real anchor_offset_, level_, scale_;
  /// What a point of time means for the target's energy.
  struct Moment {
    Real target, target_rate, stretch;  // g, dg/dt, 1/alpha
  };
  Points<Real> y_;  // these two grow to the largest batch seen
  Kokkos::View<Moment*> moments_;
};

extern template class CurveEnergies<float>;
extern template class CurveEnergies<double>;

}  // namespace boltzcurve

#pragma once

#include "curve/form.hpp"

namespace boltzcurve {

/// f_t = g f_D(y) + (1-g) (f_A(y, t) + psi), y = m + (x-m)/alpha, f_A = sum_k (y_k - mu_k)^2 / (2 (S_k^2 + v)) + const: a normal law of the
/// target's mean mu and variances S_k^2 after time t of diffusion. Derivatives by x and t follow by the chain rule,
///
///     grad_x F(y) = grad F(y)/alpha,  Lap_x F(y) = Lap F(y)/alpha^2,  d_t F(y) = <grad F(y), y-m>/sigma^2.
template <>
struct FormOf<CurveForm::contracted> {
  static constexpr bool contracts = true;
  static constexpr bool reads_target = true;
  static constexpr double tau_by_g = -1;

  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static PsiFactor<P> psi_factor(P g, P g_dot, P) {
    return {P(1) - g, -g_dot};
  }

  template <class Real, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION static void base(const BaseInput<Real>& in, std::size_t i, const BaseMoment<Real>& at, const Rows& rows) {
    const int D = in.flow.dimension;
    const Real f = in.of_target(i, 0), precision = static_cast<Real>(1 / (in.flow.latent_scale * in.flow.latent_scale));
    const Real excess = in.taming.excess(f), taming = Real(1) / (Real(1) + excess);
    Real steepness = 0;  // |grad f_D|^2, needed where f_D is tamed
    if (excess > Real(0))
      for (int k = 1; k <= D; ++k) steepness += in.of_target(i, k) * in.of_target(i, k);
    const bool wall = overflown(f) || overflown(steepness), target_counts = !wall && at.g > Real(min_target_weight);
    const Real g = target_counts ? at.g : Real(0), g_dot = target_counts ? at.g_dot : Real(0);
    const Real inverse_alpha = at.inverse_alpha, v = in.flow.added_variance(inverse_alpha), v_dot = in.flow.added_variance_dot(v);
    Real target_dot = 0, anchor = in.anchor_offset, anchor_dot = 0, anchor_laplacian = 0;
    for (int k = 0; k < D; ++k) {
      const Real from_center = (in.x(i, k) - in.center(k)) * inverse_alpha, from_mean = in.center(k) + from_center - in.anchor_mean(k);
      const Real sharpness = Real(1) / (in.anchor_variance(k) + v), gradient = from_mean * sharpness;
      const Real target_gradient = target_counts ? taming * in.of_target(i, k + 1) : Real(0);
      target_dot += target_gradient * from_center;
      anchor += Real(0.5) * from_mean * gradient;
      anchor_dot += gradient * (from_center * precision - Real(0.5) * v_dot * gradient);
      anchor_laplacian += sharpness;
      rows.gradient(i, k + 1, g, inverse_alpha * target_gradient, inverse_alpha * gradient);
    }
    Real energy = 0, laplacian = 0;
    if (target_counts) {
      energy = in.taming.energy(f, excess);
      laplacian =
          taming * (in.of_target(i, D + 1) - (excess > Real(0) ? taming * steepness / static_cast<Real>(in.taming.scale) : Real(0)));
    }
    const Real target[3] = {energy, target_dot * precision, inverse_alpha * inverse_alpha * laplacian};
    const Real anchors[3] = {anchor, anchor_dot, inverse_alpha * inverse_alpha * anchor_laplacian};
    rows.rest(i, D, g, g_dot, target, anchors);
  }
};

}  // namespace boltzcurve

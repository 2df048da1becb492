#pragma once

#include <boltzcurve/curve_settings.hpp>
#include <boltzcurve/views.hpp>
#include "curve/curve_energies.hpp"
#include "curve/flow_parameters.hpp"

#include <cstddef>

namespace boltzcurve {

/// The factor tau of psi in the energy, and dtau/dt.
template <class P>
struct PsiFactor {
  P tau, tau_dot;
};

/// What a point of time means for the base.
template <class Real>
struct BaseMoment {
  Real g, g_dot, inverse_alpha;
};

/// Below this weight the target's energy is left out where a form reads it at contracted points: y grows like exp(t), and an energy may
/// grow exponentially.
inline constexpr double min_target_weight = 1e-9;

/// What a base is made of at the points of a batch.
template <class Real>
struct BaseInput {
  FlowParameters flow;
  Points<const Real> x, of_target, of_latent;                      ///< [n][D]; [n][D+2], f_D at x or at y, f_Z at x
  Kokkos::View<const Real*> center, anchor_mean, anchor_variance;  ///< m, mu, S^2 [D]; of a form that contracts
  Real anchor_offset;                                              ///< of f_A [nats]
  Taming taming;
};

/// A form f_t = b + tau psi of the gradient flow, with the base b = g f_D + (1-g) f_A whatever stands for f_A: specialised in a file of its
/// own in src/curve/forms.
///
///     reads_target                 whether the target's energy is a part of b; else b is a MixtureAnchor, and there is no base()
///     contracts                    whether f_D is read at y = m + (x - m)/alpha, which takes a normal latent law and an anchor
///     psi_factor(g, g_dot, t)      tau and dtau/dt
///     tau_by_g                     d tau/dg
///     base(in, i, moment, rows)    at point i: for every coordinate k rows.gradient(i, k, g, that of f_D, that of f_A), then
///                                  rows.rest(i, D, g, g_dot, of f_D, of f_A) with {value, d_t, Laplacian} of both, as functions of (x, t);
///                                  g = 0 where f_D does not count
template <CurveForm form>
struct FormOf;

/// f_D is read where the point is, f_A is `of_latent` f_Z, and tau = t.
template <int of_latent>
struct FormInPlace {
  static constexpr bool contracts = false;
  static constexpr bool reads_target = true;
  static constexpr double tau_by_g = 0;

  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static PsiFactor<P> psi_factor(P, P, P t) {
    return {t, P(1)};
  }

  template <class Real, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION static void base(const BaseInput<Real>& in, std::size_t i, const BaseMoment<Real>& at, const Rows& rows) {
    const int D = in.flow.dimension;
    constexpr Real anchored = of_latent;
    const Real target[3] = {in.of_target(i, 0), 0, in.of_target(i, D + 1)};
    const Real anchor[3] = {anchored * in.of_latent(i, 0), 0, anchored * in.of_latent(i, D + 1)};
    for (int k = 1; k <= D; ++k) rows.gradient(i, k, at.g, in.of_target(i, k), anchored * in.of_latent(i, k));
    rows.rest(i, D, at.g, at.g_dot, target, anchor);
  }
};

}  // namespace boltzcurve

#pragma once

#include "curve/gradient_flow.hpp"

#include <cmath>
#include <string_view>

namespace boltzcurve {

/// The gradient flow whose schedule g is learned with psi (Chemseddine et al., arXiv 2410.03282). A network N of the clock s moves the
/// log-odds of the schedule u that training begins with (GradientFlow::factors),
///
///     g = u/(u + (1-u) w),    w = exp(N(s)),    d_t g = w/(u + (1-u) w)^2 d_t u - g (1-g) d_t N,
///
/// so that g stays between 0 and 1, with g(0) = 1 and g(T) = 0 whatever N is, and g = u where N = 0, as at the start.
///
/// A CurveFunctor (see residual/curve_concept.hpp). What is known at a point comes in parts, since g is no function of t alone
/// before the network has been asked: d_t f_A; f_D - f_A and its derivative by t; gradients [D] of f_A and of f_D - f_A; their Laplacians;
/// then of the latent law, value, gradient [D], Laplacian. Second-order channel of psi: d_t psi - Lap psi, for the velocity Lap psi; of N:
/// d_t N.
struct ScheduledFlow : GradientFlow {
  enum Network { of_psi, of_schedule, network_count };
  static constexpr std::string_view network_names[network_count] = {"psi", "schedule"};
  enum TimeRow { start_row, start_dot_row, time_row, clock_rate_row, laplacian_factor_row, none_row, time_row_count };

  KOKKOS_FORCEINLINE_FUNCTION int known_rows() const { return latent_row(dimension + 2); }
  static constexpr int anchor_dot_row = 0, difference_row = 1, difference_dot_row = 2;
  /// k = 1..D, and the Laplacian for D + 1.
  KOKKOS_FORCEINLINE_FUNCTION int anchor_row(int k) const { return 2 + k; }
  KOKKOS_FORCEINLINE_FUNCTION int difference_gradient_row(int k) const { return 3 + dimension + k; }
  KOKKOS_FORCEINLINE_FUNCTION int latent_row(int k) const { return 5 + 2 * dimension + k; }

  KOKKOS_FORCEINLINE_FUNCTION Channels channels(int network) const {
    return network == of_schedule ? Channels{0, true} : Channels{dimension, true};
  }
  KOKKOS_FORCEINLINE_FUNCTION static bool needed_for_velocity(int) { return true; }
  KOKKOS_FORCEINLINE_FUNCTION static SecondOrderRows second_order_rows(int network) {
    return {clock_rate_row, network == of_schedule ? none_row : laplacian_factor_row};
  }

  template <class P, class Store>
  KOKKOS_FORCEINLINE_FUNCTION void store_time_rows(Purpose purpose, P t, const ClockReading<P>& reading, const Store& store) const {
    using std::fmax;
    const auto start = factors(t);
    const bool whole = purpose == Purpose::residual;
    store(start_row, start.g);
    store(start_dot_row, start.g_dot);
    store(time_row, t);
    store(clock_rate_row, whole ? P(1) / fmax(reading.time_per_clock, P(min_time_per_clock)) : P(0));
    store(laplacian_factor_row, whole ? P(-1) : P(1));
    store(none_row, P(0));
  }

  /// g and what else the network N decides.
  template <class P>
  struct Weights {
    P g, g_dot;
    P spread;  ///< g (1 - g): minus the derivative of g by N, and of dg/dt by dN/dt
    P tau, tau_dot;
  };

  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION Weights<P> weights(P u, P u_dot, P t, P n, P n_dot) const {
    using std::exp, std::fmax, std::fmin;
    const P w = exp(fmin(fmax(n, P(-20)), P(20))), sum = u + (P(1) - u) * w, g = u / sum, spread = g * (P(1) - g);
    const P g_dot = w / (sum * sum) * u_dot - spread * n_dot;
    const auto [tau, tau_dot] = psi_factor(g, g_dot, t);
    return {g, g_dot, spread, tau, tau_dot};
  }

  /// Row k of grad f_t, k = 1..D.
  template <class P, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION P gradient(int k, const Weights<P>& at, const Rows& rows) const {
    return rows.known(anchor_row(k)) + at.g * rows.known(difference_gradient_row(k)) + at.tau * rows.result(of_psi, k);
  }

  /// R + C.
  template <class P, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION P residual(const Rows& rows) const {
    const int D = dimension;
    const auto at = weights_of<P>(rows);
    P sum = rows.known(anchor_dot_row) + at.g * rows.known(difference_dot_row) + at.g_dot * rows.known(difference_row) +
            at.tau_dot * rows.result(of_psi, 0) + at.tau * rows.result(of_psi, D + 1);
    for (int k = 1; k <= D; ++k) {
      const P along = gradient(k, at, rows);
      sum += along * (along - rows.known(latent_row(k)));
    }
    return sum - (rows.known(anchor_row(D + 1)) + at.g * rows.known(difference_gradient_row(D + 1)) - rows.known(latent_row(D + 1)));
  }

  /// By N and dN/dt through g and dg/dt: the derivative of dg/dt by N is (2g - 1) dg/dt.
  template <class P, class Rows, class Store>
  KOKKOS_FORCEINLINE_FUNCTION void residual_gradient(const Rows& rows, P factor, const Store& store) const {
    const int D = dimension;
    const auto at = weights_of<P>(rows);
    const P scaled = at.tau * factor;
    const P tau_by_g = with_form(form, [](auto of_form) { return P(of_form.tau_by_g); });
    P by_g = rows.known(difference_dot_row) - rows.known(difference_gradient_row(D + 1)) + tau_by_g * rows.result(of_psi, D + 1);
    const P by_g_dot = rows.known(difference_row) + tau_by_g * rows.result(of_psi, 0);
    store(of_psi, 0, at.tau_dot * factor);
    for (int k = 1; k <= D; ++k) {
      const P along = gradient(k, at, rows), twice = along + along - rows.known(latent_row(k));
      store(of_psi, k, scaled * twice);
      by_g += twice * (rows.known(difference_gradient_row(k)) + tau_by_g * rows.result(of_psi, k));
    }
    store(of_psi, D + 1, scaled);
    store(of_schedule, 0, factor * ((at.g + at.g - P(1)) * at.g_dot * by_g_dot - at.spread * by_g));
    store(of_schedule, 1, -factor * at.spread * by_g_dot);
  }

  /// v_t = grad(f_t - f_Z) and its divergence.
  template <class P, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION P velocity(int k, const Rows& rows) const {
    return gradient(k, weights_of<P>(rows), rows) - rows.known(latent_row(k));
  }

 private:
  template <class P, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION Weights<P> weights_of(const Rows& rows) const {
    return weights<P>(rows.time(start_row), rows.time(start_dot_row), rows.time(time_row), rows.result(of_schedule, 0),
                      rows.result(of_schedule, 1));
  }
};
static_assert(CurveFunctor<ScheduledFlow>);

}  // namespace boltzcurve

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
/// A functor for the fused kernel (see curve/curve_functor.hpp). What is known at a point comes in parts, since g is no function of t alone
/// before the network has been asked: d_t f_A; f_D - f_A and its derivative by t; gradients [D] of f_A and of f_D - f_A; their Laplacians;
/// then of the latent law, value, gradient [D], Laplacian. Second-order channel of psi: d_t psi - Lap psi, for the velocity Lap psi; of N:
/// d_t N.
struct ScheduledFlow : GradientFlow {
  enum Network { of_psi, of_schedule, network_count };
  static constexpr std::string_view network_names[network_count] = {"psi", "schedule"};
  enum TimeRow { start_row, start_rate_row, time_row, clock_rate_row, laplacian_factor_row, none_row, time_row_count };

  KOKKOS_FORCEINLINE_FUNCTION int known_rows() const { return latent_row(dimension + 2); }
  static constexpr int anchor_rate_row = 0, difference_row = 1, difference_rate_row = 2;
  /// k = 1..D, and the Laplacian for D + 1.
  KOKKOS_FORCEINLINE_FUNCTION int anchor_row(int k) const { return 2 + k; }
  KOKKOS_FORCEINLINE_FUNCTION int difference_slope_row(int k) const { return 3 + dimension + k; }
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
    store(start_row, start.target);
    store(start_rate_row, start.target_rate);
    store(time_row, t);
    store(clock_rate_row, whole ? P(1) / fmax(reading.time_per_clock, P(min_time_per_clock)) : P(0));
    store(laplacian_factor_row, whole ? P(-1) : P(1));
    store(none_row, P(0));
  }

  /// g and what else the network N decides.
  template <class P>
  struct Weights {
    P target, target_rate;  ///< g, dg/dt
    P spread;               ///< g (1 - g): minus the derivative of g by N, and of dg/dt by dN/dt
    P share, share_rate;    ///< tau, dtau/dt
  };

  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION Weights<P> weights(P start, P start_rate, P t, P n, P n_rate) const {
    using std::exp, std::fmax, std::fmin;
    const P w = exp(fmin(fmax(n, P(-20)), P(20))), sum = start + (P(1) - start) * w, g = start / sum, spread = g * (P(1) - g);
    const P rate = w / (sum * sum) * start_rate - spread * n_rate;
    return form == CurveForm::contracted ? Weights<P>{g, rate, spread, P(1) - g, -rate} : Weights<P>{g, rate, spread, t, P(1)};
  }

  /// Row k of grad f_t, k = 1..D.
  template <class P, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION P slope(int k, const Weights<P>& at, const Rows& rows) const {
    return rows.known(anchor_row(k)) + at.target * rows.known(difference_slope_row(k)) + at.share * rows.result(of_psi, k);
  }

  /// R + C.
  template <class P, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION P residual(const Rows& rows) const {
    const int D = dimension;
    const auto at = weights_of<P>(rows);
    P sum = rows.known(anchor_rate_row) + at.target * rows.known(difference_rate_row) + at.target_rate * rows.known(difference_row) +
            at.share_rate * rows.result(of_psi, 0) + at.share * rows.result(of_psi, D + 1);
    for (int k = 1; k <= D; ++k) {
      const P along = slope(k, at, rows);
      sum += along * (along - rows.known(latent_row(k)));
    }
    return sum - (rows.known(anchor_row(D + 1)) + at.target * rows.known(difference_slope_row(D + 1)) - rows.known(latent_row(D + 1)));
  }

  /// By N and its rate through g and dg/dt: the derivative of dg/dt by N is (2g - 1) dg/dt.
  template <class P, class Rows, class Store>
  KOKKOS_FORCEINLINE_FUNCTION void residual_slopes(const Rows& rows, P factor, const Store& store) const {
    const int D = dimension;
    const auto at = weights_of<P>(rows);
    const bool fades_in = form == CurveForm::contracted;
    const P scaled = at.share * factor;
    P by_target = rows.known(difference_rate_row) - rows.known(difference_slope_row(D + 1)), by_rate = rows.known(difference_row);
    if (fades_in) {
      by_target -= rows.result(of_psi, D + 1);
      by_rate -= rows.result(of_psi, 0);
    }
    store(of_psi, 0, at.share_rate * factor);
    for (int k = 1; k <= D; ++k) {
      const P along = slope(k, at, rows), twice = along + along - rows.known(latent_row(k));
      store(of_psi, k, scaled * twice);
      by_target += twice * (fades_in ? rows.known(difference_slope_row(k)) - rows.result(of_psi, k) : rows.known(difference_slope_row(k)));
    }
    store(of_psi, D + 1, scaled);
    store(of_schedule, 0, factor * ((at.target + at.target - P(1)) * at.target_rate * by_rate - at.spread * by_target));
    store(of_schedule, 1, -factor * at.spread * by_rate);
  }

  /// v_t = grad(f_t - f_Z) and its divergence.
  template <class P, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION P velocity(int k, const Rows& rows) const {
    return slope(k, weights_of<P>(rows), rows) - rows.known(latent_row(k));
  }

 private:
  template <class P, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION Weights<P> weights_of(const Rows& rows) const {
    return weights<P>(rows.time(start_row), rows.time(start_rate_row), rows.time(time_row), rows.result(of_schedule, 0),
                      rows.result(of_schedule, 1));
  }
};

}  // namespace boltzcurve

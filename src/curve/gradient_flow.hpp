#pragma once

#include "curve/clocks.hpp"
#include "curve/flow_parameters.hpp"
#include "curve/forms.hpp"
#include "curve/schedules.hpp"
#include "residual/curve_concept.hpp"
#include "simd/pack_math.hpp"

#include <cmath>
#include <string_view>

namespace boltzcurve {

/// The gradient-flow curve of energies between the target (t = 0) and the latent law N(m, sigma^2) (t = T), f_t = b + tau psi with what is
/// known beforehand as its base b,
///
///     b = g f_D(x)                       plain,      tau = t
///     b = g f_D(x) + (1-g) f_Z(x)        anchored,   tau = t
///     b = g f_D(y) + (1-g) f_A(y, t)     contracted, tau = 1-g,   y = m + (x-m)/alpha,   alpha = exp(-t/sigma^2),
///
/// and velocity v_t = grad(f_t - f_Z). It obeys the continuity equation where the residual
///
///     R = d_t f_t - C_t + <grad f_t, grad(f_t - f_Z)> - Lap(f_t - f_Z)
///
/// is zero (Chemseddine et al., arXiv 2410.03282): the Fokker-Planck equation of Langevin dynamics with stationary law rho_Z, an
/// Ornstein-Uhlenbeck diffusion (see FlowParameters). Under it a mode of squared width c keeps its shape in the coordinates y while the
/// added variance v is small beside c, and a normal law of the target's mean mu and variances S_k^2 becomes
/// f_A = sum_k (y_k - mu_k)^2 / (2 (S_k^2 + v)) + const. So psi has little to do where v is far below c, and only numbers of order one
/// where it is above.
///
/// Times in units of the diffusion dx = -grad f_Z dt + sqrt 2 dW; energies in nats. Usable on host and device, on packs or plain numbers.
///
/// Near the target the curve changes within times of c, which a smooth function of t cannot follow: networks see a clock s(t).
///
/// A CurveFunctor (see residual/curve_concept.hpp). What is known at a point comes as rows: of the base, d_t b, grad b [D], Lap b; then of
/// the latent law, value, gradient [D], Laplacian. Derivatives of psi come as channels [D+2]: value, gradient [D], and what R needs of the
/// rest, tau d psi/dt - tau Lap psi = a d psi/ds + b Lap psi with a = tau ds/dt and b = -tau. For the velocity a = 0, b = 1.
struct GradientFlow : FlowParameters {
  enum Network { of_psi, network_count };
  static constexpr std::string_view network_names[network_count] = {"psi"};
  enum TimeRow { tau_row, tau_dot_row, clock_factor_row, laplacian_factor_row, time_row_count };
  static constexpr bool velocity_needs_energies = true;
  static constexpr bool has_exact_ends = false;  ///< psi may add any constant at the latent end

  CurveForm form = CurveForm::contracted;
  Schedule schedule = Schedule::diffusion;
  CurveClock clock = CurveClock::logarithmic;

  /// Weights of the target's energy and of psi, and their derivatives by t. For the schedule `learned`, which needs its network, those that
  /// it begins with: diffusion, clamped to 0 at T (see ScheduledFlow).
  template <class P>
  struct Factors {
    P g, g_dot, tau, tau_dot;
  };

  KOKKOS_FORCEINLINE_FUNCTION int known_rows() const { return 2 * (dimension + 2); }
  KOKKOS_FORCEINLINE_FUNCTION int base_row(int k) const { return k; }
  KOKKOS_FORCEINLINE_FUNCTION int latent_row(int k) const { return dimension + 2 + k; }

  KOKKOS_FORCEINLINE_FUNCTION Channels channels(int) const { return {dimension, true}; }
  KOKKOS_FORCEINLINE_FUNCTION static bool needed_for_velocity(int) { return true; }
  KOKKOS_FORCEINLINE_FUNCTION static SecondOrderRows second_order_rows(int) { return {clock_factor_row, laplacian_factor_row}; }

  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION Factors<P> factors(P t) const {
    const auto [g, g_dot] = with_schedule(schedule, [&](auto of_schedule) { return of_schedule.at(*this, t); });
    const auto [tau, tau_dot] = psi_factor(g, g_dot, t);
    return {g, g_dot, tau, tau_dot};
  }
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION PsiFactor<P> psi_factor(P g, P g_dot, P t) const {
    return with_form(form, [&](auto of_form) { return of_form.psi_factor(g, g_dot, t); });
  }

  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION ClockReading<P> clock_at(P t) const {
    return with_clock(clock, [&](auto of_clock) { return of_clock.at(*this, t); });
  }

  double target_time() const { return 0; }
  double latent_time() const { return horizon; }

  /// Diffusion from the target: exact for any law of y.
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION InterpolationOf<P> interpolation(P t) const {
    using std::exp, std::fmax, std::sqrt;
    const P alpha = exp(t * P(-1 / (latent_scale * latent_scale)));
    return {alpha, sqrt(fmax(P(1) - alpha * alpha, P(0)))};
  }

  /// The time at which the clock shows s.
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P time_at(P s) const {
    return with_clock(clock, [&](auto of_clock) { return of_clock.time_at(*this, s); });
  }

  /// The square-root clock stands still at t = 0, where tau = 0 and a is 0: no divided difference.
  template <class P, class Store>
  KOKKOS_FORCEINLINE_FUNCTION void store_time_rows(Purpose purpose, P t, const ClockReading<P>& reading, const Store& store) const {
    using std::fmax;
    const auto at = factors(t);
    const bool whole = purpose == Purpose::residual;
    store(tau_row, at.tau);
    store(tau_dot_row, at.tau_dot);
    store(clock_factor_row, whole ? at.tau / fmax(reading.time_per_clock, P(1e-30)) : P(0));
    store(laplacian_factor_row, whole ? -at.tau : P(1));
  }

  /// R + C.
  template <class P, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION P residual(const Rows& rows) const {
    const int D = dimension;
    const P tau = rows.time(tau_row);
    P sum = rows.known(base_row(0)) + rows.time(tau_dot_row) * rows.result(of_psi, 0) + rows.result(of_psi, D + 1);
    for (int k = 1; k <= D; ++k) {
      const P gradient = rows.known(base_row(k)) + tau * rows.result(of_psi, k);
      sum += gradient * (gradient - rows.known(latent_row(k)));
    }
    return sum - (rows.known(base_row(D + 1)) - rows.known(latent_row(D + 1)));
  }

  template <class P, class Rows, class Store>
  KOKKOS_FORCEINLINE_FUNCTION void residual_gradient(const Rows& rows, P factor, const Store& store) const {
    const int D = dimension;
    const P tau = rows.time(tau_row), scaled = tau * factor;
    store(of_psi, 0, rows.time(tau_dot_row) * factor);
    for (int k = 1; k <= D; ++k) {
      const P gradient = rows.known(base_row(k)) + tau * rows.result(of_psi, k);
      store(of_psi, k, scaled * (gradient + gradient - rows.known(latent_row(k))));
    }
    store(of_psi, D + 1, factor);
  }

  /// v_t = grad(f_t - f_Z) and its divergence.
  template <class P, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION P velocity(int k, const Rows& rows) const {
    return rows.known(base_row(k)) - rows.known(latent_row(k)) + rows.time(tau_row) * rows.result(of_psi, k);
  }
};
static_assert(CurveFunctor<GradientFlow>);

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/curve_settings.hpp>
#include "curve/curve_clock.hpp"
#include "residual/curve_functor.hpp"
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
/// is zero (Chemseddine et al., arXiv 2410.03282): the Fokker-Planck equation of Langevin dynamics with stationary law rho_Z, which
/// contracts the target's law by alpha and convolves it with N(0, sigma^2 (1 - alpha^2)). In the coordinates y that is a convolution with
/// variance v = sigma^2 (exp(2t/sigma^2) - 1): a mode of squared width c keeps its shape while v is small beside c, and a normal law of
/// the target's mean mu and variances S_k^2 becomes f_A = sum_k (y_k - mu_k)^2 / (2 (S_k^2 + v)) + const. So psi has little to do where
/// v is far below c, and only numbers of order one where it is above.
///
/// Times in units of the diffusion dx = -grad f_Z dt + sqrt 2 dW; energies in nats. Usable on host and device, on packs or plain numbers.
///
/// Near the target the curve changes within times of c, which a smooth function of t cannot follow: networks see a clock s(t).
///
/// A functor for the fused kernel (see curve/curve_functor.hpp). What is known at a point comes as rows: of the base, d_t b, grad b [D],
/// Lap b; then of the latent law, value, gradient [D], Laplacian. Derivatives of psi come as channels [D+2]: value, gradient [D], and what
/// R needs of the rest, tau d psi/dt - tau Lap psi = a d psi/ds + b Lap psi with a = tau ds/dt and b = -tau. For the velocity a = 0, b = 1.
struct GradientFlow {
  enum Network { of_psi, network_count };
  static constexpr std::string_view network_names[network_count] = {"psi"};
  enum TimeRow { share_row, share_rate_row, clock_factor_row, laplacian_factor_row, time_row_count };
  static constexpr bool velocity_needs_energies = true;
  static constexpr bool has_exact_ends = false;  ///< psi may add any constant at the latent end

  int dimension = 1;
  double horizon = 5;  ///< T
  CurveForm form = CurveForm::contracted;
  Schedule schedule = Schedule::diffusion;
  CurveClock clock = CurveClock::logarithmic;
  double latent_scale = 1;  ///< sigma
  double width = 1;         ///< c [length^2], squared width of the target's modes, for schedules `diffusion` and `learned`
  double power = 4;         ///< q, for the same
  double clock_width = 1;   ///< c' [length^2], for the clock `logarithmic`

  /// Weights of the target's energy and of psi, and their rates. For the schedule `learned`, which needs its network, those that it begins
  /// with: diffusion, clamped to 0 at T (see ScheduledFlow).
  template <class P>
  struct Factors {
    P target, target_rate;  ///< g, dg/dt
    P share, share_rate;    ///< tau, dtau/dt
  };

  KOKKOS_FORCEINLINE_FUNCTION int known_rows() const { return 2 * (dimension + 2); }
  KOKKOS_FORCEINLINE_FUNCTION int base_row(int k) const { return k; }
  KOKKOS_FORCEINLINE_FUNCTION int latent_row(int k) const { return dimension + 2 + k; }

  KOKKOS_FORCEINLINE_FUNCTION Channels channels(int) const { return {dimension, true}; }
  KOKKOS_FORCEINLINE_FUNCTION static bool needed_for_velocity(int) { return true; }
  KOKKOS_FORCEINLINE_FUNCTION static SecondOrderRows second_order_rows(int) { return {clock_factor_row, laplacian_factor_row}; }

  /// 1/alpha = exp(t/sigma^2).
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P stretch(P t) const {
    using std::exp;
    return exp(t * P(1 / (latent_scale * latent_scale)));
  }

  /// v at the time when 1/alpha has the value `stretch`.
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P added_variance(P stretch) const {
    return P(latent_scale * latent_scale) * (stretch * stretch - P(1));
  }
  /// dv/dt at the time when v has the value `added`.
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P added_variance_rate(P added) const {
    return P(2) + added * P(2 / (latent_scale * latent_scale));
  }

  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION Factors<P> factors(P t) const {
    using std::exp, std::fmax;
    P g, rate;
    if (schedule == Schedule::linear) {
      g = P(1) - t * P(1 / horizon);
      rate = P(-1 / horizon);
    } else if (schedule == Schedule::vp) {
      const P share = t * P(1 / horizon);
      g = P(1) - VariancePreservingClock::clock_at(share);
      rate = P(-1 / horizon) / VariancePreservingClock::share_per_clock(share);
    } else if (schedule == Schedule::ou) {
      const double decay = 2 / (latent_scale * latent_scale), last = std::exp(-decay * horizon);
      const P left = exp(t * P(-decay));
      g = (left - P(last)) * P(1 / (1 - last));
      rate = left * P(-decay / (1 - last));
    } else {
      const P v = added_variance(stretch(t));
      g = faded(v);
      rate = P(-power) * g * added_variance_rate(v) / (P(width) + v);
      if (schedule == Schedule::learned) {
        const P last = faded(added_variance(stretch(P(horizon)))), whole = P(1) - last;
        g = fmax(g - last, P(0)) / whole;
        rate /= whole;
      }
    }
    const bool fades_in = form == CurveForm::contracted;
    return {g, rate, fades_in ? P(1) - g : t, fades_in ? -rate : P(1)};
  }

  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION ClockReading<P> clock_at(P t) const {
    using std::log, std::sqrt;
    if (clock == CurveClock::logarithmic) {
      const P v = added_variance(stretch(t));
      const double length = clock_length();
      return {log(P(1) + v * P(1 / clock_width)) * P(1 / length), P(length) * (P(clock_width) + v) / added_variance_rate(v)};
    }
    const P share = t * P(1 / horizon);
    if (clock == CurveClock::linear) return {share, P(horizon)};
    if (clock == CurveClock::vp)
      return {VariancePreservingClock::clock_at(share), P(horizon) * VariancePreservingClock::share_per_clock(share)};
    return {sqrt(share), P(2) * sqrt(t * P(horizon))};
  }

  double target_time() const { return 0; }
  double latent_time() const { return horizon; }

  /// Diffusion from the target: exact for any law of y.
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION BridgeOf<P> bridge(P t) const {
    using std::exp, std::fmax, std::sqrt;
    const P alpha = exp(t * P(-1 / (latent_scale * latent_scale)));
    return {alpha, sqrt(fmax(P(1) - alpha * alpha, P(0)))};
  }

  /// The time at which the clock shows s.
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P time_at(P s) const {
    using std::exp, std::log;
    if (clock == CurveClock::logarithmic) {
      const double variance = latent_scale * latent_scale;
      const P v = P(clock_width) * (exp(P(clock_length()) * s) - P(1));
      return P(0.5 * variance) * log(P(1) + v * P(1 / variance));
    }
    if (clock == CurveClock::vp) return P(horizon) * VariancePreservingClock::share_at(s);
    return P(horizon) * (clock == CurveClock::linear ? s : s * s);
  }

  /// The square-root clock stands still at t = 0, where tau = 0 and a is 0: no divided difference.
  template <class P, class Store>
  KOKKOS_FORCEINLINE_FUNCTION void store_time_rows(Purpose purpose, P t, const ClockReading<P>& reading, const Store& store) const {
    using std::fmax;
    const auto at = factors(t);
    const bool whole = purpose == Purpose::residual;
    store(share_row, at.share);
    store(share_rate_row, at.share_rate);
    store(clock_factor_row, whole ? at.share / fmax(reading.time_per_clock, P(1e-30)) : P(0));
    store(laplacian_factor_row, whole ? -at.share : P(1));
  }

  /// R + C.
  template <class P, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION P residual(const Rows& rows) const {
    const int D = dimension;
    const P share = rows.time(share_row);
    P sum = rows.known(base_row(0)) + rows.time(share_rate_row) * rows.result(of_psi, 0) + rows.result(of_psi, D + 1);
    for (int k = 1; k <= D; ++k) {
      const P slope = rows.known(base_row(k)) + share * rows.result(of_psi, k);
      sum += slope * (slope - rows.known(latent_row(k)));
    }
    return sum - (rows.known(base_row(D + 1)) - rows.known(latent_row(D + 1)));
  }

  template <class P, class Rows, class Store>
  KOKKOS_FORCEINLINE_FUNCTION void residual_slopes(const Rows& rows, P factor, const Store& store) const {
    const int D = dimension;
    const P share = rows.time(share_row), scaled = share * factor;
    store(of_psi, 0, rows.time(share_rate_row) * factor);
    for (int k = 1; k <= D; ++k) {
      const P slope = rows.known(base_row(k)) + share * rows.result(of_psi, k);
      store(of_psi, k, scaled * (slope + slope - rows.known(latent_row(k))));
    }
    store(of_psi, D + 1, factor);
  }

  /// v_t = grad(f_t - f_Z) and its divergence.
  template <class P, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION P velocity(int k, const Rows& rows) const {
    return rows.known(base_row(k)) - rows.known(latent_row(k)) + rows.time(share_row) * rows.result(of_psi, k);
  }

 private:
  /// (1 + v/c)^-q.
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P faded(P added) const {
    using std::exp, std::log;
    return exp(P(-power) * log(P(1) + added * P(1 / width)));
  }

  /// log(1 + v_T/c').
  KOKKOS_FORCEINLINE_FUNCTION double clock_length() const {
    const double variance = latent_scale * latent_scale;
    return std::log1p(variance * std::expm1(2 * horizon / variance) / clock_width);
  }
};

}  // namespace boltzcurve

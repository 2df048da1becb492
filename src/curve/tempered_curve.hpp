#pragma once

#include <boltzcurve/energy.hpp>
#include "curve/clocks.hpp"
#include "curve/curve_energies.hpp"
#include "network/networks.hpp"
#include "residual/curve_concept.hpp"
#include "simd/pack_math.hpp"

#include <cmath>
#include <memory>
#include <string_view>

namespace boltzcurve {

/// The curve of energies that goes straight from the latent law (t = 0) to the target (t = 1), bent by a network psi where there is one,
///
///     f_t = (1-t) f_Z + t f_D + tau(t) psi(x, t),    tau(0) = tau(1) = 0,
///
/// and a velocity v(x, t) that is a network of its own. The densities exp(-f_t)/Z_t move along v where the residual
///
///     R = d_t f_t - C_t + <grad f_t, v> - div v,     C_t = -(d/dt) log Z_t = E_t[d_t f_t],
///
/// is zero (Mate and Fleuret, arXiv 2301.07388). Without psi there is one law for every t, and where mass has to pass from one mode to
/// another across a gap, v grows with the depth of the gap; psi can choose laws between which less has to move.
///
/// At small t the target's energy t f_D already rules where it is steep: a mode of squared width c has, under a latent law of deviation
/// sigma, the precision (1-t)/sigma^2 + t/c. The clock, s = 1 at the latent law and 0 at the target, takes equal time for every doubling
/// of that: s = 1 - log(1 + kappa t)/log(1 + kappa), kappa about sigma^2/c.
///
/// A CurveFunctor (see residual/curve_concept.hpp). Known at a point: d_t b = f_D - f_Z and the gradient [D] of the base
/// b = (1-t) f_Z + t f_D. psi has channels value, gradient [D] and tau d psi/dt; v = unit/|dt/ds| times what comes out of its network,
/// which so is in lengths per unit of the clock. Any latent law; energies in nats, t in [0, 1].
struct TemperedCurve {
  enum Network { of_psi, of_velocity, network_count };
  static constexpr std::string_view network_names[network_count] = {"psi", "velocity"};
  enum TimeRow { tau_row, tau_dot_row, clock_factor_row, laplacian_factor_row, velocity_unit_row, time_row_count };
  static constexpr bool velocity_needs_energies = false, has_exact_ends = true;

  int dimension = 1;
  CurveClock clock = CurveClock::logarithmic;
  double kappa = 1;          ///< of the logarithmic clock, > 0
  double latent_scale = 1;   ///< sigma, root mean square over the coordinates
  double width = 1;          ///< c [length^2], squared width of the target's modes
  double velocity_unit = 1;  ///< [length]

  KOKKOS_FORCEINLINE_FUNCTION int known_rows() const { return 1 + dimension; }

  KOKKOS_FORCEINLINE_FUNCTION Channels channels(int network) const {
    return network == of_velocity ? Channels{dimension, false, true} : Channels{dimension, true, false};
  }
  KOKKOS_FORCEINLINE_FUNCTION static bool needed_for_velocity(int network) { return network == of_velocity; }
  KOKKOS_FORCEINLINE_FUNCTION static SecondOrderRows second_order_rows(int) { return {clock_factor_row, laplacian_factor_row}; }

  // As a clock's scale (see curve/clock.hpp): precision grows from 1 by kappa t.
  KOKKOS_FORCEINLINE_FUNCTION double span() const { return 1; }
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P widening(P t) const {
    return t;
  }
  KOKKOS_FORCEINLINE_FUNCTION double per_widening() const { return kappa; }
  KOKKOS_FORCEINLINE_FUNCTION double log_span() const { return std::log1p(kappa); }
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P time_per_log(P, P precision, double length) const {
    return precision * P(length / kappa);
  }
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P time_at_log(P log_precision) const {
    using std::exp, std::fmin;
    return fmin((exp(log_precision) - P(1)) * P(1 / kappa), P(1));
  }

  /// The clock runs backward, s = 1 - w.
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION ClockReading<P> clock_at(P t) const {
    return with_clock(clock, [&](auto of_clock) {
      const auto w = of_clock.at(*this, t);
      return ClockReading<P>{P(1) - w.clock, -w.time_per_clock};
    });
  }

  double target_time() const { return 1; }
  double latent_time() const { return 0; }

  /// The time at which the clock shows s.
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P time_at(P s) const {
    return with_clock(clock, [&](auto of_clock) { return of_clock.time_at(*this, P(1) - s); });
  }

  /// Where y is drawn from a normal mode of squared width c, x is drawn from exp(-(1-t) f_Z - t f_D).
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION InterpolationOf<P> interpolation(P t) const {
    using std::sqrt;
    const P of_latent = 1 / (latent_scale * latent_scale), of_target = t * P(1 / width), left = P(1) - t;
    const P precision = left * of_latent + of_target;
    return {of_target / precision, sqrt(left * (of_latent + of_target)) / precision * P(1 / latent_scale)};
  }

  /// Of psi.
  template <class P>
  struct Factors {
    P tau;
  };
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION Factors<P> factors(P t) const {
    return {t * (P(1) - t)};
  }

  template <class P, class Store>
  KOKKOS_FORCEINLINE_FUNCTION void store_time_rows(Purpose, P t, const ClockReading<P>& reading, const Store& store) const {
    using std::fabs, std::fmax;
    const P tau = factors(t).tau, speed = P(1) / fmax(fabs(reading.time_per_clock), P(min_time_per_clock));
    store(tau_row, tau);
    store(tau_dot_row, P(1) - (t + t));
    store(clock_factor_row, -tau * speed);  // the clock runs backward
    store(laplacian_factor_row, P(0));
    store(velocity_unit_row, P(velocity_unit) * speed);
  }

  /// Row k of grad f_t, k = 1..D.
  template <class P, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION P gradient(int k, const Rows& rows) const {
    return rows.has(of_psi) ? rows.known(k) + rows.time(tau_row) * rows.result(of_psi, k) : rows.known(k);
  }

  /// R + C.
  template <class P, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION P residual(const Rows& rows) const {
    P transport = -rows.result(of_velocity, dimension);
    for (int k = 1; k <= dimension; ++k) transport += gradient<P>(k, rows) * rows.result(of_velocity, k - 1);
    P sum = rows.known(0) + rows.time(velocity_unit_row) * transport;
    if (rows.has(of_psi)) sum += rows.time(tau_dot_row) * rows.result(of_psi, 0) + rows.result(of_psi, dimension + 1);
    return sum;
  }

  template <class P, class Rows, class Store>
  KOKKOS_FORCEINLINE_FUNCTION void residual_gradient(const Rows& rows, P factor, const Store& store) const {
    const P moved = rows.time(velocity_unit_row) * factor;
    for (int k = 1; k <= dimension; ++k) store(of_velocity, k - 1, moved * gradient<P>(k, rows));
    store(of_velocity, dimension, -moved);
    if (!rows.has(of_psi)) return;
    store(of_psi, 0, rows.time(tau_dot_row) * factor);
    for (int k = 1; k <= dimension; ++k) store(of_psi, k, moved * rows.time(tau_row) * rows.result(of_velocity, k - 1));
    store(of_psi, dimension + 1, factor);
  }

  template <class P, class Rows>
  KOKKOS_FORCEINLINE_FUNCTION P velocity(int k, const Rows& rows) const {
    return rows.time(velocity_unit_row) * rows.result(of_velocity, k - 1);
  }
};
static_assert(CurveFunctor<TemperedCurve>);

/// A tempered curve of which everything is known; linear where there is no network "psi".
class Curve;
std::unique_ptr<Curve> make_curve(const TemperedCurve& curve, const CurveNetworks& networks, const Taming& taming);

/// The rows of a TemperedCurve, of energies that must outlive it.
template <class Real>
std::unique_ptr<CurveEnergies<Real>> make_tempered_energies(const Taming& taming, const Energy& target, const Energy& latent);

}  // namespace boltzcurve

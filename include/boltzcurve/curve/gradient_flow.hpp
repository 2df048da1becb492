#pragma once

#include <boltzcurve/core/choice.hpp>
#include <boltzcurve/core/pack_math.hpp>

namespace boltzcurve {

/// What stands beside the learned part of the energy: `plain` g f_D + t psi, `anchored` g f_D + (1-g) f_Z + t psi.
enum class CurveForm { plain, anchored };
template <>
inline constexpr auto choices<CurveForm> = std::to_array<Choice<CurveForm>>({
    {CurveForm::plain, "plain", "g f_D + t psi"},
    {CurveForm::anchored, "anchored", "g f_D + (1 - g) f_Z + t psi: psi need not learn the growth of f_Z"},
});

/// Weight g of the target's energy along the gradient flow, g(0) = 1, g(T) = 0.
enum class Schedule { linear };
template <>
inline constexpr auto choices<Schedule> = std::to_array<Choice<Schedule>>({
    {Schedule::linear, "linear", "g(t) = (T - t) / T"},
});

/// What networks see in place of t: a clock s from 0 at the target to 1 at the latent law.
enum class NetworkClock { square_root, linear };
template <>
inline constexpr auto choices<NetworkClock> = std::to_array<Choice<NetworkClock>>({
    {NetworkClock::square_root, "square-root", "s = sqrt(t/T): the fast start near the target becomes smooth"},
    {NetworkClock::linear, "linear", "s = t/T"},
});

/// The gradient-flow curve of energies between the target (t = 0) and the latent law (t = T),
///
///     f_t(x) = g(t) f_D(x) [+ (1 - g(t)) f_Z(x)] + t psi(x, t),      v_t = grad(f_t - f_Z),
///
/// which obeys the continuity equation where the residual
///
///     R = d_t f_t - C_t + <grad f_t, grad(f_t - f_Z)> - Lap(f_t - f_Z)
///
/// is zero (Chemseddine et al., arXiv 2410.03282): the Fokker-Planck equation of Langevin dynamics with stationary law rho_Z.
/// Times in units of the diffusion dx = -grad f_Z dt + sqrt 2 dW; energies in nats. Usable on host and device, on packs or plain numbers.
///
/// Networks see a clock in place of t, by default s = sqrt(t/T): near the target the curve changes within times of 1/|grad f_D|^2, which a
/// smooth function of t cannot follow. The residual needs d psi/dt only as t d psi/dt = (s/2) d psi/ds, which is regular at t = 0.
///
/// Derivatives of an energy at one point come as rows: value, gradient [D], Laplacian. Those of psi as channels [D+2]: value, gradient [D],
/// and what R needs of the rest, t d psi/dt - t Lap psi = a d psi/ds + b Lap psi with a = t ds/dt and b = -t.
struct GradientFlow {
  int dimension = 1;
  double horizon = 5;  ///< T
  CurveForm form = CurveForm::anchored;
  Schedule schedule = Schedule::linear;
  NetworkClock network_clock = NetworkClock::square_root;

  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P weight(P t) const {
    return P(1) - t * P(1 / horizon);
  }
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P weight_rate(P) const {
    return P(-1 / horizon);
  }

  /// s.
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P clock(P t) const {
    const P share = t * P(1 / horizon);
    return network_clock == NetworkClock::linear ? share : sqrt(share);
  }

  /// a and b of the last channel of psi.
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P clock_factor(P t) const {
    return network_clock == NetworkClock::linear ? clock(t) : P(0.5) * clock(t);
  }
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P laplacian_factor(P t) const {
    return -t;
  }

  /// R at one pack of points. `load(array, row)` reads row `row` of one of the arrays.
  template <class P, class Load, class Array>
  KOKKOS_FORCEINLINE_FUNCTION P residual(P t, P c, const Load& load, Array target, Array latent, Array psi) const {
    const int D = dimension;
    const P g = weight(t), rate = weight_rate(t), anchor = form == CurveForm::anchored ? P(1) - g : P(0);
    P sum = rate * (load(target, 0) - (form == CurveForm::anchored ? load(latent, 0) : P(0))) - c;
    sum += load(psi, 0) + load(psi, D + 1);
    for (int k = 1; k <= D; ++k) {
      const P z = load(latent, k), slope = g * load(target, k) + anchor * z + t * load(psi, k);
      sum += slope * (slope - z);
    }
    return sum - (g * load(target, D + 1) + (anchor - P(1)) * load(latent, D + 1));
  }

  /// R where psi and C are zero.
  template <class P, class Load, class Array>
  KOKKOS_FORCEINLINE_FUNCTION P base_residual(P t, const Load& load, Array target, Array latent) const {
    const auto load_or_zero = [=](Array rows, int row) { return rows == Array{} ? P(0) : load(rows, row); };
    return residual(t, P(0), load_or_zero, target, latent, Array{});
  }

  /// dR/d(channel of psi) times `factor`, for all D+2 channels: store(channel, value). dR/dC = -1.
  template <class P, class Load, class Array, class Store>
  KOKKOS_FORCEINLINE_FUNCTION void residual_slopes(P t, P factor, const Load& load, Array target, Array latent, Array psi,
                                                   const Store& store) const {
    const int D = dimension;
    const P g = weight(t), anchor = form == CurveForm::anchored ? P(1) - g : P(0), scaled = t * factor;
    store(0, factor);
    for (int k = 1; k <= D; ++k) {
      const P z = load(latent, k), slope = g * load(target, k) + anchor * z + t * load(psi, k);
      store(k, scaled * (slope + slope - z));
    }
    store(D + 1, factor);
  }

  /// Component k (1..D) of the velocity v_t = grad(f_t - f_Z), and its divergence; here psi has channels value, gradient, Laplacian
  /// (a = 0, b = 1).
  template <class P, class Load, class Array>
  KOKKOS_FORCEINLINE_FUNCTION P velocity(int k, P t, const Load& load, Array target, Array latent, Array psi) const {
    const P g = weight(t), anchor = form == CurveForm::anchored ? P(1) - g : P(0);
    return g * load(target, k) + (anchor - P(1)) * load(latent, k) + t * load(psi, k);
  }
  template <class P, class Load, class Array>
  KOKKOS_FORCEINLINE_FUNCTION P divergence(P t, const Load& load, Array target, Array latent, Array psi) const {
    const int D = dimension;
    return velocity(D + 1, t, load, target, latent, psi);
  }
};

}  // namespace boltzcurve

#pragma once

#include <Kokkos_Macros.hpp>

#include <cmath>

namespace boltzcurve {

/// Ornstein-Uhlenbeck diffusion dx = -(x - m)/sigma^2 dt + sqrt 2 dW from the target (t = 0) to about the latent law N(m, sigma^2) (t = T),
/// which contracts the target's law by alpha = exp(-t/sigma^2) and convolves it with N(0, sigma^2 (1 - alpha^2)); with the numbers that
/// schedules, clocks and forms of a gradient flow take besides. In the coordinates y = m + (x - m)/alpha that is a convolution with
/// variance v = sigma^2 (exp(2t/sigma^2) - 1). Host and device, for packs or plain numbers.
struct FlowParameters {
  int dimension = 1;
  double horizon = 5;       ///< T
  double latent_scale = 1;  ///< sigma
  double width = 1;         ///< c [length^2], squared width of the target's modes, for schedules `diffusion` and `learned`
  double power = 4;         ///< q, for the same
  double clock_width = 1;   ///< c' [length^2], for the clock `logarithmic`

  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P inverse_alpha(P t) const {
    using std::exp;
    return exp(t * P(1 / (latent_scale * latent_scale)));
  }

  /// v at the time when 1/alpha has that value.
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P added_variance(P inverse_alpha) const {
    return P(latent_scale * latent_scale) * (inverse_alpha * inverse_alpha - P(1));
  }
  /// dv/dt at the time when v has that value.
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P added_variance_dot(P v) const {
    return P(2) + v * P(2 / (latent_scale * latent_scale));
  }

  // As a clock's scale (see curve/clock.hpp): modes widen from c' by v.
  KOKKOS_FORCEINLINE_FUNCTION double span() const { return horizon; }
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P widening(P t) const {
    return added_variance(inverse_alpha(t));
  }
  KOKKOS_FORCEINLINE_FUNCTION double per_widening() const { return 1 / clock_width; }
  KOKKOS_FORCEINLINE_FUNCTION double log_span() const {
    const double variance = latent_scale * latent_scale;
    return std::log1p(variance * std::expm1(2 * horizon / variance) / clock_width);
  }
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P time_per_log(P v, P, double length) const {
    return P(length) * (P(clock_width) + v) / added_variance_dot(v);
  }
  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION P time_at_log(P log_ratio) const {
    using std::exp, std::log;
    const double variance = latent_scale * latent_scale;
    const P v = P(clock_width) * (exp(log_ratio) - P(1));
    return P(0.5 * variance) * log(P(1) + v * P(1 / variance));
  }
};

}  // namespace boltzcurve

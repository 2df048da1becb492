#pragma once

#include "curve/form.hpp"

namespace boltzcurve {

/// f_t = f_A(x, t) + psi, f_A the energy of a normal law or of a mixture of them after time t of diffusion (curve/mixture_anchor.hpp): the
/// target's energy is no part of the curve, and enters by the loss `matching` and by the weights.
template <>
struct FormOf<CurveForm::network> {
  static constexpr bool contracts = false;
  static constexpr bool reads_target = false;
  static constexpr double tau_by_g = 0;

  template <class P>
  KOKKOS_FORCEINLINE_FUNCTION static PsiFactor<P> psi_factor(P, P, P) {
    return {P(1), P(0)};
  }
};

}  // namespace boltzcurve

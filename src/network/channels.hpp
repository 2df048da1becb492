#pragma once

#include <Kokkos_Macros.hpp>

namespace boltzcurve {

/// Which derivatives travel with each neuron, and what is asked for at the end: of a network of one output all of them, of one with an
/// output per space coordinate, a vector field, its values and its divergence. The tangents of other outputs than their own are never made.
struct Channels {
  int space = 0;              ///< tangents by the first `space` inputs
  bool second_order = false;  ///< a times the derivative by the last input plus b times the sum of second derivatives by the first `space`
  bool divergence = false;    ///< the network is a vector field: `space` outputs

  KOKKOS_INLINE_FUNCTION int count() const { return 1 + space + (second_order ? 1 : 0); }
  KOKKOS_INLINE_FUNCTION int second_order_channel() const { return 1 + space; }
  /// Numbers per point that come out: as many as there are channels, or the field's components and then its divergence.
  KOKKOS_INLINE_FUNCTION int results() const { return divergence ? space + 1 : count(); }
};

}  // namespace boltzcurve

#pragma once

#include "network/channels.hpp"

#include <Kokkos_Macros.hpp>

/// What the fused kernel (curve/residual.hpp) asks of the mathematics of a curve, as a functor that is copied to the device. It names its
/// networks, some of which may be absent, and has, for a pack P of points,
///
///     enum Network { ..., network_count };  static constexpr std::string_view network_names[network_count];
///     Channels channels(int network) const;                  what travels through the network
///     static bool needed_for_velocity(int network);
///     SecondOrderRows second_order_rows(int network) const;  where a and b of its second-order channel are, if it has one
///
///     int dimension, known_rows() const;                     rows of what is known at a point without networks (see CurveEnergies)
///     static constexpr bool velocity_needs_energies, has_exact_ends;   see Curve
///     ClockReading<P> clock_at(P t) const;
///     enum TimeRow { ..., time_row_count };                  what depends on time alone: filled once per point by
///     store_time_rows(purpose, t, reading, store) const;     store(row, value)
///
///     P residual<P>(rows) const;                             R + C [nats/time]
///     residual_slopes<P>(rows, factor, store) const;         store(network, result, value): dR/d(that result) times factor
///     P velocity<P>(k, rows) const;                          component k (1..D), and for k = D + 1 the divergence
///
/// where rows.time(row), rows.known(row) and rows.result(network, i) give packs, and rows.has(network) says whether it is there.
/// Results of a network are its channels, or of a vector field its components and then its divergence (see Channels).
namespace boltzcurve {

/// What a pass through the networks is for.
enum class Purpose { residual, velocity };

/// Rows of time that hold the factors a and b of a second-order channel (see network/tile.hpp).
struct SecondOrderRows {
  int a, b;
};

/// The clock s, and dt/ds: how much time a unit of it takes.
template <class P>
struct ClockReading {
  P clock, time_per_clock;
};

/// |dt/ds| below which the clock counts as standing still: what is finite in its units would be infinite in those of time.
inline constexpr double min_time_per_clock = 1e-12;

/// How a curve carries a point y of the target to time t where both ends are normal, the target's modes of a given width:
///     x = m + contraction (y - m) + spread e,    e ~ N(0, 1) in units of the latent law's deviation,    m the latent mean.
template <class P>
struct BridgeOf {
  P contraction, spread;
};
using Bridge = BridgeOf<double>;

}  // namespace boltzcurve

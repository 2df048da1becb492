#pragma once

#include "network/channels.hpp"
#include "simd/pack.hpp"

#include <Kokkos_Macros.hpp>

#include <concepts>
#include <string_view>
#include <type_traits>

namespace boltzcurve {

/// What a pass through the networks is for.
enum class Purpose { residual, velocity };

/// Rows of time that hold the factors a and b of a second-order channel (see network/channels.hpp).
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

/// Ornstein-Uhlenbeck interpolation, or what stands for it on other curves: how a point y of the target is carried to time t where both
/// ends are normal, the target's modes of a given width:
///     x = m + contraction (y - m) + spread e,    e ~ N(0, 1) in units of the latent law's deviation,    m the latent mean.
template <class P>
struct InterpolationOf {
  P contraction, spread;
};
using Interpolation = InterpolationOf<double>;

/// What a curve's functor reads of a pack of points: rows of what follows from time alone, of what is known without networks (see
/// CurveEnergies), and results of networks, which are their channels, or of a vector field its components and then its divergence (see
/// Channels); and whether a network is there. The kernel's own type is made the same way.
template <class P>
struct CurveRows {
  P time(int row) const;
  P known(int row) const;
  P result(int network, int k) const;
  bool has(int network) const;
};

/// What the fused kernel (residual/residual_kernel.hpp) asks of the mathematics of a curve: a functor that is copied to the device, and
/// works on packs P of points. Its networks may be absent where it says so by has(). R + C is the residual without its normalizer
/// [nats/time].
///
///     enum Network { ..., network_count }, network_names         its networks
///     channels(network), needed_for_velocity(network)            what travels through them, and which the velocity wants
///     second_order_rows(network)                                 where a and b of a second-order channel are
///     dimension, known_rows()                                    D, and how many rows are known at a point
///     velocity_needs_energies, has_exact_ends                    see Curve
///     clock_at(t)                                                s(t) and dt/ds; time_at(s) its inverse
///     interpolation(t)                                           of points drawn for training
///     enum TimeRow { ..., time_row_count }                       rows of time, filled once per point by
///     store_time_rows(purpose, t, reading, store)                store(row, value)
///     residual<P>(rows)                                          R + C
///     residual_gradient<P>(rows, factor, store)                  store(network, result, factor dR/d(that result)), for every result
///     velocity<P>(k, rows)                                       component k of v [length/time], k = 1..D, and its divergence for D + 1
template <class C>
concept CurveFunctor = std::is_trivially_copyable_v<C> &&
    requires(const C& curve, Purpose purpose, const CurveRows<Pack<float>>& rows, Pack<float> pack) {
  { C::network_names[C::network_count - 1] } -> std::convertible_to<std::string_view>;
  { curve.channels(0) } -> std::same_as<Channels>;
  { C::needed_for_velocity(0) } -> std::same_as<bool>;
  { curve.second_order_rows(0) } -> std::same_as<SecondOrderRows>;
  { curve.dimension } -> std::convertible_to<int>;
  { curve.known_rows() } -> std::same_as<int>;
  requires std::same_as<decltype(C::velocity_needs_energies), const bool> && std::same_as<decltype(C::has_exact_ends), const bool>;
  { curve.target_time() } -> std::same_as<double>;
  { curve.latent_time() } -> std::same_as<double>;
  { curve.clock_at(pack) } -> std::same_as<ClockReading<Pack<float>>>;
  { curve.time_at(pack) } -> std::same_as<Pack<float>>;
  { curve.interpolation(pack) } -> std::same_as<InterpolationOf<Pack<float>>>;
  requires C::time_row_count >
  0;
  curve.store_time_rows(purpose, pack, ClockReading<Pack<float>>{}, [](int, Pack<float>) {});
  { curve.template residual<Pack<float>>(rows) } -> std::same_as<Pack<float>>;
  curve.template residual_gradient<Pack<float>>(rows, pack, [](int, int, Pack<float>) {});
  { curve.template velocity<Pack<float>>(1, rows) } -> std::same_as<Pack<float>>;
};

}  // namespace boltzcurve

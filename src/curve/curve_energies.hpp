#pragma once

#include <boltzcurve/views.hpp>

#include <cmath>
#include <limits>
#include <span>

namespace boltzcurve {

/// Energies f_t of a curve at points of space-time, as far as they are known without its networks: the rows that its functor reads. Where
/// the target's energy, or a derivative of it that counts, is NaN, so are rows; where it is +infinity, a wall, they are finite, but in the
/// plain and anchored forms of the gradient flow, which have nothing to put in its place.
template <class Real>
class CurveEnergies {
 public:
  virtual ~CurveEnergies() = default;

  virtual int rows() const = 0;

  /// At points x [n][D], each with its own time t [n], into `known` [n][rows].
  virtual void evaluate(PointScalars<const Real> t, Points<const Real> x, Points<Real> known) = 0;

  /// b and grad b at points x [n][D] of one time t, into `out` [n][D+1]: f_t as far as it is known without the networks, a wall with
  /// overflow_energy or more. Null of the schedule `learned`, whose base has a network in it.
  virtual bool has_base() const { return true; }
  virtual void base(Real t, Points<const Real> x, Points<Real> out) = 0;

  /// From a point x [D] of the curve at time t to that where the target's energy counts for it, in place.
  virtual void to_target(double t, std::span<double> x) const { (void)t, (void)x; }
};

/// Above `level` [nats] a target's energy is tamed to  level + scale log(1 + (f_D - level)/scale): where a density is exp(-50) of what it
/// is elsewhere its walls only make numbers overflow. Weights of samples are those of f_D itself. The default tames nothing.
struct Taming {
  double level = std::numeric_limits<double>::infinity(), scale = 1;

  /// (f - level)/scale above the level, else 0.
  template <class Real>
  KOKKOS_FORCEINLINE_FUNCTION Real excess(Real f) const {
    return f > static_cast<Real>(level) ? (f - static_cast<Real>(level)) / static_cast<Real>(scale) : Real(0);
  }
  /// The tamed energy, given the excess of f; its gradient is that of f over 1 + excess.
  template <class Real>
  KOKKOS_FORCEINLINE_FUNCTION Real energy(Real f, Real excess) const {
    using std::log;
    return excess > Real(0) ? static_cast<Real>(level) + static_cast<Real>(scale) * log(Real(1) + excess) : f;
  }
};

/// Energies and squared gradients from here on count as overflown: well below what float can hold.
inline constexpr double overflow_energy = 1e30;

/// A wall, where the density is nothing. NaN is none: there the density is not known.
template <class Real>
KOKKOS_FORCEINLINE_FUNCTION bool overflown(Real energy) {
  return energy >= static_cast<Real>(overflow_energy);
}

}  // namespace boltzcurve

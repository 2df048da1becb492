#pragma once

#include <boltzcurve/views.hpp>

namespace boltzcurve {

/// A time-dependent velocity v_t(x) on R^D with its divergence: the right-hand side of dx/dt = v_t(x).
class VelocityField {
 public:
  virtual ~VelocityField() = default;

  virtual int dimension() const = 0;

  /// Fills `velocity` [n][D] and `divergence` [n] at the points x [n][D], each at its own time t [n]. Every View may be a part of a larger
  /// one: stride(1) can exceed extent(0), and the first point need not be aligned. Runs on the device, in the default execution space's
  /// order. The answer for one point must not depend, not even in its last bit, on the other points or on its place among them; where
  /// the field does not exist it is NaN or infinite, never an exception.
  virtual void evaluate(PointScalars<const double> t, Points<const double> x, Points<double> velocity,
                        PointScalars<double> divergence) const = 0;
};

}  // namespace boltzcurve

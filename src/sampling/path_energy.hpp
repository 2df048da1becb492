#pragma once

#include <boltzcurve/energy.hpp>
#include <boltzcurve/precision.hpp>
#include "curve/curve.hpp"

#include <memory>
#include <span>
#include <utility>

namespace boltzcurve {

/// The energies f_t along a path of densities from where particles start to the target's end of it, each up to a constant of its own.
class PathDensity {
 public:
  virtual ~PathDensity() = default;
  virtual int dimension() const = 0;
  /// Of a clock that shows 1 at the start and 0 at the target's end.
  virtual double time_at(double clock) const = 0;
  /// f_t and its gradient at points x [n][D] of one time, into `out` [n][D + 1].
  virtual void evaluate(double t, Points<const double> x, Points<double> out) const = 0;
};

/// The densities of a curve whose networks have the given parameters: its base in double, psi in `precision` and by reverse mode. Null
/// where f_t is not known without further networks (the schedule `learned`). Curve and energies must outlive it.
std::shared_ptr<const PathDensity> make_path_density(Precision precision, const Curve& curve, std::span<const double> parameters,
                                                     const Energy& target, const Energy& latent);

/// One density of a path, and beyond its end those that lead to the target where the path does not: (1-b) f_t + b f_D.
class PathEnergy final : public Energy {
 public:
  /// Density, which b = 1 has no need of, and target must outlive this.
  PathEnergy(const PathDensity* path, const Energy& target, double t, double b) : path_(path), target_(target), t_(t), b_(b) {}

  int dimension() const override { return target_.dimension(); }
  Domain domain() const override { return target_.domain(); }
  void evaluate(Points<const float> x, Points<float> out, Wanted wanted) const override;
  void evaluate(Points<const double> x, Points<double> out, Wanted wanted) const override;  ///< value and gradient

 private:
  const PathDensity* path_;
  const Energy& target_;
  double t_, b_;
};

}  // namespace boltzcurve

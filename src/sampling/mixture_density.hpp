#pragma once

#include "curve/mixture_anchor.hpp"
#include "energy/normal_mixture.hpp"
#include "sampling/path_energy.hpp"

#include <span>
#include <vector>

namespace boltzcurve {

/// A path of one density, that of a product of mixtures of normal laws: what particles start from where no flow is to carry them, since
/// it is normalized and has an exact sampler. As an energy and as a path in one.
class MixtureDensity final : public PathDensity, public Energy {
 public:
  /// `domain` of the target.
  MixtureDensity(std::span<const MixtureFactor> factors, Domain domain);

  int dimension() const override { return flow_.dimension; }
  Domain domain() const override { return domain_; }
  std::optional<double> log_z() const override { return 0; }
  bool draw(std::uint64_t seed, std::int64_t first, HostPoints<double> out) const override;
  void evaluate(Points<const float> x, Points<float> out, Wanted wanted) const override;
  void evaluate(Points<const double> x, Points<double> out, Wanted wanted) const override;  ///< value and gradient

  double time_at(double /*clock*/) const override { return 0; }
  void evaluate(double t, Points<const double> x, Points<double> out) const override;

 private:
  FlowParameters flow_;
  std::vector<MixtureFactor> factors_;
  MixtureAnchor<double> anchor_;
  Domain domain_;
};

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/energy.hpp>
#include "curve/curve_energies.hpp"
#include "curve/gradient_flow.hpp"
#include "curve/mixture_anchor.hpp"
#include "curve/scheduled_flow.hpp"
#include "network/networks.hpp"

#include <memory>
#include <span>
#include <vector>

namespace boltzcurve {

/// The normal law f_A of the contracted form at t = 0, with the constant that makes it comparable with f_D.
struct CurveAnchor {
  std::vector<double> mean, variance;  ///< mu, S^2 [D]
  double offset = 0;                   ///< nats
  Taming taming;
  std::vector<MixtureFactor> factors;  ///< of f_A of the form `network` at t = 0

  /// N(0, 1) in all coordinates, nothing tamed.
  static CurveAnchor standard(int dimension);
};

/// Which rows are wanted: those of a GradientFlow, or, where g is known later only, those of a ScheduledFlow.
enum class GradientFlowRows { mixed, apart };

/// Rows of a GradientFlow, of its base b = g f_D + (1-g) f_A and then of f_Z; or those of a ScheduledFlow, of f_A and of f_D - f_A, then of
/// f_Z. What f_A stands for, and where f_D is read, is the form's (see curve/form.hpp).
template <class Real>
class GradientFlowEnergies final : public CurveEnergies<Real> {
 public:
  /// The energies must outlive this. m is the latent law's only mode. `anchor` is needed by forms that contract.
  GradientFlowEnergies(const GradientFlow& curve, const CurveAnchor& anchor, const Energy& target, const Energy& latent,
                       GradientFlowRows rows = GradientFlowRows::mixed);

  int rows() const override;
  void evaluate(PointScalars<const Real> t, Points<const Real> x, Points<Real> known) override;
  bool has_base() const override { return rows_ == GradientFlowRows::mixed; }
  void base(Real t, Points<const Real> x, Points<Real> out) override;
  void to_target(double t, std::span<double> x) const override;

  // Parts of evaluate(); public because they have kernels, for which NVCC asks it.
  void prepare(PointScalars<const Real> t, Points<const Real> x);
  template <class Form, class Rows>
  void evaluate_base(Points<const Real> x, Points<Real> of_target, Points<const Real> latent, const Rows& rows, Wanted wanted);

 private:
  bool contracts() const;

  GradientFlow curve_;
  GradientFlowRows rows_;
  const Energy& target_;
  const Energy& latent_;
  std::vector<double> latent_mean_;  // of a form that contracts
  Kokkos::View<Real*> center_, anchor_mean_, anchor_variance_;
  Real anchor_offset_;
  Taming taming_;
  Points<Real> y_, of_target_;  // these three grow to the largest batch seen; of_target_: with rows apart
  Kokkos::View<BaseMoment<Real>*> moments_;
};

/// Rows of a GradientFlow of the form `network`, which knows nothing of the target's energy.
template <class Real>
class MixtureFlowEnergies final : public CurveEnergies<Real> {
 public:
  /// The latent law must outlive this.
  MixtureFlowEnergies(const GradientFlow& curve, const MixtureAnchor<Real>& anchor, const Energy& latent)
      : curve_(curve), anchor_(anchor), latent_(latent) {}

  int rows() const override { return curve_.known_rows(); }
  void evaluate(PointScalars<const Real> t, Points<const Real> x, Points<Real> known) override {
    const auto columns = static_cast<std::size_t>(curve_.dimension) + 2;
    latent_.evaluate(x, Kokkos::subview(known, Kokkos::ALL, std::make_pair(columns, 2 * columns)));
    anchor_.evaluate(t, x, Kokkos::subview(known, Kokkos::ALL, std::make_pair(std::size_t{0}, columns)));
  }
  void base(Real t, Points<const Real> x, Points<Real> out) override { anchor_.energies(t, x, out); }

 private:
  GradientFlow curve_;
  MixtureAnchor<Real> anchor_;
  const Energy& latent_;
};

/// A gradient flow of which everything is known; with the schedule `learned`, a ScheduledFlow.
class Curve;
std::unique_ptr<Curve> make_curve(const GradientFlow& curve, const CurveNetworks& networks, const CurveAnchor& anchor,
                                  const std::vector<double>& latent_mean = {});

extern template class GradientFlowEnergies<float>;
extern template class GradientFlowEnergies<double>;

}  // namespace boltzcurve

#include "to_device.hpp"

#include <boltzcurve/core/error.hpp>
#include <boltzcurve/curve/gradient_flow_energies.hpp>

#include <cmath>
#include <string>

namespace boltzcurve {
namespace {

constexpr double smallest_weight = 1e-9;

}  // namespace

CurveAnchor CurveAnchor::standard(int dimension) {
  const auto D = static_cast<std::size_t>(dimension);
  return {std::vector<double>(D, 0.0), std::vector<double>(D, 1.0), 0, {}};
}

template <class Real>
GradientFlowEnergies<Real>::GradientFlowEnergies(const GradientFlow& curve, const CurveAnchor& anchor, const Energy& target,
                                                 const Energy& latent)
    : curve_(curve),
      target_(target),
      latent_(latent),
      anchor_mean_(detail::to_device<Real>("boltzcurve::anchor_mean", anchor.mean)),
      anchor_variance_(detail::to_device<Real>("boltzcurve::anchor_variance", anchor.variance)),
      anchor_offset_(static_cast<Real>(anchor.offset)),
      taming_(anchor.taming) {
  if (curve.form != CurveForm::contracted) return;
  const auto modes = latent.modes();
  const auto D = static_cast<std::size_t>(curve.dimension);
  if (modes.size() != 1 || anchor.mean.size() != D || anchor.variance.size() != D)
    throw Error(ExitCode::internal_error, "GradientFlowEnergies: the contracted form needs a normal latent law and an anchor");
  center_ = detail::to_device<Real>("boltzcurve::curve_center", modes.front().center);
}

template <class Real>
void GradientFlowEnergies<Real>::evaluate(PointScalars<const Real> t, Points<const Real> x, Points<Real> known) {
  if (t.extent(0) == 0) return;
  const auto columns = static_cast<std::size_t>(curve_.dimension) + 2;
  const Points<Real> base = Kokkos::subview(known, Kokkos::ALL, std::make_pair(std::size_t{0}, columns)),
                     latent = Kokkos::subview(known, Kokkos::ALL, std::make_pair(columns, 2 * columns));
  latent_.evaluate(x, latent);
  if (curve_.form == CurveForm::contracted)
    contract(t, x, base);
  else
    stay(t, x, base, latent);
}

template <class Real>
void GradientFlowEnergies<Real>::stay(PointScalars<const Real> t, Points<const Real> x, Points<Real> base, Points<const Real> latent) {
  target_.evaluate(x, base);
  const auto curve = curve_;
  const int D = curve_.dimension;
  const Real anchored = curve_.form == CurveForm::anchored ? 1 : 0;
  Kokkos::parallel_for(
      "boltzcurve::static_base", t.extent(0), KOKKOS_LAMBDA(const std::size_t i) {
        const auto factors = curve.factors(t(i));
        const Real g = factors.target, anchor = anchored * (Real(1) - g);
        base(i, 0) = factors.target_rate * (base(i, 0) - anchored * latent(i, 0));
        for (int k = 1; k <= D + 1; ++k) base(i, k) = g * base(i, k) + anchor * latent(i, k);
      });
}

template <class Real>
void GradientFlowEnergies<Real>::contract(PointScalars<const Real> t, Points<const Real> x, Points<Real> base) {
  const std::size_t n = t.extent(0);
  const int D = curve_.dimension;
  if (y_.extent(0) < n) {
    y_ = Points<Real>(Kokkos::view_alloc("boltzcurve::contracted_points", Kokkos::WithoutInitializing), n, static_cast<std::size_t>(D));
    moments_ = Kokkos::View<Moment*>(Kokkos::view_alloc("boltzcurve::contracted_moments", Kokkos::WithoutInitializing), n);
  }
  const Points<Real> y = Kokkos::subview(y_, std::make_pair(std::size_t{0}, n), Kokkos::ALL);
  const auto moments = moments_;
  const auto curve = curve_;
  const auto center = center_, mean = anchor_mean_, variance = anchor_variance_;
  const auto tamed = taming_;
  const Real offset = anchor_offset_, precision = static_cast<Real>(1 / (curve_.latent_scale * curve_.latent_scale));
  Kokkos::parallel_for(
      "boltzcurve::contracted_points", n, KOKKOS_LAMBDA(const std::size_t i) {
        const auto factors = curve.factors(t(i));
        const Real stretch = curve.stretch(t(i));
        moments(i) = {factors.target, factors.target_rate, stretch};
        const Real reach = factors.target > Real(smallest_weight) ? stretch : Real(0);
        for (int k = 0; k < D; ++k) y(i, k) = center(k) + (x(i, k) - center(k)) * reach;
      });
  target_.evaluate(y, base);
  Kokkos::parallel_for(
      "boltzcurve::contracted_base", n, KOKKOS_LAMBDA(const std::size_t i) {
        const Moment moment = moments(i);
        const Real excess = tamed.excess(base(i, 0)), taming = Real(1) / (Real(1) + excess);
        Real steepness = 0;  // of the target: the sum of its squared slopes, needed where it is tamed
        if (excess > Real(0))
          for (int k = 1; k <= D; ++k) steepness += base(i, k) * base(i, k);
        const bool finite = base(i, 0) < Real(largest_energy) && steepness < Real(largest_energy);
        const bool target_counts = finite && moment.target > Real(smallest_weight);
        const Real g = target_counts ? moment.target : Real(0), g_rate = target_counts ? moment.target_rate : Real(0);
        const Real stretch = moment.stretch, added = curve.added_variance(stretch);
        const Real added_rate = curve.added_variance_rate(added);
        Real target_rate = 0, anchor = offset, anchor_rate = 0, anchor_laplacian = 0;
        for (int k = 0; k < D; ++k) {
          const Real from_center = (x(i, k) - center(k)) * stretch, from_mean = center(k) + from_center - mean(k);
          const Real sharpness = Real(1) / (variance(k) + added), slope = from_mean * sharpness;
          const Real target_slope = target_counts ? taming * base(i, k + 1) : Real(0);
          target_rate += target_slope * from_center;
          anchor += Real(0.5) * from_mean * slope;
          anchor_rate += slope * (from_center * precision - Real(0.5) * added_rate * slope);
          anchor_laplacian += sharpness;
          base(i, k + 1) = stretch * (g * target_slope + (Real(1) - g) * slope);
        }
        Real energy = 0, laplacian = 0;
        if (target_counts) {
          energy = tamed.energy(base(i, 0), excess);
          laplacian = taming * (base(i, D + 1) - (excess > Real(0) ? taming * steepness / static_cast<Real>(tamed.scale) : Real(0)));
        }
        base(i, 0) = g_rate * (energy - anchor) + g * target_rate * precision + (Real(1) - g) * anchor_rate;
        base(i, D + 1) = stretch * stretch * (g * laplacian + (Real(1) - g) * anchor_laplacian);
      });
}

template class GradientFlowEnergies<float>;
template class GradientFlowEnergies<double>;

}  // namespace boltzcurve

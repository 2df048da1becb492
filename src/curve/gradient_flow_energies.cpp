#include "residual/to_device.hpp"

#include <boltzcurve/error.hpp>
#include "curve/gradient_flow_energies.hpp"

#include <cmath>
#include <string>

namespace boltzcurve {
namespace {

constexpr double smallest_weight = 1e-9;

/// Where the kernels below leave what they find at point i: for every coordinate k the slopes of the target and of the anchor, then values,
/// rates and Laplacians. `g` is 0 where the target does not count.
template <class Real>
struct MixedRows {
  Points<Real> base;

  KOKKOS_FORCEINLINE_FUNCTION void slope(std::size_t i, int k, Real g, Real of_target, Real of_anchor) const {
    base(i, k) = g * of_target + (Real(1) - g) * of_anchor;
  }
  KOKKOS_FORCEINLINE_FUNCTION void rest(std::size_t i, int D, Real g, Real g_rate, const Real (&target)[3], const Real (&anchor)[3]) const {
    base(i, 0) = g_rate * (target[0] - anchor[0]) + g * target[1] + (Real(1) - g) * anchor[1];
    base(i, D + 1) = g * target[2] + (Real(1) - g) * anchor[2];
  }
};

template <class Real>
struct RowsApart {
  Points<Real> known;
  ScheduledFlow curve;

  KOKKOS_FORCEINLINE_FUNCTION void slope(std::size_t i, int k, Real g, Real of_target, Real of_anchor) const {
    known(i, curve.anchor_row(k)) = of_anchor;
    known(i, curve.difference_slope_row(k)) = g > Real(0) ? of_target - of_anchor : Real(0);
  }
  KOKKOS_FORCEINLINE_FUNCTION void rest(std::size_t i, int D, Real g, Real, const Real (&target)[3], const Real (&anchor)[3]) const {
    known(i, ScheduledFlow::anchor_rate_row) = anchor[1];
    known(i, curve.anchor_row(D + 1)) = anchor[2];
    known(i, ScheduledFlow::difference_row) = g > Real(0) ? target[0] - anchor[0] : Real(0);
    known(i, ScheduledFlow::difference_rate_row) = g > Real(0) ? target[1] - anchor[1] : Real(0);
    known(i, curve.difference_slope_row(D + 1)) = g > Real(0) ? target[2] - anchor[2] : Real(0);
  }
};

}  // namespace

CurveAnchor CurveAnchor::standard(int dimension) {
  const auto D = static_cast<std::size_t>(dimension);
  return {std::vector<double>(D, 0.0), std::vector<double>(D, 1.0), 0, {}};
}

template <class Real>
GradientFlowEnergies<Real>::GradientFlowEnergies(const GradientFlow& curve, const CurveAnchor& anchor, const Energy& target,
                                                 const Energy& latent, GradientFlowRows rows)
    : curve_(curve),
      rows_(rows),
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
  latent_mean_ = modes.front().center;
  center_ = detail::to_device<Real>("boltzcurve::curve_center", latent_mean_);
}

template <class Real>
int GradientFlowEnergies<Real>::rows() const {
  return rows_ == GradientFlowRows::mixed ? curve_.known_rows() : ScheduledFlow{curve_}.known_rows();
}

template <class Real>
void GradientFlowEnergies<Real>::to_target(double t, std::span<double> x) const {
  if (curve_.form != CurveForm::contracted) return;
  const double stretch = curve_.stretch(t);
  for (std::size_t k = 0; k < x.size(); ++k) x[k] = latent_mean_[k] + (x[k] - latent_mean_[k]) * stretch;
}

template <class Real>
void GradientFlowEnergies<Real>::evaluate(PointScalars<const Real> t, Points<const Real> x, Points<Real> known) {
  const std::size_t n = t.extent(0);
  if (n == 0) return;
  const auto columns = static_cast<std::size_t>(curve_.dimension) + 2, all = static_cast<std::size_t>(rows());
  const Points<Real> latent = Kokkos::subview(known, Kokkos::ALL, std::make_pair(all - columns, all));
  latent_.evaluate(x, latent);
  const auto with_rows = [&](const Points<Real>& of_target, const auto& rows) {
    if (curve_.form == CurveForm::contracted)
      contract(t, x, of_target, rows);
    else
      stay(t, x, of_target, latent, rows);
  };
  if (rows_ == GradientFlowRows::mixed) {
    const Points<Real> base = Kokkos::subview(known, Kokkos::ALL, std::make_pair(std::size_t{0}, columns));
    with_rows(base, MixedRows<Real>{base});
  } else {
    if (of_target_.extent(0) < n)
      of_target_ = Points<Real>(Kokkos::view_alloc("boltzcurve::energy_of_target", Kokkos::WithoutInitializing), n, columns);
    with_rows(Kokkos::subview(of_target_, std::make_pair(std::size_t{0}, n), Kokkos::ALL), RowsApart<Real>{known, ScheduledFlow{curve_}});
  }
}

template <class Real>
template <class Rows>
void GradientFlowEnergies<Real>::stay(PointScalars<const Real> t, Points<const Real> x, Points<Real> of_target, Points<const Real> latent,
                                      const Rows& rows) {
  target_.evaluate(x, of_target);
  const auto curve = curve_;
  const int D = curve_.dimension;
  const Real anchored = curve_.form == CurveForm::anchored ? 1 : 0;
  Kokkos::parallel_for(
      "boltzcurve::static_base", t.extent(0), KOKKOS_LAMBDA(const std::size_t i) {
        const auto factors = curve.factors(t(i));
        const Real target[3] = {of_target(i, 0), 0, of_target(i, D + 1)};
        const Real anchor[3] = {anchored * latent(i, 0), 0, anchored * latent(i, D + 1)};
        for (int k = 1; k <= D; ++k) rows.slope(i, k, factors.target, of_target(i, k), anchored * latent(i, k));
        rows.rest(i, D, factors.target, factors.target_rate, target, anchor);
      });
}

template <class Real>
template <class Rows>
void GradientFlowEnergies<Real>::contract(PointScalars<const Real> t, Points<const Real> x, Points<Real> of_target, const Rows& rows) {
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
  target_.evaluate(y, of_target);
  Kokkos::parallel_for(
      "boltzcurve::contracted_base", n, KOKKOS_LAMBDA(const std::size_t i) {
        const Moment moment = moments(i);
        const Real excess = tamed.excess(of_target(i, 0)), taming = Real(1) / (Real(1) + excess);
        Real steepness = 0;  // of the target: the sum of its squared slopes, needed where it is tamed
        if (excess > Real(0))
          for (int k = 1; k <= D; ++k) steepness += of_target(i, k) * of_target(i, k);
        const bool wall = overflown(of_target(i, 0)) || overflown(steepness);
        const bool target_counts = !wall && moment.target > Real(smallest_weight);
        const Real g = target_counts ? moment.target : Real(0), g_rate = target_counts ? moment.target_rate : Real(0);
        const Real stretch = moment.stretch, added = curve.added_variance(stretch);
        const Real added_rate = curve.added_variance_rate(added);
        Real target_rate = 0, anchor = offset, anchor_rate = 0, anchor_laplacian = 0;
        for (int k = 0; k < D; ++k) {
          const Real from_center = (x(i, k) - center(k)) * stretch, from_mean = center(k) + from_center - mean(k);
          const Real sharpness = Real(1) / (variance(k) + added), slope = from_mean * sharpness;
          const Real target_slope = target_counts ? taming * of_target(i, k + 1) : Real(0);
          target_rate += target_slope * from_center;
          anchor += Real(0.5) * from_mean * slope;
          anchor_rate += slope * (from_center * precision - Real(0.5) * added_rate * slope);
          anchor_laplacian += sharpness;
          rows.slope(i, k + 1, g, stretch * target_slope, stretch * slope);
        }
        Real energy = 0, laplacian = 0;
        if (target_counts) {
          energy = tamed.energy(of_target(i, 0), excess);
          laplacian = taming * (of_target(i, D + 1) - (excess > Real(0) ? taming * steepness / static_cast<Real>(tamed.scale) : Real(0)));
        }
        const Real target[3] = {energy, target_rate * precision, stretch * stretch * laplacian};
        const Real anchors[3] = {anchor, anchor_rate, stretch * stretch * anchor_laplacian};
        rows.rest(i, D, g, g_rate, target, anchors);
      });
}

template class GradientFlowEnergies<float>;
template class GradientFlowEnergies<double>;

}  // namespace boltzcurve

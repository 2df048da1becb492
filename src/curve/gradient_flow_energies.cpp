#include "core/to_device.hpp"

#include <boltzcurve/error.hpp>
#include "curve/gradient_flow_energies.hpp"

#include <cmath>
#include <string>

namespace boltzcurve {
namespace {

/// Where a form's base leaves what it finds at point i (see curve/form.hpp).
template <class Real>
struct MixedRows {
  Points<Real> base;

  KOKKOS_FORCEINLINE_FUNCTION void gradient(std::size_t i, int k, Real g, Real of_target, Real of_anchor) const {
    base(i, k) = g * of_target + (Real(1) - g) * of_anchor;
  }
  KOKKOS_FORCEINLINE_FUNCTION void rest(std::size_t i, int D, Real g, Real g_dot, const Real (&target)[3], const Real (&anchor)[3]) const {
    base(i, 0) = g_dot * (target[0] - anchor[0]) + g * target[1] + (Real(1) - g) * anchor[1];
    base(i, D + 1) = g * target[2] + (Real(1) - g) * anchor[2];
  }
};

/// The base itself and its gradient.
template <class Real>
struct EnergyRows {
  Points<Real> base;

  KOKKOS_FORCEINLINE_FUNCTION void gradient(std::size_t i, int k, Real g, Real of_target, Real of_anchor) const {
    base(i, k) = g * of_target + (Real(1) - g) * of_anchor;
  }
  KOKKOS_FORCEINLINE_FUNCTION void rest(std::size_t i, int, Real g, Real, const Real (&target)[3], const Real (&anchor)[3]) const {
    base(i, 0) = g * target[0] + (Real(1) - g) * anchor[0];
  }
};

template <class Real>
struct RowsApart {
  Points<Real> known;
  ScheduledFlow curve;

  KOKKOS_FORCEINLINE_FUNCTION void gradient(std::size_t i, int k, Real g, Real of_target, Real of_anchor) const {
    known(i, curve.anchor_row(k)) = of_anchor;
    known(i, curve.difference_gradient_row(k)) = g > Real(0) ? of_target - of_anchor : Real(0);
  }
  KOKKOS_FORCEINLINE_FUNCTION void rest(std::size_t i, int D, Real g, Real, const Real (&target)[3], const Real (&anchor)[3]) const {
    known(i, ScheduledFlow::anchor_dot_row) = anchor[1];
    known(i, curve.anchor_row(D + 1)) = anchor[2];
    known(i, ScheduledFlow::difference_row) = g > Real(0) ? target[0] - anchor[0] : Real(0);
    known(i, ScheduledFlow::difference_dot_row) = g > Real(0) ? target[1] - anchor[1] : Real(0);
    known(i, curve.difference_gradient_row(D + 1)) = g > Real(0) ? target[2] - anchor[2] : Real(0);
  }
};

}  // namespace

CurveAnchor CurveAnchor::standard(int dimension) {
  const auto D = static_cast<std::size_t>(dimension);
  return {std::vector<double>(D, 0.0), std::vector<double>(D, 1.0), 0, {}, {}};
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
  if (!contracts()) return;
  const auto modes = latent.modes();
  const auto D = static_cast<std::size_t>(curve.dimension);
  if (modes.size() != 1 || anchor.mean.size() != D || anchor.variance.size() != D)
    throw Error(ExitCode::internal_error, "GradientFlowEnergies: a form that contracts needs a normal latent law and an anchor");
  latent_mean_ = modes.front().center;
  center_ = detail::to_device<Real>("boltzcurve::curve_center", latent_mean_);
}

template <class Real>
bool GradientFlowEnergies<Real>::contracts() const {
  return with_form(curve_.form, [](auto form) { return form.contracts; });
}

template <class Real>
int GradientFlowEnergies<Real>::rows() const {
  return rows_ == GradientFlowRows::mixed ? curve_.known_rows() : ScheduledFlow{curve_}.known_rows();
}

template <class Real>
void GradientFlowEnergies<Real>::to_target(double t, std::span<double> x) const {
  if (!contracts()) return;
  const double inverse_alpha = curve_.inverse_alpha(t);
  for (std::size_t k = 0; k < x.size(); ++k) x[k] = latent_mean_[k] + (x[k] - latent_mean_[k]) * inverse_alpha;
}

template <class Real>
void GradientFlowEnergies<Real>::evaluate(PointScalars<const Real> t, Points<const Real> x, Points<Real> known) {
  const std::size_t n = t.extent(0);
  if (n == 0) return;
  const auto columns = static_cast<std::size_t>(curve_.dimension) + 2, all = static_cast<std::size_t>(rows());
  const Points<Real> latent = Kokkos::subview(known, Kokkos::ALL, std::make_pair(all - columns, all));
  latent_.evaluate(x, latent);
  prepare(t, x);
  const auto with_rows = [&](const Points<Real>& of_target, const auto& rows) {
    with_form(curve_.form, [&](auto form) {
      if constexpr (form.reads_target) evaluate_base<decltype(form)>(x, of_target, latent, rows, Wanted::laplacian);
    });
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
void GradientFlowEnergies<Real>::base(Real t, Points<const Real> x, Points<Real> out) {
  const std::size_t n = x.extent(0);
  if (n == 0) return;
  const auto columns = static_cast<std::size_t>(curve_.dimension) + 2;
  const PointScalars<Real> time("boltzcurve::base_time", n);
  Kokkos::deep_copy(time, t);
  const Points<Real> latent("boltzcurve::base_latent", n, columns), of_target("boltzcurve::base_target", n, columns);
  latent_.evaluate(x, latent);
  prepare(time, x);
  with_form(curve_.form, [&](auto form) {
    if constexpr (form.reads_target) evaluate_base<decltype(form)>(x, of_target, latent, EnergyRows<Real>{out}, Wanted::gradient);
  });
}

template <class Real>
void GradientFlowEnergies<Real>::prepare(PointScalars<const Real> t, Points<const Real> x) {
  const std::size_t n = t.extent(0);
  const int D = curve_.dimension, contracted = contracts() ? D : 0;
  if (moments_.extent(0) < n) {
    y_ = Points<Real>(Kokkos::view_alloc("boltzcurve::contracted_points", Kokkos::WithoutInitializing), n,
                      static_cast<std::size_t>(contracted));
    moments_ = Kokkos::View<BaseMoment<Real>*>(Kokkos::view_alloc("boltzcurve::base_moments", Kokkos::WithoutInitializing), n);
  }
  const auto y = y_;
  const auto moments = moments_;
  const auto curve = curve_;
  const auto center = center_;
  Kokkos::parallel_for(
      "boltzcurve::base_moments", n, KOKKOS_LAMBDA(const std::size_t i) {
        const auto factors = curve.factors(t(i));
        const Real inverse_alpha = curve.inverse_alpha(t(i));
        moments(i) = {factors.g, factors.g_dot, inverse_alpha};
        const Real reach = factors.g > Real(min_target_weight) ? inverse_alpha : Real(0);
        for (int k = 0; k < contracted; ++k) y(i, k) = center(k) + (x(i, k) - center(k)) * reach;
      });
}

template <class Real>
template <class Form, class Rows>
void GradientFlowEnergies<Real>::evaluate_base(Points<const Real> x, Points<Real> of_target, Points<const Real> latent, const Rows& rows,
                                               Wanted wanted) {
  const std::size_t n = x.extent(0);
  Points<const Real> target_points = x;
  if (Form::contracts) target_points = Kokkos::subview(y_, std::make_pair(std::size_t{0}, n), Kokkos::ALL);
  target_.evaluate(target_points, of_target, wanted);
  const BaseInput<Real> in{curve_, x, of_target, latent, center_, anchor_mean_, anchor_variance_, anchor_offset_, taming_};
  const auto moments = moments_;
  Kokkos::parallel_for(
      "boltzcurve::curve_base", n, KOKKOS_LAMBDA(const std::size_t i) { Form::base(in, i, moments(i), rows); });
}

template class GradientFlowEnergies<float>;
template class GradientFlowEnergies<double>;

}  // namespace boltzcurve

#include "residual/matching_kernel.hpp"
#include "residual/residual_kernel.hpp"

#include "curve/tempered_curve_of.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr double min_kappa = 1e-3;  // below, the logarithmic clock is the linear one

template <class Real>
class TemperedEnergies final : public CurveEnergies<Real> {
 public:
  TemperedEnergies(const Taming& taming, const Energy& target, const Energy& latent) : taming_(taming), target_(target), latent_(latent) {}

  int rows() const override { return 1 + target_.dimension(); }

  void evaluate(PointScalars<const Real> t, Points<const Real> x, Points<Real> known) override {
    const std::size_t n = t.extent(0);
    if (n == 0) return;
    const int D = target_.dimension();
    if (of_target_.extent(0) < n) {
      of_target_ = Points<Real>("boltzcurve::tempered_target", n, static_cast<std::size_t>(D) + 1);
      of_latent_ = Points<Real>("boltzcurve::tempered_latent", n, static_cast<std::size_t>(D) + 1);
    }
    const auto rows = std::make_pair(std::size_t{0}, n);
    const Points<Real> of_target = Kokkos::subview(of_target_, rows, Kokkos::ALL),
                       of_latent = Kokkos::subview(of_latent_, rows, Kokkos::ALL);
    target_.evaluate(x, of_target, Wanted::gradient);
    latent_.evaluate(x, of_latent, Wanted::gradient);
    const auto tamed = taming_;
    Kokkos::parallel_for(
        "boltzcurve::tempered_base", n, KOKKOS_LAMBDA(const std::size_t i) {
          const Real time = t(i);
          const bool wall = overflown(of_target(i, 0));
          const Real f = wall ? static_cast<Real>(overflow_energy) : of_target(i, 0), excess = tamed.excess(f);
          const Real taming = wall ? Real(0) : Real(1) / (Real(1) + excess);
          known(i, 0) = tamed.energy(f, excess) - of_latent(i, 0);
          for (int k = 1; k <= D; ++k) {
            const Real gradient = wall ? Real(0) : taming * of_target(i, k);
            known(i, k) = of_latent(i, k) + time * (gradient - of_latent(i, k));
          }
        });
  }

  void base(Real t, Points<const Real> x, Points<Real> out) override {
    const std::size_t n = x.extent(0);
    const PointScalars<Real> time("boltzcurve::base_time", n);
    Kokkos::deep_copy(time, t);
    evaluate(time, x, out);  // its rows are d_t b = f_D - f_Z and grad b
    const auto of_latent = of_latent_;
    Kokkos::parallel_for(
        "boltzcurve::tempered_energy", n, KOKKOS_LAMBDA(const std::size_t i) { out(i, 0) = of_latent(i, 0) + t * out(i, 0); });
  }

 private:
  Taming taming_;
  const Energy& target_;
  const Energy& latent_;
  Points<Real> of_target_, of_latent_;  // these grow to the largest batch seen
};

class TemperedCurveOf final : public detail::CurveOf<TemperedCurve> {
 public:
  TemperedCurveOf(const TemperedCurve& functor, CurveNetworks networks, const Taming& taming)
      : CurveOf(functor, std::move(networks)), taming_(taming) {}

  std::string description() const override {
    return fmt::format("modes of squared width {:.3g}, latent law of {:.3g}", functor().width,
                       functor().latent_scale * functor().latent_scale);
  }

 private:
  void make_psi_kernel(std::unique_ptr<PsiKernel<float>>& made) const override { make_psi_kernel_as(made); }
  void make_psi_kernel(std::unique_ptr<PsiKernel<double>>& made) const override { make_psi_kernel_as(made); }
  template <class Real>
  void make_psi_kernel_as(std::unique_ptr<PsiKernel<Real>>& made) const {
    if (networks().list.front().name == TemperedCurve::network_names[TemperedCurve::of_psi])
      made = boltzcurve::make_matching_kernel<TemperedCurve, Real>(functor(), networks());
  }

  void make_energies(const Energy& target, const Energy& latent, std::unique_ptr<CurveEnergies<float>>& made) const override {
    made = make_tempered_energies<float>(taming_, target, latent);
  }
  void make_energies(const Energy& target, const Energy& latent, std::unique_ptr<CurveEnergies<double>>& made) const override {
    made = make_tempered_energies<double>(taming_, target, latent);
  }

  Taming taming_;
};

double root_mean_square(const std::vector<double>& values) {
  double squares = 0;
  for (const double value : values) squares += value * value;
  return std::sqrt(squares / static_cast<double>(values.size()));
}

}  // namespace

template <class Real>
std::unique_ptr<CurveEnergies<Real>> make_tempered_energies(const Taming& taming, const Energy& target, const Energy& latent) {
  return std::make_unique<TemperedEnergies<Real>>(taming, target, latent);
}

std::unique_ptr<Curve> make_curve(const TemperedCurve& curve, const CurveNetworks& networks, const Taming& taming) {
  return std::make_unique<TemperedCurveOf>(curve, networks, taming);
}

std::unique_ptr<Curve> detail::make_tempered_curve(const CurveInput& input, WithPsi with_psi) {
  TemperedCurve curve;
  curve.dimension = input.ends.dimension;
  curve.clock = input.curve.clock;
  curve.latent_scale = root_mean_square(input.ends.latent_deviation);
  curve.width = input.curve.width > 0 ? input.curve.width : input.ends.pilot.width;
  curve.kappa = std::max(curve.latent_scale * curve.latent_scale / (input.curve.clock_width * curve.width), min_kappa);
  curve.velocity_unit = std::max(root_mean_square(about_latent_mean(input)), curve.latent_scale);
  std::vector<CurveNetwork> networks;
  if (with_psi == WithPsi::yes) networks.push_back({"psi", space_time_network(input, 1)});
  networks.push_back({"velocity", space_time_network(input, input.ends.dimension)});
  const bool with_normalizer = input.normalizer.kind == NormalizerKind::network || input.normalizer.kind == NormalizerKind::automatic;
  return make_curve(curve, curve_networks(input, std::move(networks), with_normalizer, curve.width), taming_of(input));
}

template std::unique_ptr<CurveEnergies<float>> make_tempered_energies<float>(const Taming&, const Energy&, const Energy&);
template std::unique_ptr<CurveEnergies<double>> make_tempered_energies<double>(const Taming&, const Energy&, const Energy&);
template std::unique_ptr<ResidualKernel<float>> make_residual_kernel(const TemperedCurve&, const CurveNetworks&, const LossShape&);
template std::unique_ptr<ResidualKernel<double>> make_residual_kernel(const TemperedCurve&, const CurveNetworks&, const LossShape&);
template std::unique_ptr<MatchingKernel<float>> make_matching_kernel(const TemperedCurve&, const CurveNetworks&, const MatchingShape&);
template std::unique_ptr<MatchingKernel<double>> make_matching_kernel(const TemperedCurve&, const CurveNetworks&, const MatchingShape&);

}  // namespace boltzcurve

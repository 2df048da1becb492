#include <boltzcurve/curve/curve_energies.hpp>
#include <boltzcurve/sampling/curve_velocity.hpp>

namespace boltzcurve {
namespace {

template <class Real>
class CurveVelocity final : public VelocityField {
 public:
  CurveVelocity(const GradientFlow& curve, const CurveAnchor& anchor, const CurveNetworks& networks, std::span<const double> parameters,
                const Energy& target, const Energy& latent)
      : dimension_(curve.dimension), kernel_(curve, networks), energies_(curve, anchor, target, latent) {
    kernel_.set_parameters(parameters);
  }

  int dimension() const override { return dimension_; }

  void evaluate(PointScalars<const double> t, Points<const double> x, Points<double> velocity,
                PointScalars<double> divergence) const override {
    const std::size_t n = t.extent(0);
    if (n == 0) return;
    reserve(n);
    const auto rows = std::make_pair(std::size_t{0}, n);
    const PointScalars<Real> time = Kokkos::subview(time_, rows), div = Kokkos::subview(divergence_, rows);
    const Points<Real> position = Kokkos::subview(position_, rows, Kokkos::ALL), v = Kokkos::subview(velocity_, rows, Kokkos::ALL);
    const Points<Real> base = Kokkos::subview(base_, rows, Kokkos::ALL), latent = Kokkos::subview(latent_energy_, rows, Kokkos::ALL);
    const int D = dimension_;
    Kokkos::parallel_for(
        "boltzcurve::velocity_inputs", n, KOKKOS_LAMBDA(const std::size_t i) {
          time(i) = static_cast<Real>(t(i));
          for (int k = 0; k < D; ++k) position(i, k) = static_cast<Real>(x(i, k));
        });
    energies_.evaluate(time, position, base, latent);
    kernel_.velocity(static_cast<std::int64_t>(n), time, position, base, latent, v, div);
    Kokkos::parallel_for(
        "boltzcurve::velocity_outputs", n, KOKKOS_LAMBDA(const std::size_t i) {
          divergence(i) = static_cast<double>(div(i));
          for (int k = 0; k < D; ++k) velocity(i, k) = static_cast<double>(v(i, k));
        });
  }

 private:
  /// Working memory grows to the largest batch seen and is then used again: integrators call this thousands of times.
  void reserve(std::size_t n) const {
    if (time_.extent(0) >= n) return;
    const auto D = static_cast<std::size_t>(dimension_);
    time_ = PointScalars<Real>("boltzcurve::field_time", n);
    divergence_ = PointScalars<Real>("boltzcurve::field_divergence", n);
    position_ = Points<Real>("boltzcurve::field_position", n, D);
    velocity_ = Points<Real>("boltzcurve::field_velocity", n, D);
    base_ = Points<Real>("boltzcurve::field_base", n, D + 2);
    latent_energy_ = Points<Real>("boltzcurve::field_latent", n, D + 2);
  }

  int dimension_;
  ResidualKernel<Real> kernel_;
  mutable CurveEnergies<Real> energies_;
  mutable PointScalars<Real> time_, divergence_;
  mutable Points<Real> position_, velocity_, base_, latent_energy_;
};

}  // namespace

std::unique_ptr<VelocityField> make_velocity_field(Precision precision, const GradientFlow& curve, const CurveAnchor& anchor,
                                                   const CurveNetworks& networks, std::span<const double> parameters, const Energy& target,
                                                   const Energy& latent) {
  if (precision == Precision::single_precision)
    return std::make_unique<CurveVelocity<float>>(curve, anchor, networks, parameters, target, latent);
  return std::make_unique<CurveVelocity<double>>(curve, anchor, networks, parameters, target, latent);
}

}  // namespace boltzcurve

#include "sampling/path_energy.hpp"
#include <boltzcurve/error.hpp>
#include "core/heartbeat.hpp"

namespace boltzcurve {
namespace {

template <class Real>
class CurveDensity final : public PathDensity {
 public:
  CurveDensity(const Curve& curve, std::span<const double> parameters, std::unique_ptr<CurveEnergies<double>> energies)
      : curve_(curve), dimension_(curve.dimension()), energies_(std::move(energies)), psi_(curve.psi_kernel<Real>()) {
    if (psi_) psi_->set_parameters(parameters);
  }

  int dimension() const override { return dimension_; }
  double time_at(double clock) const override { return curve_.time_at(clock); }

  void evaluate(double t, Points<const double> x, Points<double> out) const override {
    const std::size_t n = x.extent(0);
    if (n == 0) return;
    heartbeat();
    energies_->base(t, x, out);
    if (!psi_) return;
    reserve(n);
    const auto rows = std::make_pair(std::size_t{0}, n);
    const PointScalars<Real> time = Kokkos::subview(time_, rows), value = Kokkos::subview(value_, rows);
    const Points<Real> position = Kokkos::subview(position_, rows, Kokkos::ALL), slope = Kokkos::subview(slope_, rows, Kokkos::ALL);
    const int D = dimension_;
    Kokkos::parallel_for(
        "boltzcurve::path_points", n, KOKKOS_LAMBDA(const std::size_t i) {
          time(i) = static_cast<Real>(t);
          for (int k = 0; k < D; ++k) position(i, k) = static_cast<Real>(x(i, k));
        });
    psi_->psi_and_gradient(static_cast<std::int64_t>(n), time, position, value, slope);
    Kokkos::parallel_for(
        "boltzcurve::path_energies", n, KOKKOS_LAMBDA(const std::size_t i) {
          out(i, 0) += static_cast<double>(value(i));
          for (int k = 0; k < D; ++k) out(i, k + 1) += static_cast<double>(slope(i, k));
        });
  }

 private:
  void reserve(std::size_t n) const {
    if (time_.extent(0) >= n) return;
    time_ = PointScalars<Real>("boltzcurve::path_time", n);
    value_ = PointScalars<Real>("boltzcurve::path_value", n);
    position_ = Points<Real>("boltzcurve::path_position", n, static_cast<std::size_t>(dimension_));
    slope_ = Points<Real>("boltzcurve::path_slope", n, static_cast<std::size_t>(dimension_));
  }

  const Curve& curve_;
  int dimension_;
  std::unique_ptr<CurveEnergies<double>> energies_;
  std::unique_ptr<PsiKernel<Real>> psi_;
  mutable PointScalars<Real> time_, value_;  // these grow to the largest batch seen
  mutable Points<Real> position_, slope_;
};

}  // namespace

std::shared_ptr<const PathDensity> make_path_density(Precision precision, const Curve& curve, std::span<const double> parameters,
                                                     const Energy& target, const Energy& latent) {
  auto energies = curve.energies<double>(target, latent);
  if (!energies->has_base()) return nullptr;
  if (precision == Precision::single_precision) return std::make_shared<CurveDensity<float>>(curve, parameters, std::move(energies));
  return std::make_shared<CurveDensity<double>>(curve, parameters, std::move(energies));
}

void PathEnergy::evaluate(Points<const float>, Points<float>, Wanted) const {
  throw Error(ExitCode::internal_error, "the densities of a path are evaluated in double");
}

void PathEnergy::evaluate(Points<const double> x, Points<double> out, Wanted wanted) const {
  if (wanted == Wanted::laplacian) throw Error(ExitCode::internal_error, "the densities of a path have no Laplacian");
  const std::size_t n = x.extent(0), columns = x.extent(1) + 1;
  const auto rows = std::make_pair(std::size_t{0}, columns);
  if (b_ < 1) {
    if (wanted == Wanted::gradient) {
      path_->evaluate(t_, x, Kokkos::subview(out, Kokkos::ALL, rows));
    } else {
      const Points<double> all("boltzcurve::path_energy", n, columns);
      path_->evaluate(t_, x, all);
      Kokkos::deep_copy(Kokkos::subview(out, Kokkos::ALL, 0), Kokkos::subview(all, Kokkos::ALL, 0));
    }
  }
  if (b_ == 0) return;
  if (b_ == 1) {
    target_.evaluate(x, out, wanted);
    return;
  }
  const std::size_t wanted_columns = result_columns(wanted, x.extent(1));
  const Points<double> of_target("boltzcurve::target_energy", n, wanted_columns);
  target_.evaluate(x, of_target, wanted);
  const double b = b_;
  Kokkos::parallel_for(
      "boltzcurve::path_to_target", n, KOKKOS_LAMBDA(const std::size_t i) {
        for (std::size_t k = 0; k < wanted_columns; ++k) out(i, k) = (1 - b) * out(i, k) + b * of_target(i, k);
      });
}

}  // namespace boltzcurve

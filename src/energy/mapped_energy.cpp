#include "energy/mapped_energy.hpp"
#include "core/to_device.hpp"

#include <cmath>
#include <utility>

namespace boltzcurve {
namespace {

constexpr double difference_step = 1e-4;  // of a whitened coordinate: its square and what rounding leaves of a gradient are as small

/// A ScaleMap where kernels read it.
struct Map {
  explicit Map(const ScaleMap& map)
      : dimension(static_cast<int>(map.dimension())),
        whitened(static_cast<int>(map.shift.size())),
        center(detail::to_device<double>("boltzcurve::map_center", map.center)),
        offset(detail::to_device<double>("boltzcurve::map_offset", map.offset)),
        slope(detail::to_device<double>("boltzcurve::map_slope", map.slope)),
        shift(detail::to_device<double>("boltzcurve::map_shift", map.shift)),
        factor(detail::to_device<double>("boltzcurve::map_factor", map.factor)) {
    const std::size_t D = map.center.size();
    const std::vector<double> zeros(D * D, 0.0);
    linear = detail::to_device<double>("boltzcurve::map_linear", map.linear.empty() ? zeros : map.linear);
    square = detail::to_device<double>("boltzcurve::map_square", map.square.empty() ? zeros : map.square);
    for (std::size_t k = 0; k < map.shift.size(); ++k) log_determinant += std::log(map.factor[k * map.shift.size() + k]);
    std::vector<double> in_order;
    for (std::size_t i = 0; i < D; ++i)
      if (const double k = map.order.empty() ? static_cast<double>(i) : map.order[i]; map.is_driven(static_cast<std::size_t>(k)))
        in_order.push_back(k);
    order = detail::to_device<double>("boltzcurve::map_order", in_order);
  }

  int dimension, whitened;  ///< D; D or 0 where the map does not do that
  double log_determinant = 0;
  Kokkos::View<const double*> center, offset, slope, linear, square, shift, factor;
  Kokkos::View<const double*> order;  ///< of the driven

  struct Driven {
    double log_scale, place;
  };
  KOKKOS_FUNCTION Driven driven_by(int k, const Points<double>& x, std::size_t i) const {
    Driven at{offset(k), center(k)};
    for (int j = 0; j < dimension; ++j) {
      const double from_center = x(i, j) - center(j);
      const int kj = k * dimension + j;
      if (const double b = slope(kj); b != 0) at.log_scale += b * from_center;
      if (const double l = linear(kj); l != 0) at.place += l * from_center;
      if (const double q = square(kj); q != 0) at.place += q * from_center * from_center;
    }
    return at;
  }

  /// x of row i of y; log |dx/dy|.
  KOKKOS_FUNCTION double to_x(const Points<double>& y, const Points<double>& x, std::size_t i) const {
    for (int k = 0; k < dimension; ++k) {
      double sum = y(i, k);
      if (whitened > 0) {
        sum = shift(k);
        for (int j = 0; j <= k; ++j) sum += factor(k * dimension + j) * y(i, j);
      }
      x(i, k) = sum;
    }
    double log_volume = log_determinant;
    for (std::size_t at = 0; at < order.extent(0); ++at) {
      const int k = static_cast<int>(order(at));
      const auto [s, place] = driven_by(k, x, i);
      log_volume += s;
      x(i, k) = place + x(i, k) * exp(s);
    }
    return log_volume;
  }

  /// Row i of the gradient by x, in columns 1..D of `f`, becomes that by y.
  KOKKOS_FUNCTION void gradient_to_y(const Points<double>& x, const Points<double>& f, std::size_t i) const {
    for (std::size_t at = order.extent(0); at-- > 0;) {
      const int k = static_cast<int>(order(at));
      const auto [s, place] = driven_by(k, x, i);
      const double by_x = f(i, k + 1), width = x(i, k) - place;
      for (int j = 0; j < dimension; ++j) {
        const int kj = k * dimension + j;
        const double b = slope(kj), l = linear(kj), q = square(kj);
        if (b != 0 || l != 0 || q != 0) f(i, j + 1) += by_x * (l + 2 * q * (x(i, j) - center(j)) + b * width) - b;
      }
      f(i, k + 1) = by_x * exp(s);
    }
    for (int j = 0; j < whitened; ++j) {
      double sum = 0;
      for (int k = j; k < dimension; ++k) sum += factor(k * dimension + j) * f(i, k + 1);
      f(i, j + 1) = sum;
    }
  }
};

/// What an energy is in other coordinates.
class MappedEnergy final : public Energy {
 public:
  MappedEnergy(std::shared_ptr<const Energy> energy, const ScaleMap& map) : energy_(std::move(energy)), map_(map), on_device_(map) {}

  int dimension() const override { return energy_->dimension(); }
  Domain domain() const override { return mapped(energy_->domain(), map_); }
  std::optional<double> log_z() const override { return energy_->log_z(); }
  std::optional<EnergyIdentity> identity() const override { return energy_->identity(); }
  UnknownValues unknown_values() const override { return energy_->unknown_values(); }
  std::vector<Mode> modes() const override {
    auto modes = energy_->modes();
    for (auto& mode : modes) map_.to_z(mode.center.data());
    return modes;
  }
  bool draw(std::uint64_t seed, std::int64_t first, HostPoints<double> out) const override {
    if (!energy_->draw(seed, first, out)) return false;
    std::vector<double> point(out.extent(1));
    for (std::size_t i = 0; i < out.extent(0); ++i) {
      for (std::size_t k = 0; k < point.size(); ++k) point[k] = out(i, k);
      map_.to_z(point.data());
      for (std::size_t k = 0; k < point.size(); ++k) out(i, k) = point[k];
    }
    return true;
  }

  void evaluate(Points<const float> y, Points<float> out, Wanted wanted) const override { evaluate_as<float>(y, out, wanted); }
  void evaluate(Points<const double> y, Points<double> out, Wanted wanted) const override { evaluate_as<double>(y, out, wanted); }

  // Public because they have kernels, for which nvcc asks it.
  template <class Real>
  void evaluate_as(Points<const Real> y, Points<Real> out, Wanted wanted) const {
    const std::size_t n = y.extent(0), D = y.extent(1);
    const Wanted first_order = wanted == Wanted::value ? Wanted::value : Wanted::gradient;
    const Points<double> point("boltzcurve::mapped_points", n, D), f("boltzcurve::mapped_energy", n, result_columns(first_order, D));
    Kokkos::parallel_for(
        "boltzcurve::mapped_inputs", n, KOKKOS_LAMBDA(const std::size_t i) {
          for (std::size_t k = 0; k < D; ++k) point(i, k) = static_cast<double>(y(i, k));
        });
    at(point, f, first_order);
    Kokkos::parallel_for(
        "boltzcurve::mapped_outputs", n, KOKKOS_LAMBDA(const std::size_t i) {
          for (std::size_t k = 0; k < f.extent(1); ++k) out(i, k) = static_cast<Real>(f(i, k));
        });
    if (wanted == Wanted::laplacian) differences<Real>(y, out);
  }

  template <class Real>
  void differences(Points<const Real> y, Points<Real> out) const {
    const std::size_t n = y.extent(0), D = y.extent(1);
    const Points<double> point("boltzcurve::mapped_points", n, D), f("boltzcurve::mapped_energy", n, D + 1);
    const PointScalars<double> sum("boltzcurve::mapped_laplacian", n);
    for (std::size_t moved = 0; moved < D; ++moved)
      for (const double side : {1.0, -1.0}) {
        Kokkos::parallel_for(
            "boltzcurve::mapped_moved", n, KOKKOS_LAMBDA(const std::size_t i) {
              for (std::size_t k = 0; k < D; ++k) point(i, k) = static_cast<double>(y(i, k)) + (k == moved ? side * difference_step : 0.0);
            });
        at(point, f, Wanted::gradient);
        Kokkos::parallel_for(
            "boltzcurve::mapped_difference", n,
            KOKKOS_LAMBDA(const std::size_t i) { sum(i) += side * f(i, moved + 1) / (2 * difference_step); });
      }
    Kokkos::parallel_for(
        "boltzcurve::mapped_laplacian", n, KOKKOS_LAMBDA(const std::size_t i) { out(i, D + 1) = static_cast<Real>(sum(i)); });
  }

  /// Value and gradient by y.
  void at(const Points<double>& y, const Points<double>& f, Wanted wanted) const {
    const std::size_t n = y.extent(0);
    const Points<double> x("boltzcurve::mapped_x", n, y.extent(1));
    const PointScalars<double> log_volume("boltzcurve::mapped_volume", n);
    const auto map = on_device_;
    Kokkos::parallel_for(
        "boltzcurve::map_points", n, KOKKOS_LAMBDA(const std::size_t i) { log_volume(i) = map.to_x(y, x, i); });
    energy_->evaluate(x, f, wanted);
    const bool with_gradient = wanted != Wanted::value;
    Kokkos::parallel_for(
        "boltzcurve::map_gradients", n, KOKKOS_LAMBDA(const std::size_t i) {
          f(i, 0) -= log_volume(i);
          if (with_gradient) map.gradient_to_y(x, f, i);
        });
  }

 private:
  std::shared_ptr<const Energy> energy_;
  ScaleMap map_;
  Map on_device_;
};

}  // namespace

std::shared_ptr<const Energy> in_coordinates(const std::shared_ptr<const Energy>& energy, const ScaleMap& map) {
  if (map.is_identity()) return energy;
  return std::make_shared<MappedEnergy>(energy, map);
}

}  // namespace boltzcurve

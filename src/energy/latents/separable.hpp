#pragma once

#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "energy/vectorized_energy.hpp"

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

// Latent densities whose coordinates are independent and alike but for mean and scale.
namespace boltzcurve::detail {

/// Energy of one coordinate u and its first two derivatives.
template <class Scalar>
struct CoordinateEnergy {
  Scalar value, slope, curvature;
};

/// f(x) = sum over k of F((x_k - mean_k)/scale_k), where shape(u) gives F and its derivatives as a CoordinateEnergy, for any scalar type.
template <class Shape>
class Separable {
 public:
  Separable(const Shape& shape, const std::vector<double>& mean, const std::vector<double>& scale)
      : shape_(shape),
        dimension_(static_cast<int>(mean.size())),
        mean_("boltzcurve::latent::mean", mean.size()),
        sharpness_("boltzcurve::latent::sharpness", mean.size()) {
    const auto host_mean = Kokkos::create_mirror_view(mean_), host_sharpness = Kokkos::create_mirror_view(sharpness_);
    for (std::size_t d = 0; d < mean.size(); ++d) {
      host_mean(d) = mean[d];
      host_sharpness(d) = 1 / scale[d];
    }
    Kokkos::deep_copy(mean_, host_mean);
    Kokkos::deep_copy(sharpness_, host_sharpness);
  }

  KOKKOS_FUNCTION int dimension() const { return dimension_; }

  template <class Point, class Output>
  KOKKOS_FUNCTION void derivatives(const Point& x, const Output& out) const {
    using Scalar = typename Point::Scalar;
    Scalar value(0), laplacian(0);
    for (int d = 0; d < dimension_; ++d) {
      const Scalar sharpness(sharpness_(d));
      const auto at = shape_.template operator()<Scalar>((x(d) - mean_(d)) * sharpness);
      value += at.value;
      out.gradient(d, at.slope * sharpness);
      laplacian += at.curvature * sharpness * sharpness;
    }
    out.value(value);
    out.laplacian(laplacian);
  }

 private:
  Shape shape_;
  int dimension_;
  Kokkos::View<double*> mean_, sharpness_;  // [D]
};

/// What is known of the density exp(-F(u))/Z of one coordinate with mean 0 and scale 1.
struct CoordinateFacts {
  double log_z, entropy, deviation;
  double reach;  ///< nothing beyond [-reach, reach] matters: F is 50 there
  std::function<double(CounterRng&)> sample;
};

/// The numbers of a setting, one for each coordinate: a single one serves all. Throws SettingError for another count.
inline std::vector<double> per_coordinate(const Parameters& parameters, const std::string& key, int dimension) {
  const auto size = static_cast<std::size_t>(dimension);
  auto values = parameters.real_list(key);
  if (values.size() == 1) values.assign(size, values[0]);
  if (values.size() != size)
    throw SettingError({key, " = " + parameters.text(key) + ": has " + std::to_string(values.size()) + " numbers: must be 1 or " +
                                 std::to_string(dimension) + ", the dimension of the target"});
  return values;
}

template <class Shape>
std::unique_ptr<Energy> make_separable(const Parameters& parameters, int dimension, const Shape& shape, const CoordinateFacts& one) {
  const auto mean = per_coordinate(parameters, "mean", dimension), scale = per_coordinate(parameters, "scale", dimension);
  EnergyFacts facts;
  facts.log_z = facts.entropy = 0;
  facts.modes = {{1.0, mean}};
  facts.moments = Moments{mean, scale};
  for (std::size_t d = 0; d < mean.size(); ++d) {
    *facts.log_z += one.log_z + std::log(scale[d]);
    *facts.entropy += one.entropy + std::log(scale[d]);
    facts.moments->deviation[d] *= one.deviation;
    facts.domain.lower.push_back(mean[d] - one.reach * scale[d]);
    facts.domain.upper.push_back(mean[d] + one.reach * scale[d]);
  }
  facts.stream = RandomStream::latent_particles;
  facts.sample = [mean, scale, sample = one.sample](CounterRng& rng, double* x) {
    for (std::size_t d = 0; d < mean.size(); ++d) x[d] = mean[d] + scale[d] * sample(rng);
  };
  return make_vectorized_energy(Separable<Shape>(shape, mean, scale), std::move(facts));
}

/// The options that all of them have; `scale_meaning` says what a scale of 1 is.
inline std::vector<ParameterSpec> mean_and_scale(const std::string& scale_meaning) {
  using Kind = ParameterSpec::Kind;
  return {{"mean", Kind::real_list, "0", "its mean: one number for all coordinates, or one for each", -1e6, 1e6},
          {"scale", Kind::real_list, "1", scale_meaning + ": one number for all coordinates, or one for each", 1e-6, 1e6}};
}

}  // namespace boltzcurve::detail

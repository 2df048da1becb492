#include <boltzcurve/core/error.hpp>
#include <boltzcurve/energy/energy_of.hpp>
#include <boltzcurve/energy/registry.hpp>

#include <cmath>
#include <numbers>

namespace boltzcurve {
namespace {

/// f(x) = |x - mean|^2 / (2 scale^2).
class Gaussian {
 public:
  Gaussian(const std::vector<double>& mean, double scale)
      : dimension_(static_cast<int>(mean.size())), scale_(scale), mean_("boltzcurve::gaussian::mean", mean.size()) {
    const auto host = Kokkos::create_mirror_view(mean_);
    for (std::size_t d = 0; d < mean.size(); ++d) host(d) = mean[d];
    Kokkos::deep_copy(mean_, host);
  }

  KOKKOS_FUNCTION int dimension() const { return dimension_; }

  template <class Point, class Output>
  KOKKOS_FUNCTION void derivatives(const Point& x, const Output& out) const {
    using Scalar = typename Point::Scalar;
    const Scalar precision(1 / (scale_ * scale_));
    Scalar square(0);
    for (int d = 0; d < dimension_; ++d) {
      const Scalar offset = x(d) - mean_(d);
      square += offset * offset;
      out.store(1 + d, offset * precision);
    }
    out.store(0, square * precision * 0.5);
    out.store(1 + dimension_, precision * dimension_);
  }

 private:
  int dimension_;
  double scale_;
  Kokkos::View<double*> mean_;
};

std::unique_ptr<Energy> make(const Parameters& parameters, int dimension) {
  const auto size = static_cast<std::size_t>(dimension);
  const double scale = parameters.real("scale");
  std::vector<double> mean = parameters.real_list("mean");
  if (mean.size() == 1) mean.assign(size, mean[0]);
  if (mean.size() != size) {
    throw ConfigError("latent.mean = " + parameters.text("mean") + ": has " + std::to_string(mean.size()) + " numbers: must be 1 or " +
                      std::to_string(dimension) + ", the dimension of the target");
  }
  EnergyFacts facts;
  facts.log_z = dimension * (0.5 * std::log(2 * std::numbers::pi) + std::log(scale));
  facts.entropy = *facts.log_z + 0.5 * dimension;
  facts.modes = {{1.0, mean}};
  facts.moments = {mean, std::vector<double>(size, scale)};
  for (const double center : mean) {
    facts.domain.lower.push_back(center - 10 * scale);
    facts.domain.upper.push_back(center + 10 * scale);
  }
  facts.stream = RandomStream::latent_particles;
  facts.sample = [mean, scale](CounterRng& rng, double* x) {
    for (std::size_t d = 0; d < mean.size(); ++d) x[d] = mean[d] + scale * rng.normal();
  };
  return make_energy(Gaussian(mean, scale), std::move(facts));
}

}  // namespace

/// The normal law with f = |x - mean|^2 / (2 scale^2), log Z = (D/2) log(2 pi scale^2). Domain: ten standard deviations around the mean.
LatentEntry gaussian_latent() {
  using Kind = ParameterSpec::Kind;
  return {"gaussian",
          "a normal law with one standard deviation for all coordinates",
          {{"mean", Kind::real_list, "0", "its mean: one number for all coordinates, or one for each", -1e6, 1e6},
           {"scale", Kind::real, "1", "its standard deviation", 1e-6, 1e6}},
          make};
}

}  // namespace boltzcurve

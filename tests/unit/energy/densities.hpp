#pragma once

#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/registry.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace boltzcurve::test {

/// A density to test: how to make it, and what the generic tests must know about it.
struct Density {
  std::string name;
  std::function<std::unique_ptr<Energy>()> make;
  /// Spacing at which trapezoid sums over the domain (D <= 2) have no error but rounding: the integrands are analytic and vanish at the
  /// border. 0: there are more dimensions.
  double spacing = 0;
  bool stein_by_samples = true;  ///< whether |grad f|^2 has a variance small enough for a test with samples
  /// Where derivatives of f by one coordinate, any of them, have a jump or a singularity: what sums have to mind instead of a spacing.
  std::vector<double> kinks = {};
  bool thin = false;            ///< in two dimensions, but too thin for sums over the domain, or log Z is not known
  double rounding = 1;          ///< errors in float in units of the usual ones: more where numbers are rounded on the way to the energy
  bool weak_laplacian = false;  ///< whether the Laplacian has a delta function at a kink, so that E[Lap f] is not E[|grad f|^2]
};

inline std::ostream& operator<<(std::ostream& stream, const Density& density) { return stream << density.name; }

/// Every registered target and latent with its defaults, then variants that reach other code: full covariances, other dimensions, all
/// coefficients different from their defaults.
inline std::vector<Density> densities() {
  std::vector<Density> densities;
  for (const TargetEntry& entry : target_entries()) {
    const auto& keys = entry.parameters;
    if (std::any_of(keys.begin(), keys.end(), [](const auto& key) { return key.names_code; })) continue;  // nothing without a file
    densities.push_back({entry.name, [name = entry.name] { return make_target(name); }});
    if (entry.name == "gaussian-mixture") densities.back().spacing = 0.125;
    if (entry.name == "gmm40" || entry.name == "asymmetric-two") densities.back().spacing = 0.25;
    if (entry.name == "rings") densities.back().spacing = 0.02;
    if (entry.name == "funnel") densities.back().stein_by_samples = false;
    if (entry.name == "log-gamma") densities.back().spacing = 0.015;
    if (entry.name == "shells") densities.back().rounding = 10;
    if (entry.name == "rastrigin") densities.back().spacing = 0.008;
    if (entry.name == "logistic-regression") densities.back().thin = true;
    if (entry.name == "banana" || entry.name == "shells" || entry.name == "rosenbrock") densities.back().thin = true;
  }
  for (const LatentEntry& entry : latent_entries()) {
    densities.push_back(
        {entry.name + "_latent", [name = entry.name] { return make_latent(name, 2); }, entry.name == "gaussian" ? 0.25 : 0});
    if (entry.name == "laplace" || entry.name == "generalised-normal") densities.back().kinks = {0};
    if (entry.name == "soft-box") densities.back().kinks = {-1, 1};
    densities.back().weak_laplacian = entry.name == "laplace";
  }
  const auto target = [&](const std::string& name, const std::string& key, const Parameters::Values& values, double spacing) {
    densities.push_back({name, [key, values] { return make_target(key, values); }, spacing});
  };
  target("two_modes", "gaussian-mixture", {{"preset", {"two"}}}, 0.125);
  target("one_mode_in_1d", "gaussian-mixture", {{"mode", {"5 | 1.5 | 0.5"}}}, 0.125);
  target("touching_modes_in_1d", "gaussian-mixture", {{"mode", {"1 | -1 | 0.5", "2 | 0.5 | 1"}}}, 0.0625);
  target("full_covariances_in_2d", "gaussian-mixture", {{"mode", {"1 | -1 2 | 1 0.6 2", "3 | 1 0 | 0.7", "2 | 0 -2 | 2 -0.5 0.5"}}},
         0.0625);
  target("spherical_in_5d", "gaussian-mixture", {{"mode", {"1 | 1 0 -1 2 0 | 0.8", "2 | 0 0 0 1 1 | 1.2"}}}, 0);
  target("full_covariances_in_3d", "gaussian-mixture", {{"mode", {"1 | 0 1 2 | 1 .2 .3 2 -.4 1.5", "2 | -1 0 1 | .5 -.1 0 .8 .2 1"}}}, 0);
  target("many_well_pair", "many-well", {{"dimension", {"2"}}}, 0.0625);
  target("other_well", "many-well", {{"dimension", {"2"}}, {"quartic", {"0.7"}}, {"quadratic", {"3"}}, {"tilt", {"-0.4"}}}, 0.0625);
  target("single_well", "many-well", {{"dimension", {"2"}}, {"quartic", {"0.3"}}, {"quadratic", {"-1"}}, {"tilt", {"2"}}}, 0.0625);
  target("many_well_64", "many-well", {{"dimension", {"64"}}}, 0);
  target("centered_eight_schools", "eight-schools", {{"centered", {"yes"}}}, 0);
  densities.back().stein_by_samples = false;
  target("banana_in_6d", "banana", {{"dimension", {"6"}}}, 0);
  target("student_t_of_many_degrees", "student-t", {{"dimension", {"3"}}, {"degrees", {"12.5"}}}, 0);
  target("phi4_in_a_field", "phi4", {{"sites", {"5"}}, {"field", {"0.1"}}}, 0);
  target("phi4_of_two_sites", "phi4", {{"sites", {"2"}}, {"field", {"-0.3"}}}, 0.02);
  target("quantum_ring_of_two", "quantum-ring", {{"sites", {"2"}}, {"mass", {"1.5"}}}, 0.0625);
  target("heavy_quantum_ring", "quantum-ring", {{"sites", {"8"}}, {"mass", {"3"}}}, 0);
  target("regression_without_prior", "logistic-regression",
         {{"prior-deviation", {"0"}},
          {"columns", {"a b c y"}},
          {"row",
           {"1 2 0 0", "0 1 1 1", "2 0 -1 1", "-1 1 1 0", "0.5 -1 2 1", "1 1 1 0", "0 0 0 1", "1 -1 0.5 1", "-2 1 0 0", "3 1 1 0",
            "0 1 1 0", "-2 1 0 1", "1 -1 0.5 0", "1 2 0 1"}},
          {"response", {"last"}}},
         0);
  for (const char* name : {"shells", "log-gamma", "rosenbrock", "rastrigin"})
    target(std::string(name) + "_in_6d", name, {{"dimension", {"6"}}}, 0);
  const auto latent = [&](const std::string& name, const std::string& key, int dimension, const Parameters::Values& values,
                          const std::vector<double>& kinks = {}) {
    densities.push_back({name, [=] { return make_latent(key, dimension, values); }});
    densities.back().kinks = kinks;
    densities.back().weak_laplacian = key == "laplace";
  };
  latent("shifted_latent", "gaussian", 3, {{"mean", {"1, -2, 0.5"}}, {"scale", {"2.5"}}});
  latent("latent_of_several_scales", "gaussian", 3, {{"mean", {"1, -2, 0.5"}}, {"scale", {"2.5, 0.5, 1"}}});
  latent("shifted_laplace", "laplace", 1, {{"mean", {"-0.7"}}, {"scale", {"1.6"}}}, {-0.7});
  latent("laplace_of_several_scales", "laplace", 3, {{"mean", {"0, 1, 2"}}, {"scale", {"2, 0.5, 1"}}});
  latent("sharper_than_normal", "generalised-normal", 1, {{"mean", {"0.5"}}, {"scale", {"1.3"}}, {"power", {"1.5"}}}, {0.5});
  latent("blunt_of_several_scales", "generalised-normal", 3, {{"scale", {"2, 0.5, 1"}}, {"power", {"3"}}});
  latent("wide_soft_box", "soft-box", 1, {{"mean", {"1"}}, {"scale", {"4"}}, {"softness", {"0.25"}}}, {-3, 5});
  latent("soft_box_of_several_sides", "soft-box", 3, {{"scale", {"2, 0.5, 1"}}, {"softness", {"0.5"}}});
  return densities;
}

/// Results of Energy::evaluate on the host, [N][columns of what is wanted], for points on the host.
template <class Real>
HostPoints<Real> evaluate(const Energy& energy, const HostPoints<Real>& points, Wanted wanted = Wanted::laplacian) {
  const Points<Real> x("test::x", points.extent(0), points.extent(1)),
      out("test::out", points.extent(0), result_columns(wanted, points.extent(1)));
  const HostPoints<Real> results("test::results", out.extent(0), out.extent(1));
  Kokkos::deep_copy(x, points);
  energy.evaluate(x, out, wanted);
  Kokkos::deep_copy(results, out);
  return results;
}

inline HostPoints<double> draw(const Energy& energy, std::uint64_t seed, std::int64_t first, std::size_t count) {
  const HostPoints<double> points("test::points", count, static_cast<std::size_t>(energy.dimension()));
  return energy.draw(seed, first, points) ? points : HostPoints<double>();
}

/// Exact samples, or, of a density without a sampler, normal points around the middle of its domain, whose sides are 12 deviations.
inline HostPoints<double> typical_points(const Energy& energy, std::uint64_t seed, std::size_t count) {
  auto points = draw(energy, seed, 0, count);
  if (points.extent(0) == count) return points;
  const Domain domain = energy.domain();
  points = HostPoints<double>("test::points", count, domain.lower.size());
  for (std::size_t i = 0; i < count; ++i) {
    CounterRng rng(seed, RandomStream::test, 1, i);
    for (std::size_t d = 0; d < points.extent(1); ++d)
      points(i, d) = (domain.lower[d] + domain.upper[d]) / 2 + (domain.upper[d] - domain.lower[d]) / 12 * rng.normal();
  }
  return points;
}

template <class Real>
HostPoints<Real> rounded(const HostPoints<double>& points) {
  const HostPoints<Real> result("test::rounded", points.extent(0), points.extent(1));
  for (std::size_t i = 0; i < points.extent(0); ++i) {
    for (std::size_t d = 0; d < points.extent(1); ++d) result(i, d) = static_cast<Real>(points(i, d));
  }
  return result;
}

/// Mean of independent numbers and its standard error.
class Average {
 public:
  void add(double number) {
    ++count_;
    const double step = number - mean_;
    mean_ += step / count_;
    squares_ += step * (number - mean_);
  }
  double mean() const { return mean_; }
  double standard_error() const { return std::sqrt(squares_ / (count_ - 1) / count_); }

 private:
  double count_ = 0, mean_ = 0, squares_ = 0;
};

/// Statistical bounds are this many standard errors: a correct program fails one such comparison in 26 million seeds (seeds are fixed).
inline constexpr double certain = 5.5;

}  // namespace boltzcurve::test

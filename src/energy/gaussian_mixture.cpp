#include "energy/gaussian_mixture.hpp"
#include <boltzcurve/error.hpp>
#include "energy/vectorized_energy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <Eigen/Cholesky>

namespace boltzcurve {
namespace {

enum class Covariance { spherical, full };

constexpr int any_dimension = 0;

/// Sums over components, one for each of D coordinates: in registers where D is known to the compiler, else in the output itself.
template <int dimension, class Scalar, class Output>
struct CoordinateSums {
  Scalar sums[dimension];

  KOKKOS_FORCEINLINE_FUNCTION CoordinateSums(const Output&, int) {
    for (int d = 0; d < dimension; ++d) sums[d] = 0;
  }
  KOKKOS_FORCEINLINE_FUNCTION void add(int d, Scalar term) { sums[d] += term; }
  KOKKOS_FORCEINLINE_FUNCTION Scalar operator()(int d) const { return sums[d]; }
};

template <class Scalar, class Output>
struct CoordinateSums<any_dimension, Scalar, Output> {
  const Output& out;

  KOKKOS_FORCEINLINE_FUNCTION CoordinateSums(const Output& output, int dimension) : out(output) {
    if constexpr (Output::wanted != Wanted::value)
      for (int d = 0; d < dimension; ++d) out.gradient(d, Scalar(0));
  }
  KOKKOS_FORCEINLINE_FUNCTION void add(int d, Scalar term) { out.gradient(d, out.stored_gradient(d) + term); }
  KOKKOS_FORCEINLINE_FUNCTION Scalar operator()(int d) const { return out.stored_gradient(d); }
};

/// The energy of a mixture on the device. A row of the table is one component:
///   log of w_k (2 pi)^(-D/2) det(Sigma_k)^(-1/2),  tr Sigma_k^-1,  mean [D],  Sigma_k^-1: one number (spherical) or [D][D] (full).
template <int static_dimension, Covariance shape>
class MixtureEnergy {
 public:
  template <class Real>
  using Table = Kokkos::View<const Real**, Kokkos::LayoutRight>;

  MixtureEnergy(int dimension, Table<float> table_float, Table<double> table_double)
      : dimension_(dimension), table_float_(std::move(table_float)), table_double_(std::move(table_double)) {}

  KOKKOS_FUNCTION int dimension() const { return static_dimension == any_dimension ? dimension_ : static_dimension; }

  template <class Point, class Output>
  KOKKOS_FUNCTION void derivatives(const Point& x, const Output& out) const {
    using Scalar = typename Point::Scalar;
    using Real = typename Scalar::value_type;
    const auto table = this->template table<Real>();
    const int components = static_cast<int>(table.extent(0)), size = dimension();

    // Where every density underflows to exp(-infinity), the energy is to be +infinity, not NaN.
    Scalar top = fmax(Scalar(std::numeric_limits<Real>::lowest()), log_density(&table(0, 0), x));
    for (int k = 1; k < components; ++k) top = fmax(top, log_density(&table(k, 0), x));

    CoordinateSums<static_dimension, Scalar, Output> slope(out, size);
    Scalar density(0), curvature(0);
    for (int k = 0; k < components; ++k) {
      const Real* row = &table(k, 0);
      const Scalar share = exp(log_density(row, x) - top);
      density += share;
      if constexpr (Output::wanted != Wanted::value) {
        Scalar square(0);
        for (int d = 0; d < size; ++d) {
          const Scalar y = pull(row, x, d);
          square += y * y;
          slope.add(d, share * y);
        }
        curvature += share * (row[trace] - square);
      }
    }
    out.value(-(top + log(density)));
    if constexpr (Output::wanted == Wanted::value) return;

    const Scalar inverse = Scalar(1) / density;
    Scalar square(0);
    for (int d = 0; d < size; ++d) {
      const Scalar gradient = slope(d) * inverse;
      square += gradient * gradient;
      out.gradient(d, gradient);
    }
    out.laplacian(curvature * inverse + square);
  }

 private:
  enum Column { log_scale = 0, trace = 1, mean = 2 };

  template <class Real>
  KOKKOS_FORCEINLINE_FUNCTION const auto& table() const {
    if constexpr (sizeof(Real) == sizeof(float)) {
      return table_float_;
    } else {
      return table_double_;
    }
  }

  /// log of w_k N(x; mu_k, Sigma_k).
  template <class Real, class Point>
  KOKKOS_FORCEINLINE_FUNCTION typename Point::Scalar log_density(const Real* row, const Point& x) const {
    using Scalar = typename Point::Scalar;
    const int size = dimension();
    const Real* precision = row + mean + size;
    Scalar form(0);  // half of (x - mu) . Sigma^-1 (x - mu)
    if constexpr (shape == Covariance::spherical) {
      for (int d = 0; d < size; ++d) {
        const Scalar offset = x(d) - row[mean + d];
        form += offset * offset;
      }
      form *= precision[0] / 2;
    } else {
      for (int d = 0; d < size; ++d) {
        const Scalar offset = x(d) - row[mean + d];
        Scalar half_pull = offset * (precision[d * size + d] / 2);
        for (int e = d + 1; e < size; ++e) half_pull += (x(e) - row[mean + e]) * precision[d * size + e];
        form += offset * half_pull;
      }
    }
    return row[log_scale] - form;
  }

  /// Coordinate d of y = Sigma_k^-1 (x - mu_k).
  template <class Real, class Point>
  KOKKOS_FORCEINLINE_FUNCTION typename Point::Scalar pull(const Real* row, const Point& x, int d) const {
    using Scalar = typename Point::Scalar;
    const int size = dimension();
    const Real* precision = row + mean + size;
    if constexpr (shape == Covariance::spherical) {
      return (x(d) - row[mean + d]) * precision[0];
    } else {
      Scalar sum(0);
      for (int e = 0; e < size; ++e) sum += (x(e) - row[mean + e]) * precision[d * size + e];
      return sum;
    }
  }

  int dimension_;
  Table<float> table_float_;
  Table<double> table_double_;
};

/// A component ready for use on the host.
struct Prepared {
  double weight;                  ///< normalized
  std::vector<double> mean;       ///< [D]
  std::vector<double> root;       ///< lower triangular factor L of the covariance L L^T, [D][D]; or its one diagonal entry
  std::vector<double> precision;  ///< inverse of the covariance, stored like it
  std::vector<double> deviation;  ///< standard deviation of every coordinate [D]
  double log_scale = 0;           ///< log of w (2 pi)^(-D/2) det^(-1/2)
  double trace = 0;               ///< of the precision
};

using Square = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<const Square> as_matrix(const std::vector<double>& a, std::size_t n) {
  return {a.data(), static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(n)};
}

/// Lower triangular L with L L^T = a [n][n]; empty if a is not positive definite.
std::vector<double> cholesky(const std::vector<double>& a, std::size_t n) {
  const auto matrix = as_matrix(a, n);
  const Eigen::LLT<Square> factor(matrix);
  const Square root = factor.matrixL();
  // what is left of the diagonal must stand out from the rounding errors of the subtraction
  const bool stands_out = (root.diagonal().array().square() > 1e-14 * matrix.diagonal().array()).all();
  if (factor.info() != Eigen::Success || !stands_out) return {};
  return {root.data(), root.data() + root.size()};
}

/// Inverse of L L^T, [n][n].
std::vector<double> inverse_of(const std::vector<double>& l, std::size_t n) {
  Square inverse = Square::Identity(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(n));
  as_matrix(l, n).triangularView<Eigen::Lower>().solveInPlace(inverse);
  inverse = (inverse.transpose() * inverse).eval();
  return {inverse.data(), inverse.data() + inverse.size()};
}

Prepared prepare(const GaussianComponent& component, double weight_sum, std::size_t dimension, const std::string& name) {
  Prepared p;
  p.weight = component.weight / weight_sum;
  p.mean = component.mean;
  double log_det_root = 0;
  if (component.covariance.size() == 1) {
    const double variance = component.covariance[0], deviation = std::sqrt(variance);
    if (!(variance > 0) || !(1 / variance > 0)) throw SettingError({name, ": the covariance must be positive and finite"});
    p.root = {deviation};
    p.precision = {1 / variance};
    p.deviation.assign(dimension, deviation);
    log_det_root = static_cast<double>(dimension) * std::log(deviation);
    p.trace = static_cast<double>(dimension) / variance;
  } else {
    p.root = cholesky(component.covariance, dimension);
    if (p.root.empty()) throw SettingError({name, ": the covariance is not positive definite"});
    p.precision = inverse_of(p.root, dimension);
    for (std::size_t d = 0; d < dimension; ++d) {
      p.deviation.push_back(std::sqrt(component.covariance[d * dimension + d]));
      log_det_root += std::log(p.root[d * dimension + d]);
      p.trace += p.precision[d * dimension + d];
    }
  }
  p.log_scale = std::log(p.weight) - 0.5 * static_cast<double>(dimension) * std::log(2 * std::numbers::pi) - log_det_root;
  return p;
}

/// mean + L z into x.
void place(const Prepared& p, const double* z, double* x) {
  const std::size_t dimension = p.mean.size();
  for (std::size_t i = 0; i < dimension; ++i) {
    if (p.root.size() == 1 && dimension > 1) {
      x[i] = p.mean[i] + p.root[0] * z[i];
    } else {
      double sum = p.mean[i];
      for (std::size_t j = 0; j <= i; ++j) sum += p.root[i * dimension + j] * z[j];
      x[i] = sum;
    }
  }
}

void sample(const std::vector<Prepared>& components, CounterRng& rng, double* x) {
  double left = rng.uniform();
  std::size_t k = 0;
  while (k + 1 < components.size() && left >= components[k].weight) left -= components[k++].weight;
  std::vector<double> z(components[k].mean.size());
  for (double& number : z) number = rng.normal();
  place(components[k], z.data(), x);
}

template <class Real, class Energy_>
typename Energy_::template Table<Real> make_table(const std::vector<Prepared>& components) {
  const std::size_t dimension = components[0].mean.size(), entries = components[0].precision.size();
  const Kokkos::View<Real**, Kokkos::LayoutRight> table("boltzcurve::mixture", components.size(), 2 + dimension + entries);
  const auto host = Kokkos::create_mirror_view(table);
  for (std::size_t k = 0; k < components.size(); ++k) {
    const Prepared& p = components[k];
    host(k, 0) = static_cast<Real>(p.log_scale);
    host(k, 1) = static_cast<Real>(p.trace);
    for (std::size_t d = 0; d < dimension; ++d) host(k, 2 + d) = static_cast<Real>(p.mean[d]);
    for (std::size_t e = 0; e < entries; ++e) host(k, 2 + dimension + e) = static_cast<Real>(p.precision[e]);
  }
  Kokkos::deep_copy(table, host);
  return table;
}

template <int static_dimension, Covariance shape>
std::unique_ptr<Energy> make_with(const std::vector<Prepared>& components, EnergyFacts facts) {
  using Function = MixtureEnergy<static_dimension, shape>;
  return make_vectorized_energy(Function(static_cast<int>(components[0].mean.size()), make_table<float, Function>(components),
                                         make_table<double, Function>(components)),
                                std::move(facts));
}

template <Covariance shape>
std::unique_ptr<Energy> make_with_shape(const std::vector<Prepared>& components, EnergyFacts facts) {
  switch (components[0].mean.size()) {
    case 1:
      return make_with<1, shape>(components, std::move(facts));
    case 2:
      return make_with<2, shape>(components, std::move(facts));
    default:
      return make_with<any_dimension, shape>(components, std::move(facts));
  }
}

std::unique_ptr<Energy> make_mixture(const std::vector<Prepared>& components, EnergyFacts facts) {
  const bool spherical = components[0].precision.size() == 1;
  return spherical ? make_with_shape<Covariance::spherical>(components, std::move(facts))
                   : make_with_shape<Covariance::full>(components, std::move(facts));
}

// --- entropy -----------------------------------------------------------------------------------------------------------------------

/// Sum over k of w_k times the weighted mean, over points_of(k) whitened points z [D] with weights summing to one, of log r_k(mu_k + L_k
/// z): the negative entropy of the component given the point. `point(k, n, z)` fills z with point n and returns its weight.
template <class PointsOf, class Point>
double mean_log_responsibility(const Energy& energy, const std::vector<Prepared>& components, PointsOf&& points_of, Point&& point) {
  constexpr std::size_t chunk = 4096;
  const std::size_t dimension = components[0].mean.size();
  const Points<double> x("boltzcurve::entropy::x", chunk, dimension), out("boltzcurve::entropy::out", chunk, 1);
  const auto host_x = Kokkos::create_mirror_view(x);
  const auto host_out = Kokkos::create_mirror_view(out);
  std::vector<double> z(dimension), position(dimension), weights(chunk), logs(chunk);
  double total = 0;
  for (std::size_t k = 0; k < components.size(); ++k) {
    const std::size_t points = points_of(k);
    double mean = 0;
    for (std::size_t begin = 0; begin < points; begin += chunk) {
      const std::size_t count = std::min(chunk, points - begin);
      for (std::size_t n = 0; n < count; ++n) {
        weights[n] = point(k, begin + n, z.data());
        place(components[k], z.data(), position.data());
        double square = 0;
        for (std::size_t d = 0; d < dimension; ++d) {
          square += z[d] * z[d];
          host_x(n, d) = position[d];
        }
        logs[n] = components[k].log_scale - square / 2;
      }
      Kokkos::deep_copy(x, host_x);
      energy.evaluate(x, out, Wanted::value);
      Kokkos::deep_copy(host_out, out);
      for (std::size_t n = 0; n < count; ++n) mean += weights[n] * std::min(0.0, logs[n] + host_out(n, 0));
    }
    total += components[k].weight * mean;
  }
  return total;
}

/// The same by a trapezoid sum of spacing h over nine standard deviations each way, for D <= 2.
double log_responsibility_by_quadrature(const Energy& energy, const std::vector<Prepared>& components, double h) {
  const int half = static_cast<int>(std::ceil(9 / h)), side = 2 * half + 1;
  const bool plane = components[0].mean.size() == 2;
  const auto density = [&](double z) { return std::exp(-z * z / 2) * h / std::sqrt(2 * std::numbers::pi); };
  const auto points_of = [&](std::size_t) { return static_cast<std::size_t>(plane ? side * side : side); };
  return mean_log_responsibility(energy, components, points_of, [&](std::size_t, std::size_t n, double* z) {
    const int i = static_cast<int>(n) % side, j = static_cast<int>(n) / side;
    z[0] = (i - half) * h;
    if (plane) z[1] = (j - half) * h;
    return plane ? density(z[0]) * density(z[1]) : density(z[0]);
  });
}

double entropy_of(const Energy& energy, const std::vector<Prepared>& components) {
  const double dimension = energy.dimension(), count = static_cast<double>(components.size());
  double entropy = 0;  // of weights and components: -log(w_k N_k) at one standard deviation squared a coordinate
  for (const Prepared& p : components) entropy += p.weight * (dimension / 2 - p.log_scale);
  if (components.size() == 1) return entropy;

  if (dimension <= 2) {
    // work: pairs of a point and a component, 2^27 take about a second
    constexpr double max_pairs = 1 << 27;
    // converges exponentially: the last difference is the error of the one before last, the last error far smaller
    double last = log_responsibility_by_quadrature(energy, components, 0.5);
    for (double h = 0.25; std::pow(18 / h, dimension) * count * count <= max_pairs; h /= 2) {
      const double next = log_responsibility_by_quadrature(energy, components, h);
      if (std::fabs(next - last) < 1e-5) return entropy + next;
      last = next;
    }
  }
  // samples in proportion to the weights, so that the variance is at most that of log r_k over their number
  const auto samples_of = [&](std::size_t k) { return static_cast<std::size_t>(std::ceil(components[k].weight * (1 << 15))) + 64; };
  return entropy + mean_log_responsibility(energy, components, samples_of, [&](std::size_t k, std::size_t n, double* z) {
           CounterRng rng(0, RandomStream::exact_samples, 1 + k, n);  // step 0 is draw()'s
           for (int d = 0; d < energy.dimension(); ++d) z[d] = rng.normal();
           return 1 / static_cast<double>(samples_of(k));
         });
}

}  // namespace

bool is_positive_definite(const GaussianComponent& component) {
  if (component.covariance.size() == 1) return component.covariance[0] > 0;
  return !cholesky(component.covariance, component.mean.size()).empty();
}

std::unique_ptr<Energy> make_gaussian_mixture(std::vector<GaussianComponent> components) {
  if (components.empty()) throw SettingError({"mode", ": at least one is needed"});
  const std::size_t dimension = components[0].mean.size();
  if (dimension == 0) throw SettingError({"mode 1", ": the mean is empty"});

  const bool spherical = std::all_of(components.begin(), components.end(), [](const auto& c) { return c.covariance.size() == 1; });
  double weight_sum = 0;
  for (std::size_t k = 0; k < components.size(); ++k) {
    GaussianComponent& c = components[k];
    const std::string name = "mode " + std::to_string(k + 1);
    if (!(c.weight > 0) || !std::isfinite(c.weight))
      throw SettingError({name, ": the weight is " + std::to_string(c.weight) + ": must be > 0"});
    if (c.mean.size() != dimension) {
      throw SettingError(
          {name, ": the mean has " + std::to_string(c.mean.size()) + " coordinates, that of the first mode " + std::to_string(dimension)});
    }
    if (c.covariance.size() != 1 && c.covariance.size() != dimension * dimension) {
      throw SettingError({name, ": the covariance has " + std::to_string(c.covariance.size()) + " entries: must be 1 or " +
                                    std::to_string(dimension * dimension)});
    }
    if (!spherical && c.covariance.size() == 1 && dimension > 1) {  // one table holds one shape
      std::vector<double> full(dimension * dimension, 0.0);
      for (std::size_t d = 0; d < dimension; ++d) full[d * dimension + d] = c.covariance[0];
      c.covariance = full;
    }
    weight_sum += c.weight;
  }

  std::vector<Prepared> prepared;
  EnergyFacts facts;
  facts.domain = cube(static_cast<int>(dimension), 10);
  facts.log_z = 0;
  for (std::size_t k = 0; k < components.size(); ++k) {
    prepared.push_back(prepare(components[k], weight_sum, dimension, "mode " + std::to_string(k + 1)));
    const Prepared& p = prepared.back();
    facts.modes.push_back({p.weight, p.mean});
    for (std::size_t d = 0; d < dimension; ++d) {
      facts.domain.lower[d] = std::min(facts.domain.lower[d], p.mean[d] - 10 * p.deviation[d]);
      facts.domain.upper[d] = std::max(facts.domain.upper[d], p.mean[d] + 10 * p.deviation[d]);
    }
  }
  facts.entropy = entropy_of(*make_mixture(prepared, facts), prepared);
  facts.sample = [prepared](CounterRng& rng, double* x) { sample(prepared, rng, x); };
  return make_mixture(prepared, std::move(facts));
}

}  // namespace boltzcurve

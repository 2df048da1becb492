#include <boltzcurve/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <support/host_field.hpp>
#include <support/mixture_flow.hpp>

namespace boltzcurve::test {
namespace {

constexpr double log_two_pi = 1.8378770664093454836;

std::size_t size(int n) { return static_cast<std::size_t>(n); }

// Jacobi's rotations: matrix [D][D] becomes diagonal, `directions` its eigenvectors as columns.
void diagonalise(int dimension, std::vector<double>& matrix, std::vector<double>& directions) {
  const auto n = size(dimension);
  directions.assign(n * n, 0);
  for (std::size_t i = 0; i < n; ++i) directions[i * n + i] = 1;
  for (int sweep = 0; sweep < 60; ++sweep) {
    double off_diagonal = 0;
    for (std::size_t p = 0; p < n; ++p)
      for (std::size_t q = p + 1; q < n; ++q) off_diagonal += matrix[p * n + q] * matrix[p * n + q];
    if (off_diagonal < 1e-40) return;
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        if (matrix[p * n + q] == 0) continue;
        const double angle = 0.5 * std::atan2(2 * matrix[p * n + q], matrix[p * n + p] - matrix[q * n + q]);
        const double c = std::cos(angle), s = std::sin(angle);
        const auto rotate = [c, s](double& a, double& b) {
          const double a_new = c * a + s * b;
          b = c * b - s * a;
          a = a_new;
        };
        for (std::size_t k = 0; k < n; ++k) rotate(matrix[p * n + k], matrix[q * n + k]);
        for (std::size_t k = 0; k < n; ++k) {
          rotate(matrix[k * n + p], matrix[k * n + q]);
          rotate(directions[k * n + p], directions[k * n + q]);
        }
      }
    }
  }
}

// Lower Cholesky factor in place; false unless positive definite.
bool factorise(std::size_t n, std::vector<double>& a) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      if (i == j && !(sum > 0)) return false;
      a[i * n + j] = i == j ? std::sqrt(sum) : sum / a[j * n + j];
    }
  }
  return true;
}

}  // namespace

MixtureFlow::MixtureFlow(std::vector<Component> components)
    : dimension_(static_cast<int>(components.at(0).mean.size())), components_(std::move(components)) {
  const auto n = size(dimension_);
  const double total =
      std::accumulate(components_.begin(), components_.end(), 0.0, [](double sum, const Component& c) { return sum + c.weight; });
  for (auto& component : components_) {
    component.weight /= total;
    Axes axes;
    auto matrix = component.covariance;
    diagonalise(dimension_, matrix, axes.directions);
    for (std::size_t i = 0; i < n; ++i) {
      axes.variances.push_back(matrix[i * n + i]);
      double along = 0;
      for (std::size_t d = 0; d < n; ++d) along += axes.directions[d * n + i] * component.mean[d];
      axes.mean.push_back(along);
    }
    axes_.push_back(std::move(axes));
  }
}

MixtureFlow MixtureFlow::of_round_components(const std::vector<Round>& components) {
  std::vector<Component> full;
  for (const auto& [weight, mean, sd] : components) {
    std::vector<double> covariance(mean.size() * mean.size(), 0);
    for (std::size_t d = 0; d < mean.size(); ++d) covariance[d * mean.size() + d] = sd * sd;
    full.push_back({weight, mean, covariance});
  }
  return MixtureFlow(std::move(full));
}

MixtureFlow::Derivatives MixtureFlow::energy(double t, const double* x) const {
  const auto n = size(dimension_), count = components_.size();
  const double a = std::exp(-t), spread = -std::expm1(-2 * t);
  std::vector<double> log_density(count), rate(count), trace(count, 0), norm(count, 0), slopes(count * n, 0);
  for (std::size_t k = 0; k < count; ++k) {
    const auto& axes = axes_[k];
    log_density[k] = std::log(components_[k].weight) - 0.5 * dimension_ * log_two_pi;
    rate[k] = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double z = -a * axes.mean[i];
      for (std::size_t d = 0; d < n; ++d) z += axes.directions[d * n + i] * x[d];
      const double s = a * a * axes.variances[i] + spread, s_t = -2 * a * a * (axes.variances[i] - 1), z_t = a * axes.mean[i];
      log_density[k] -= 0.5 * (z * z / s + std::log(s));
      rate[k] -= z * z_t / s - 0.5 * z * z * s_t / (s * s) + 0.5 * s_t / s;
      trace[k] += 1 / s;
      norm[k] += z * z / (s * s);
      for (std::size_t d = 0; d < n; ++d) slopes[k * n + d] += axes.directions[d * n + i] * z / s;
    }
  }
  const double largest = *std::max_element(log_density.begin(), log_density.end());
  double sum = 0;
  for (const double value : log_density) sum += std::exp(value - largest);
  Derivatives f{-(largest + std::log(sum)), 0, 0, std::vector<double>(n, 0)};
  for (std::size_t k = 0; k < count; ++k) {
    const double share = std::exp(log_density[k] - largest) / sum;
    f.d_t -= share * rate[k];
    f.laplacian += share * (trace[k] - norm[k]);
    for (std::size_t d = 0; d < n; ++d) f.gradient[d] += share * slopes[k * n + d];
  }
  for (const double slope : f.gradient) f.laplacian += slope * slope;
  return f;
}

MixtureFlow::Residual MixtureFlow::residual(double t, const double* x) const {
  const auto f = energy(t, x);
  Residual r{f.d_t - (f.laplacian - dimension_), std::fabs(f.d_t) + std::fabs(f.laplacian) + dimension_};
  for (std::size_t d = 0; d < f.gradient.size(); ++d) {
    r.value += f.gradient[d] * (f.gradient[d] - x[d]);
    r.scale += std::fabs(f.gradient[d]) * (std::fabs(f.gradient[d]) + std::fabs(x[d]));
  }
  return r;
}

MixtureFlow::Derivatives MixtureFlow::psi(double t, const double* x, double horizon, Form form, double target_offset,
                                          double latent_offset) const {
  const auto f = energy(t, x), target = energy(0, x);
  const double g = (horizon - t) / horizon, g_t = -1 / horizon, anchor = form == Form::anchored ? 1 : 0;
  double latent = latent_offset;
  for (int d = 0; d < dimension_; ++d) latent += 0.5 * x[d] * x[d];
  const double rest = f.value + target_offset - g * (target.value + target_offset) - anchor * (1 - g) * latent;
  const double rest_t = f.d_t - g_t * (target.value + target_offset) + anchor * g_t * latent;
  Derivatives psi{rest / t, (rest_t - rest / t) / t, (f.laplacian - g * target.laplacian - anchor * (1 - g) * dimension_) / t, {}};
  for (std::size_t d = 0; d < f.gradient.size(); ++d)
    psi.gradient.push_back((f.gradient[d] - g * target.gradient[d] - anchor * (1 - g) * x[d]) / t);
  return psi;
}

void MixtureFlow::draw(double t, CounterRng& random, double* x) const {
  const auto n = size(dimension_);
  const double a = std::exp(-t), spread = -std::expm1(-2 * t);
  double rest = random.uniform();
  std::size_t k = 0;
  while (k + 1 < components_.size() && rest >= components_[k].weight) rest -= components_[k++].weight;
  for (std::size_t d = 0; d < n; ++d) x[d] = a * components_[k].mean[d];
  for (std::size_t i = 0; i < n; ++i) {
    const double along = std::sqrt(a * a * axes_[k].variances[i] + spread) * random.normal();
    for (std::size_t d = 0; d < n; ++d) x[d] += axes_[k].directions[d * n + i] * along;
  }
}

// integral of N_k N_l / N(0,I) = (|S_k| |S_l| |P|)^(-1/2) exp((b.P^-1 b - c)/2) with P = S_k^-1 + S_l^-1 - I, b the sum of S^-1 m and c
// that of m.S^-1 m; P must be positive definite.
double MixtureFlow::chi_squared_to_latent(double t) const {
  const auto n = size(dimension_), count = components_.size();
  const double a = std::exp(-t), spread = -std::expm1(-2 * t);
  std::vector<std::vector<double>> precision(count, std::vector<double>(n * n, 0)), pull(count, std::vector<double>(n, 0));
  std::vector<double> log_determinant(count, 0), energy_at_zero(count, 0);
  for (std::size_t k = 0; k < count; ++k) {
    for (std::size_t i = 0; i < n; ++i) {
      const double s = a * a * axes_[k].variances[i] + spread, along = a * axes_[k].mean[i];
      log_determinant[k] += std::log(s);
      energy_at_zero[k] += along * along / s;
      for (std::size_t d = 0; d < n; ++d) {
        pull[k][d] += axes_[k].directions[d * n + i] * along / s;
        for (std::size_t e = 0; e < n; ++e) precision[k][d * n + e] += axes_[k].directions[d * n + i] * axes_[k].directions[e * n + i] / s;
      }
    }
  }
  double sum = 0;
  for (std::size_t k = 0; k < count; ++k) {
    for (std::size_t l = 0; l < count; ++l) {
      std::vector<double> joint(n * n);
      for (std::size_t i = 0; i < n * n; ++i) joint[i] = precision[k][i] + precision[l][i] - (i % (n + 1) == 0 ? 1 : 0);
      if (!factorise(n, joint)) return std::numeric_limits<double>::infinity();
      double exponent = -energy_at_zero[k] - energy_at_zero[l], log_joint = 0;
      std::vector<double> solved(n);
      for (std::size_t i = 0; i < n; ++i) {
        solved[i] = pull[k][i] + pull[l][i];
        for (std::size_t j = 0; j < i; ++j) solved[i] -= joint[i * n + j] * solved[j];
        solved[i] /= joint[i * n + i];
        exponent += solved[i] * solved[i];
        log_joint += 2 * std::log(joint[i * n + i]);
      }
      sum +=
          components_[k].weight * components_[l].weight * std::exp(0.5 * (exponent - log_determinant[k] - log_determinant[l] - log_joint));
    }
  }
  return sum - 1;
}

MixtureFlow gmm40_flow() {
  std::mt19937 engine(0);
  const auto coordinate = [&engine] { return (static_cast<double>(engine() & 0xFFFFFF) / 16777216.0 - 0.5) * 80; };
  const double sd = std::log1p(std::exp(1.0));
  std::vector<MixtureFlow::Round> components;
  for (int k = 0; k < 40; ++k) {
    const double first = coordinate(), second = coordinate();
    components.push_back({1.0, {first, second}, sd});
  }
  return MixtureFlow::of_round_components(components);
}

MixtureFlow correlated_flow(int dimension) {
  const auto n = size(dimension);
  std::vector<MixtureFlow::Component> components;
  for (int k = 0; k < 3; ++k) {
    CounterRng random(2026, RandomStream::test, 0, static_cast<std::uint64_t>(k));
    MixtureFlow::Component component{1.0 + k, std::vector<double>(n), std::vector<double>(n * n)};
    std::vector<double> factor(n * n);
    for (auto& entry : factor) entry = random.normal();
    double length = 0;
    for (auto& entry : component.mean) {
      entry = random.normal();
      length += entry * entry;
    }
    for (auto& entry : component.mean) entry *= 3 / std::sqrt(length);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double product = i == j ? 0.3 : 0.0;
        for (std::size_t m = 0; m < n; ++m) product += 0.5 / dimension * factor[i * n + m] * factor[j * n + m];
        component.covariance[i * n + j] = product;
      }
    }
    components.push_back(std::move(component));
  }
  return MixtureFlow(std::move(components));
}

void MixtureVelocity::evaluate(PointScalars<const double> t, Points<const double> x, Points<double> velocity,
                               PointScalars<double> divergence) const {
  on_host(t, x, velocity, divergence, [this](double time, const double* point, double* v) {
    const auto f = flow_.energy(time, point);
    for (std::size_t d = 0; d < f.gradient.size(); ++d) v[d] = f.gradient[d] - point[d];
    return f.laplacian - dimension();
  });
}

}  // namespace boltzcurve::test

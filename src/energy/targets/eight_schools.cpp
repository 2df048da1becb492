#include <boltzcurve/registry.hpp>
#include "energy/table_law.hpp"
#include "energy/vectorized_energy.hpp"
#include "energy/yes_or_no.hpp"

#include <array>
#include <cmath>
#include <numbers>

namespace boltzcurve {
namespace {

constexpr int schools = 8;

/// Estimated effects of coaching and their standard errors (Rubin, J. Educ. Stat. 6, 1981).
constexpr std::array<double, schools> effects = {28, 8, -3, 7, -1, 1, 18, 12}, errors = {15, 10, 16, 11, 9, 11, 10, 18};
constexpr double prior_scale = 5;  ///< mu ~ N(0, 5^2), tau ~ half-Cauchy(0, 5)

/// The posterior of a hierarchical normal model in (mu, eta = log tau, z_1 ... z_8), theta_j = mu + tau z_j, or in (mu, eta, theta_1 ...
/// theta_8) if centered:
///
///     f = mu^2/50 + log(pi cosh(eta - log 5)) + sum over j of [ (y_j - theta_j)^2/(2 sigma_j^2) + z_j^2/2 ]   [+ 8 eta]   + constant.
///
/// The second term is the prior of tau with the Jacobian of its logarithm, and 8 eta the Jacobian from z to theta. The constant holds what
/// normalizes priors and likelihood, so that Z is the evidence.
template <bool centered>
struct EightSchools {
  static constexpr bool all_at_once = true;
  double y[schools], precision[schools];
  double constant;

  KOKKOS_FUNCTION int dimension() const { return 2 + schools; }

  template <class Scalar>
  KOKKOS_FUNCTION static Scalar scale(const Scalar& eta) {
    // where no mass is, what would overflow becomes as large as squares still bear
    return exp(centered ? fmin(-eta, Scalar(40)) : fmin(eta, Scalar(40)));
  }

  template <class Point, class Output>
  KOKKOS_FUNCTION void derivatives(const Point& x, const Output& out) const {
    using Scalar = typename Point::Scalar;
    const Scalar mu = x(0), eta = x(1), u = eta - std::log(prior_scale), size = fabs(u), e = exp(-2 * size);
    const Scalar tau = scale(eta);  // or 1/tau
    const Scalar inverse = Scalar(1) / (1 + e), tanh_size = (1 - e) * inverse;
    Scalar squares(0), of_mu = mu * (1 / (prior_scale * prior_scale)), of_eta(0);
    Scalar laplacian(1 / (prior_scale * prior_scale));
    Scalar eta_curvature = 4 * e * inverse * inverse;
    for (int j = 0; j < schools; ++j) {
      const Scalar p(precision[j]);
      if constexpr (centered) {
        const Scalar theta = x(2 + j), z = (theta - mu) * tau, misfit = theta - y[j], pull = z * tau, weighted = misfit * p;
        squares += misfit * weighted + z * z;
        of_mu -= pull;
        of_eta += 1 - z * z;
        eta_curvature += 2 * z * z;
        laplacian += p + 2 * tau * tau;
        out.gradient(2 + j, weighted + pull);
      } else {
        const Scalar z = x(2 + j), spread = tau * z, misfit = mu + spread - y[j], weighted = misfit * p;
        squares += misfit * weighted + z * z;
        of_mu += weighted;
        of_eta += weighted * spread;
        eta_curvature += weighted * spread + spread * spread * p;
        laplacian += p + 1 + tau * tau * p;
        out.gradient(2 + j, weighted * tau + z);
      }
    }
    const Scalar jacobian = centered ? eta * schools : Scalar(0);
    out.value(0.5 * (squares + mu * mu * (1 / (prior_scale * prior_scale))) + size + log(1 + e) + jacobian + constant);
    out.gradient(0, of_mu);
    out.gradient(1, of_eta + select(u < Scalar(0), -tanh_size, tanh_size));
    out.laplacian(laplacian + eta_curvature);
  }

  /// The same for any scalar type, which coordinates with scales of their own need (in_coordinates).
  template <class Scalar, class Point>
  KOKKOS_FUNCTION Scalar value(const Point& x) const {
    const Scalar mu = x(0), eta = x(1), tau = scale(eta), size = fabs(eta - std::log(prior_scale));
    Scalar squares = mu * mu * (1 / (prior_scale * prior_scale));
    for (int j = 0; j < schools; ++j) {
      const Scalar z = centered ? (x(2 + j) - mu) * tau : Scalar(x(2 + j)), misfit = (centered ? Scalar(x(2 + j)) : mu + tau * z) - y[j];
      squares += misfit * misfit * precision[j] + z * z;
    }
    const Scalar f = squares * 0.5 + size + log(exp(size * -2.0) + 1.0) + constant;
    return centered ? f + eta * static_cast<double>(schools) : f;
  }
};

/// What is known given tau: mu is normal, and given mu all z_j are.
struct GivenTau {
  double tau, precision = 1 / (prior_scale * prior_scale), mean = 0, log_evidence = 0;

  explicit GivenTau(double eta) : tau(std::exp(eta)) {
    // y_j ~ N(mu, sigma_j^2 + tau^2)
    double square = 0;
    for (std::size_t j = 0; j < schools; ++j) {
      const double w = 1 / variance(j);
      precision += w;
      mean += w * effects[j];
      square += w * effects[j] * effects[j];
      log_evidence += 0.5 * std::log(w / (2 * std::numbers::pi));
    }
    mean /= precision;
    log_evidence -= 0.5 * (square - precision * mean * mean) + 0.5 * std::log(precision * prior_scale * prior_scale);
  }

  double variance(std::size_t j) const { return errors[j] * errors[j] + tau * tau; }
  /// z_j given mu: its mean is slope (y_j - mu), its variance:
  double slope(std::size_t j) const { return tau / variance(j); }
  double z_variance(std::size_t j) const { return errors[j] * errors[j] / variance(j); }
  double log_prior(double eta) const { return -std::log(std::numbers::pi * std::cosh(eta - std::log(prior_scale))); }
};

/// Everything follows from sums over eta: of the evidence given it, and of moments and entropies of the normal densities given it.
EnergyFacts facts(bool centered) {
  const TableLaw law(-45, 25, 1 << 12, [](double eta) {
    const GivenTau given(eta);
    return given.log_evidence + given.log_prior(eta);
  });
  EnergyFacts known;
  known.log_z = law.log_z();
  known.entropy = law.entropy() + law.mean([centered](double eta) {
    const GivenTau given(eta);
    double logarithms = -std::log(given.precision);  // of the variances of mu and all z_j or theta_j
    for (std::size_t j = 0; j < schools; ++j) logarithms += std::log(given.z_variance(j)) + (centered ? 2 * eta : 0);
    return 0.5 * ((1 + schools) * (1 + std::log(2 * std::numbers::pi)) + logarithms);
  });

  Moments moments;
  const auto add = [&](double mean, double square) {
    moments.mean.push_back(mean);
    moments.deviation.push_back(std::sqrt(square - mean * mean));
  };
  const auto add_normal = [&](const auto& mean, const auto& variance) {
    const auto square = [&](double eta) {
      const GivenTau given(eta);
      return mean(given) * mean(given) + variance(given);
    };
    add(law.mean([&](double eta) { return mean(GivenTau(eta)); }), law.mean(square));
  };
  add_normal([](const GivenTau& given) { return given.mean; }, [](const GivenTau& given) { return 1 / given.precision; });
  add(law.mean([](double eta) { return eta; }), law.mean([](double eta) { return eta * eta; }));
  for (std::size_t j = 0; j < schools; ++j) {
    // z_j = slope (y_j - mu) + noise, theta_j = mu + tau z_j
    const auto of_mu = [=](const GivenTau& given) { return centered ? 1 - given.tau * given.slope(j) : -given.slope(j); };
    const auto of_z = [=](const GivenTau& given) { return centered ? given.tau : 1.0; };
    add_normal([=](const GivenTau& given) { return of_z(given) * given.slope(j) * effects[j] + of_mu(given) * given.mean; },
               [=](const GivenTau& given) {
                 return of_mu(given) * of_mu(given) / given.precision + of_z(given) * of_z(given) * given.z_variance(j);
               });
  }
  known.moments = std::move(moments);

  // 1e-9 of the mass has eta < -20, and less has eta > 8; eight deviations of the others at least
  known.domain = cube(2 + schools, centered ? 150 : 10);
  known.domain.lower[0] = -40, known.domain.upper[0] = 40;
  known.domain.lower[1] = -20, known.domain.upper[1] = 8;
  known.sample = [law, centered](CounterRng& rng, double* x) {
    x[1] = law.draw(rng);
    const GivenTau given(x[1]);
    x[0] = given.mean + rng.normal() / std::sqrt(given.precision);
    for (std::size_t j = 0; j < schools; ++j) {
      const double z = given.slope(j) * (effects[j] - x[0]) + std::sqrt(given.z_variance(j)) * rng.normal();
      x[2 + j] = centered ? x[0] + given.tau * z : z;
    }
  };
  return known;
}

template <bool centered>
std::unique_ptr<Energy> make() {
  EightSchools<centered> posterior{};
  // log(pi cosh u) = log(pi/2) + |u| + log(1 + exp(-2 |u|))
  posterior.constant = std::log(std::numbers::pi / 2) + std::log(prior_scale) + (0.5 + schools) * std::log(2 * std::numbers::pi);
  for (int j = 0; j < schools; ++j) {
    const auto place = static_cast<std::size_t>(j);
    posterior.y[j] = effects[place];
    posterior.precision[j] = 1 / (errors[place] * errors[place]);
    posterior.constant += std::log(errors[place]);
  }
  return make_vectorized_energy(posterior, facts(centered));
}

}  // namespace

/// log Z, entropy, moments and exact samples by one-dimensional sums over log tau: the rest is normal given tau.
TargetEntry eight_schools_target() {
  return {"eight-schools",
          "posterior of a hierarchical normal model (Rubin 1981) in (mu, log tau, z or theta of 8 schools)",
          {{"centered", ParameterSpec::Kind::text, "no", "yes: coordinates theta_j, a funnel; no: z_j = (theta_j - mu)/tau"}},
          [](const Parameters& parameters) { return is_yes(parameters, "centered") ? make<true>() : make<false>(); },
          nullptr};
}

}  // namespace boltzcurve

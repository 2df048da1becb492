#pragma once

#include <boltzcurve/energy.hpp>
#include <boltzcurve/registry.hpp>

#include <filesystem>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

namespace boltzcurve {

/// One component w N(mean, covariance) of a mixture in R^D.
struct GaussianComponent {
  double weight;                   ///< > 0, any scale
  std::vector<double> mean;        ///< [D]
  std::vector<double> covariance;  ///< [D][D] row by row, symmetric and positive definite; or one number s^2 for s^2 times the identity
};

/// The normalized mixture density f(x) = -log sum_k w_k N(x; mu_k, Sigma_k) [nats], log Z = 0; weights are divided by their sum.
///
/// With y_k = Sigma_k^-1 (x - mu_k) and r_k(x) the responsibilities (the share of component k in the density at x),
///
///     grad f = sum_k r_k y_k,     Lap f = sum_k r_k (tr Sigma_k^-1 - |y_k|^2) + |grad f|^2,
///
/// from a log-sum-exp that cannot underflow. The error of f relative to |f|, and of Lap f relative to |grad f|^2 + tr Sigma^-1, is a few
/// units of rounding. Any dimension, any number of components; quickest in one and two dimensions with one standard deviation each.
///
/// Entropy: that of the weights plus those of the components less that of the component given the point, H(k|x). The last one, which is
/// not known in closed form and vanishes for modes that do not touch, comes from quadrature for D <= 2 (converged to 1e-7) and, where that
/// takes too many points or D > 2, from 2^15 or more exact samples (standard error at most 0.005 nats, far less for separated modes).
///
/// Domain: ten standard deviations around every mean, and at least [-10, 10]^D, where paths from a standard normal start.
///
/// Throws SettingError of the setting `mode` and its number (from 1) for a weight <= 0, means of different length or a covariance that is
/// not positive definite.
std::unique_ptr<Energy> make_gaussian_mixture(std::vector<GaussianComponent> components);

/// Whether the covariance is (one number: > 0), beyond doubt by rounding.
bool is_positive_definite(const GaussianComponent& component);

/// Components from a text table with the header  weight,mean_1,...,mean_D,sd  or  weight,mean_1,...,mean_D,cov_11,cov_12,...,cov_DD  (the
/// upper triangle of the covariance, row by row) and one component a line; blank lines are skipped.
/// Throws InputError with file, line, and what was expected and found.
std::vector<GaussianComponent> read_gaussian_modes(const std::filesystem::path& file);

/// The same from the text of such a file, whose name `file` serves for messages.
std::vector<GaussianComponent> parse_gaussian_modes(std::istream& text, const std::string& file);

/// The same from one line  weight | mean_1 ... mean_D | sd  or  weight | mean_1 ... mean_D | cov_11 cov_12 ... cov_DD, numbers separated by
/// blanks or commas; in one dimension the last number is the standard deviation. Throws SettingError of the setting `name`.
GaussianComponent parse_gaussian_mode(const std::string& line, const std::string& name);

/// The inverse of parse_gaussian_mode, with all digits.
std::string format_gaussian_mode(const GaussianComponent& component);

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/energy_of.hpp>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

// Targets whose partition function is known, with what is hard about them in the name.
namespace boltzcurve {

/// exp(-f) = a power of the distance (5 degrees of freedom): f = (nu + D)/2 log(1 + |x|^2 / nu).
struct StudentT {
  int size;
  double nu = 5;

  KOKKOS_FUNCTION int dimension() const { return size; }

  template <class Scalar, class Point>
  KOKKOS_FUNCTION Scalar value(const Point& x) const {
    Scalar square(0);
    for (int i = 0; i < size; ++i) square += x(i) * x(i);
    return log(square * (1 / nu) + 1.0) * (0.5 * (nu + size));
  }

  double log_z() const { return std::lgamma(nu / 2) + 0.5 * size * std::log(nu * std::numbers::pi) - std::lgamma((nu + size) / 2); }
};

/// Pairs along a parabola: u ~ N(1, 10), v ~ N(u^2, 1/10), up to constants.
struct Banana {
  int size;

  KOKKOS_FUNCTION int dimension() const { return size; }

  template <class Scalar, class Point>
  KOKKOS_FUNCTION Scalar value(const Point& x) const {
    Scalar f(0);
    for (int i = 0; i < size; i += 2) {
      const Scalar u = x(i), v = x(i + 1), along = u - 1.0, across = v - u * u;
      f += along * along * 0.05 + across * across * 5.0;
    }
    return f;
  }

  double log_z() const { return 0.5 * size * std::log(2 * std::numbers::pi); }
};

/// A normal law of any covariance: f = |A (x - m)|^2 / 2 with rows of A on the device.
struct Normal {
  int size;
  Kokkos::View<double*> mean;   ///< [D]
  Kokkos::View<double**> rows;  ///< [D][D] A

  KOKKOS_FUNCTION int dimension() const { return size; }

  template <class Point, class Output>
  KOKKOS_FUNCTION void derivatives(const Point& x, const Output& out) const {
    double along[64], square = 0, laplacian = 0;
    for (int k = 0; k < size; ++k) {
      along[k] = 0;
      for (int l = 0; l < size; ++l) along[k] += rows(k, l) * (x(l) - mean(l));
      square += along[k] * along[k];
    }
    for (int l = 0; l < size; ++l) {
      double slope = 0;
      for (int k = 0; k < size; ++k) {
        slope += rows(k, l) * along[k];
        laplacian += rows(k, l) * rows(k, l);
      }
      out.gradient(l, typename Point::Scalar(slope));
    }
    out.value(typename Point::Scalar(0.5 * square));
    out.laplacian(typename Point::Scalar(laplacian));
  }
};

/// Axes of the given deviations; turned by reflections at random planes if wished.
inline Normal make_normal(const std::vector<double>& mean, const std::vector<double>& deviations, bool turned) {
  const std::size_t D = mean.size();
  Normal law{static_cast<int>(D), Kokkos::View<double*>("test::mean", D), Kokkos::View<double**>("test::rows", D, D)};
  CounterRng rng(5, RandomStream::test, 0, 0);
  for (std::size_t k = 0; k < D; ++k) {
    law.mean(k) = mean[k];
    law.rows(k, k) = 1 / deviations[k];
  }
  for (std::size_t reflection = 0; turned && reflection < D; ++reflection) {
    std::vector<double> normal(D);
    double square = 0;
    for (auto& of : normal) of = rng.normal(), square += of * of;
    for (std::size_t k = 0; k < D; ++k) {
      double along = 0;
      for (std::size_t l = 0; l < D; ++l) along += law.rows(k, l) * normal[l];
      for (std::size_t l = 0; l < D; ++l) law.rows(k, l) -= 2 * along / square * normal[l];
    }
  }
  return law;
}

inline double log_z_of_normal(const std::vector<double>& deviations) {
  double sum = 0.5 * static_cast<double>(deviations.size()) * std::log(2 * std::numbers::pi);
  for (const double deviation : deviations) sum += std::log(deviation);
  return sum;
}

/// N(0, 1) in a box [lower, upper]^D, with walls of infinite energy.
struct WalledNormal {
  int size;
  double lower, upper;

  KOKKOS_FUNCTION int dimension() const { return size; }

  template <class Point, class Output>
  KOKKOS_FUNCTION void derivatives(const Point& x, const Output& out) const {
    bool inside = true;
    double square = 0;
    for (int k = 0; k < size; ++k) {
      inside = inside && x(k) > lower && x(k) < upper;
      square += x(k) * x(k);
      out.gradient(k, typename Point::Scalar(x(k)));
    }
    out.value(typename Point::Scalar(inside ? 0.5 * square : std::numeric_limits<double>::infinity()));
    out.laplacian(typename Point::Scalar(size));
  }

  double log_z() const {
    const double share = 0.5 * (std::erf(upper / std::numbers::sqrt2) - std::erf(lower / std::numbers::sqrt2));
    return size * (0.5 * std::log(2 * std::numbers::pi) + std::log(share));
  }
};

}  // namespace boltzcurve

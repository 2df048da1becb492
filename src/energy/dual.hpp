#pragma once

#include "simd/pack_math.hpp"

#include <cmath>
#include <concepts>
#include <type_traits>

namespace boltzcurve {

// One spelling for every scalar type inside this namespace: float and double (here), Pack (pack_math.hpp) and Dual (below).
using std::exp;
using std::fabs;
using std::fmax;
using std::fmin;
using std::log;
using std::sqrt;

template <std::floating_point Real>
KOKKOS_FORCEINLINE_FUNCTION Real select(bool condition, Real a, Real b) {
  return condition ? a : b;
}

/// A number that knows how it changes along one direction: with x(s) = x + s e it carries, at s = 0,
///
///     value = u(x(s)),   first = d/ds u(x(s)),   second = d^2/ds^2 u(x(s)).
///
/// Arithmetic follows the product and chain rules, for example (uv)'' = u''v + 2u'v' + uv'' and (g(u))'' = g''(u) u'^2 + g'(u) u''. A
/// function written once for any scalar type then gives, with x_i = {x_i, 1, 0} and the other coordinates {x_j, 0, 0}, its partial
/// derivative and its second derivative in coordinate i; the sum of the latter over all i is the Laplacian.
///
/// Scalar is float, double or a Pack. Comparisons look at the value only and give what Scalar's give (bool or a Pack's mask); at a kink
/// (fabs at 0, fmin and fmax of equal values) the derivatives are those of the branch that is taken. sqrt has none at 0: they become
/// infinite or NaN.
template <class Scalar>
struct Dual {
  using value_type = Scalar;

  Scalar value, first, second;

  Dual() = default;
  KOKKOS_FORCEINLINE_FUNCTION Dual(Scalar value_, Scalar first_, Scalar second_) : value(value_), first(first_), second(second_) {}

  /// A constant: a plain number, or a Scalar.
  template <class Number>
  requires(std::is_arithmetic_v<Number> || std::same_as<Number, Scalar>) KOKKOS_FORCEINLINE_FUNCTION Dual(Number constant)
      : value(static_cast<Scalar>(constant)), first(0), second(0) {}

  KOKKOS_FORCEINLINE_FUNCTION friend Dual operator+(const Dual& a, const Dual& b) {
    return {a.value + b.value, a.first + b.first, a.second + b.second};
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual operator-(const Dual& a, const Dual& b) {
    return {a.value - b.value, a.first - b.first, a.second - b.second};
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual operator-(const Dual& a) { return {-a.value, -a.first, -a.second}; }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual operator*(const Dual& a, const Dual& b) {
    const Scalar cross = a.first * b.first;
    return {a.value * b.value, a.first * b.value + a.value * b.first, a.second * b.value + a.value * b.second + (cross + cross)};
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual operator/(const Dual& a, const Dual& b) {
    const Scalar inverse = Scalar(1) / b.value, quotient = a.value * inverse, first_ = (a.first - quotient * b.first) * inverse;
    const Scalar cross = first_ * b.first;
    return {quotient, first_, (a.second - quotient * b.second - (cross + cross)) * inverse};
  }

  // With a constant on one side: spelled out, because a compiler may not drop products with a zero derivative.
  template <class Number>
  requires(std::is_arithmetic_v<Number> || std::same_as<Number, Scalar>) KOKKOS_FORCEINLINE_FUNCTION friend Dual operator+(
      const Dual& a, Number constant) {
    return {a.value + static_cast<Scalar>(constant), a.first, a.second};
  }
  template <class Number>
  requires(std::is_arithmetic_v<Number> || std::same_as<Number, Scalar>) KOKKOS_FORCEINLINE_FUNCTION friend Dual operator+(Number constant,
                                                                                                                           const Dual& a) {
    return {static_cast<Scalar>(constant) + a.value, a.first, a.second};
  }
  template <class Number>
  requires(std::is_arithmetic_v<Number> || std::same_as<Number, Scalar>) KOKKOS_FORCEINLINE_FUNCTION friend Dual operator-(
      const Dual& a, Number constant) {
    return {a.value - static_cast<Scalar>(constant), a.first, a.second};
  }
  template <class Number>
  requires(std::is_arithmetic_v<Number> || std::same_as<Number, Scalar>) KOKKOS_FORCEINLINE_FUNCTION friend Dual operator-(Number constant,
                                                                                                                           const Dual& a) {
    return {static_cast<Scalar>(constant) - a.value, -a.first, -a.second};
  }
  template <class Number>
  requires(std::is_arithmetic_v<Number> || std::same_as<Number, Scalar>) KOKKOS_FORCEINLINE_FUNCTION friend Dual operator*(
      const Dual& a, Number constant) {
    const auto factor = static_cast<Scalar>(constant);
    return {a.value * factor, a.first * factor, a.second * factor};
  }
  template <class Number>
  requires(std::is_arithmetic_v<Number> || std::same_as<Number, Scalar>) KOKKOS_FORCEINLINE_FUNCTION friend Dual operator*(Number constant,
                                                                                                                           const Dual& a) {
    return a * constant;
  }
  template <class Number>
  requires(std::is_arithmetic_v<Number> || std::same_as<Number, Scalar>) KOKKOS_FORCEINLINE_FUNCTION friend Dual operator/(
      const Dual& a, Number constant) {
    const auto divisor = static_cast<Scalar>(constant);
    return {a.value / divisor, a.first / divisor, a.second / divisor};
  }

  template <class Other>
  KOKKOS_FORCEINLINE_FUNCTION Dual& operator+=(const Other& b) {
    return *this = *this + b;
  }
  template <class Other>
  KOKKOS_FORCEINLINE_FUNCTION Dual& operator-=(const Other& b) {
    return *this = *this - b;
  }
  template <class Other>
  KOKKOS_FORCEINLINE_FUNCTION Dual& operator*=(const Other& b) {
    return *this = *this * b;
  }
  template <class Other>
  KOKKOS_FORCEINLINE_FUNCTION Dual& operator/=(const Other& b) {
    return *this = *this / b;
  }

  KOKKOS_FORCEINLINE_FUNCTION friend auto operator<(const Dual& a, const Dual& b) { return a.value < b.value; }
  KOKKOS_FORCEINLINE_FUNCTION friend auto operator>(const Dual& a, const Dual& b) { return a.value > b.value; }
  KOKKOS_FORCEINLINE_FUNCTION friend auto operator<=(const Dual& a, const Dual& b) { return a.value <= b.value; }
  KOKKOS_FORCEINLINE_FUNCTION friend auto operator>=(const Dual& a, const Dual& b) { return a.value >= b.value; }

  /// a where the condition (what a comparison returned) holds, else b, with its derivatives.
  template <class Condition>
  KOKKOS_FORCEINLINE_FUNCTION friend Dual select(const Condition& condition, const Dual& a, const Dual& b) {
    return {select(condition, a.value, b.value), select(condition, a.first, b.first), select(condition, a.second, b.second)};
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual fabs(const Dual& a) { return select(a.value < Scalar(0), -a, a); }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual fmin(const Dual& a, const Dual& b) { return select(a.value < b.value, a, b); }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual fmax(const Dual& a, const Dual& b) { return select(a.value > b.value, a, b); }

  KOKKOS_FORCEINLINE_FUNCTION friend Dual exp(const Dual& a) {
    const Scalar e = exp(a.value);
    return {e, e * a.first, e * (a.second + a.first * a.first)};
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual log(const Dual& a) {
    const Scalar inverse = Scalar(1) / a.value, first_ = a.first * inverse;
    return {log(a.value), first_, a.second * inverse - first_ * first_};
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual sqrt(const Dual& a) {
    const Scalar root = sqrt(a.value), half_inverse = Scalar(0.5) / root, first_ = a.first * half_inverse;
    return {root, first_, (a.second - (first_ * first_ + first_ * first_)) * half_inverse};
  }
};

}  // namespace boltzcurve

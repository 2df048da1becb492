#pragma once

#include <Kokkos_Macros.hpp>

#include <cmath>
#include <concepts>
#include <numbers>
#include <type_traits>

namespace boltzcurve {

// One spelling for every scalar type inside this namespace: float and double (here), and Dual (below).
using std::cos;
using std::erf;
using std::exp;
using std::expm1;
using std::fabs;
using std::fmax;
using std::fmin;
using std::lgamma;
using std::log;
using std::log1p;
using std::pow;
using std::sin;
using std::sqrt;
using std::tan;
using std::tanh;

/// a where the condition holds, else b: for energies, which have no branches on coordinates.
template <std::floating_point Real>
KOKKOS_FORCEINLINE_FUNCTION Real select(bool condition, Real a, Real b) {
  return condition ? a : b;
}

/// First (order 1) or second (order 2) derivative of log Gamma(x), psi or psi': by the reflection formula for x < 1/2, by the recurrence
/// to x >= 10, and by their asymptotic series there. Relative error a few units of rounding away from zeros and poles.
template <int order, std::floating_point Real>
KOKKOS_FUNCTION Real polygamma(Real x) {
  constexpr Real pi = std::numbers::pi_v<Real>;
  if (x < Real(0.5)) {
    const Real angle = pi * (x - std::floor(x)), sine = std::sin(angle);
    return order == 1 ? polygamma<order>(Real(1) - x) - pi * std::cos(angle) / sine
                      : pi * pi / (sine * sine) - polygamma<order>(Real(1) - x);
  }
  Real sum(0);
  for (; x < Real(10); x += Real(1)) sum += order == 1 ? -1 / x : 1 / (x * x);
  const Real r = 1 / (x * x);
  // Bernoulli numbers B_2k over 2k for psi, B_2k for psi'
  if (order == 1)
    return sum + std::log(x) - Real(0.5) / x -
           r * (Real(1.0 / 12) -
                r * (Real(1.0 / 120) - r * (Real(1.0 / 252) - r * (Real(1.0 / 240) - r * (Real(1.0 / 132) - r * Real(691.0 / 32760))))));
  return sum + Real(0.5) * r +
         (Real(1) +
          r * (Real(1.0 / 6) -
               r * (Real(1.0 / 30) - r * (Real(1.0 / 42) - r * (Real(1.0 / 30) - r * (Real(5.0 / 66) - r * Real(691.0 / 2730))))))) /
             x;
}

/// In place of a derivative that nobody asked for: takes part in arithmetic, and stays nothing.
struct Nothing {
  Nothing() = default;
  template <class Number>
  KOKKOS_FORCEINLINE_FUNCTION Nothing(const Number&) {}

  KOKKOS_FORCEINLINE_FUNCTION friend Nothing operator-(Nothing) { return {}; }
  template <class Condition>
  KOKKOS_FORCEINLINE_FUNCTION friend Nothing select(const Condition&, Nothing, Nothing) {
    return {};
  }
};
template <class A, class B>
concept WithNothing = std::same_as<A, Nothing> || std::same_as<B, Nothing>;
template <class A, class B>
requires WithNothing<A, B> KOKKOS_FORCEINLINE_FUNCTION Nothing operator+(const A&, const B&) { return {}; }
template <class A, class B>
requires WithNothing<A, B> KOKKOS_FORCEINLINE_FUNCTION Nothing operator-(const A&, const B&) { return {}; }
template <class A, class B>
requires WithNothing<A, B> KOKKOS_FORCEINLINE_FUNCTION Nothing operator*(const A&, const B&) { return {}; }
template <class A, class B>
requires WithNothing<A, B> KOKKOS_FORCEINLINE_FUNCTION Nothing operator/(const A&, const B&) { return {}; }

/// A number that knows how it changes along one direction: with x(s) = x + s e it carries, at s = 0,
///
///     value = u(x(s)),   first = d/ds u(x(s)),   second = d^2/ds^2 u(x(s)).
///
/// Arithmetic follows the product and chain rules, for example (uv)'' = u''v + 2u'v' + uv'' and (g(u))'' = g''(u) u'^2 + g'(u) u''. A
/// function written once for any scalar type then gives, with x_i = {x_i, 1, 0} and the other coordinates {x_j, 0, 0}, its partial
/// derivative and its second derivative in coordinate i; the sum of the latter over all i is the Laplacian.
///
/// Scalar is float, double, or a type of several numbers with the same operators and functions. Numbers of order 1 have no second
/// derivative, those of order 0 none at all: then `second`, or both, are Nothing, and so is what they cost. What is there does not depend
/// on the order, but where the compiler contracts products and sums otherwise, by rounding.
///
/// Functions: exp, log, sqrt, fabs, fmin, fmax, sin, cos, tan, tanh, pow, log1p, expm1, erf, lgamma, and select(condition, a, b) in place
/// of branches. Comparisons look at the value only and give what Scalar's give; at a kink (fabs at 0, fmin and fmax of equal values) the
/// derivatives are those of the branch that is taken. sqrt has none at 0: they become infinite or NaN. pow of two dual numbers is for a
/// positive base; with a plain number as exponent, for any base that the derivatives are finite at.
template <class Scalar, int order = 2>
struct Dual {
  static_assert(order >= 0 && order <= 2);
  using value_type = Scalar;
  using First = std::conditional_t<order >= 1, Scalar, Nothing>;
  using Second = std::conditional_t<order == 2, Scalar, Nothing>;

  Scalar value;
  First first;
  Second second;

  Dual() = default;
  KOKKOS_FORCEINLINE_FUNCTION Dual(Scalar value_, First first_, Second second_) : value(value_), first(first_), second(second_) {}

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
    const auto cross = a.first * b.first;
    return {a.value * b.value, a.first * b.value + a.value * b.first, a.second * b.value + a.value * b.second + (cross + cross)};
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual operator/(const Dual& a, const Dual& b) {
    const Scalar inverse = Scalar(1) / b.value, quotient = a.value / b.value;
    const First first_ = (a.first - quotient * b.first) * inverse;
    const auto cross = first_ * b.first;
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
    const Scalar inverse = Scalar(1) / a.value;
    const First first_ = a.first * inverse;
    return {log(a.value), first_, a.second * inverse - first_ * first_};
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual sqrt(const Dual& a) {
    const Scalar root = sqrt(a.value), half_inverse = Scalar(0.5) / root;
    const First first_ = a.first * half_inverse;
    return {root, first_, (a.second - (first_ * first_ + first_ * first_)) * half_inverse};
  }

  KOKKOS_FORCEINLINE_FUNCTION friend Dual sin(const Dual& a) {
    const Scalar sine = sin(a.value);
    return chain(
        a, sine, [&] { return cos(a.value); }, [&](Scalar) { return -sine; });
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual cos(const Dual& a) {
    const Scalar cosine = cos(a.value);
    return chain(
        a, cosine, [&] { return -sin(a.value); }, [&](Scalar) { return -cosine; });
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual tan(const Dual& a) {
    const Scalar t = tan(a.value);
    return chain(
        a, t, [&] { return Scalar(1) + t * t; }, [&](Scalar slope) { return (t + t) * slope; });
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual tanh(const Dual& a) {
    const Scalar t = tanh(a.value);
    return chain(
        a, t, [&] { return (Scalar(1) - t) * (Scalar(1) + t); }, [&](Scalar slope) { return -(t + t) * slope; });
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual log1p(const Dual& a) {
    return chain(
        a, log1p(a.value), [&] { return Scalar(1) / (Scalar(1) + a.value); }, [](Scalar slope) { return -slope * slope; });
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual expm1(const Dual& a) {
    return chain(
        a, expm1(a.value), [&] { return exp(a.value); }, [](Scalar slope) { return slope; });
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual erf(const Dual& a) {
    return chain(
        a, erf(a.value), [&] { return Scalar(2 * std::numbers::inv_sqrtpi) * exp(-a.value * a.value); },
        [&](Scalar slope) { return -(a.value + a.value) * slope; });
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual lgamma(const Dual& a) {
    return chain(
        a, lgamma(a.value), [&] { return polygamma<1>(a.value); }, [&](Scalar) { return polygamma<2>(a.value); });
  }
  /// A coefficient of zero makes no term: pow(a, 2) has its derivatives at a = 0.
  template <class Number>
  requires std::is_arithmetic_v<Number> KOKKOS_FORCEINLINE_FUNCTION friend Dual pow(const Dual& a, Number exponent) {
    const double p = static_cast<double>(exponent);
    const auto term = [&](double factor, double power) {
      return factor == 0 ? Scalar(0) : static_cast<Scalar>(factor) * pow(a.value, static_cast<Scalar>(power));
    };
    return chain(
        a, pow(a.value, static_cast<Scalar>(p)), [&] { return term(p, p - 1); }, [&](Scalar) { return term(p * (p - 1), p - 2); });
  }
  KOKKOS_FORCEINLINE_FUNCTION friend Dual pow(const Dual& a, const Dual& b) {
    const Scalar power = pow(a.value, b.value);
    return chain(
        b * log(a), power, [&] { return power; }, [&](Scalar) { return power; });
  }
  template <class Number>
  requires(std::is_arithmetic_v<Number> || std::same_as<Number, Scalar>) KOKKOS_FORCEINLINE_FUNCTION friend Dual
      pow(Number base, const Dual& b) {
    return pow(Dual(base), b);
  }

 private:
  /// g(a), given g and what computes its first derivative and, from that, its second one.
  template <class Slope, class Curvature>
  KOKKOS_FORCEINLINE_FUNCTION static Dual chain(const Dual& a, Scalar g, const Slope& slope, const Curvature& curvature) {
    if constexpr (order == 0) {
      return {g, a.first, a.second};
    } else {
      const Scalar s = slope();
      if constexpr (order == 1) {
        return {g, s * a.first, a.second};
      } else {
        return {g, s * a.first, curvature(s) * (a.first * a.first) + s * a.second};
      }
    }
  }
};

}  // namespace boltzcurve

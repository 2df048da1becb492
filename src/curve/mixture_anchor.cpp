#include "curve/mixture_anchor.hpp"
#include "residual/to_device.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace boltzcurve {
namespace {

/// Lanes [first, first + lanes) of a column; places beyond the last point repeat it.
template <class P, class Column>
KOKKOS_FORCEINLINE_FUNCTION P load_lanes(const Column& at, std::int64_t first, std::int64_t n) {
  P lanes;
  for (int l = 0; l < P::lanes; ++l) lanes.set(l, at(first + l < n ? first + l : n - 1));
  return lanes;
}
template <class P, class Store>
KOKKOS_FORCEINLINE_FUNCTION void store_lanes(P lanes, std::int64_t first, std::int64_t n, const Store& store) {
  for (int l = 0; l < P::lanes && first + l < n; ++l) store(first + l, lanes[l]);
}

}  // namespace

template <class Real>
MixtureAnchor<Real>::MixtureAnchor(const FlowParameters& flow, const NormalMixture& mixture, std::span<const double> latent_mean)
    : flow_(flow), dimension_(flow.dimension), components_(static_cast<int>(mixture.components())) {
  const std::size_t D = latent_mean.size(), K = mixture.components();
  std::vector<double> log_weight, mean;
  for (std::size_t k = 0; k < K; ++k) {
    log_weight.push_back(std::log(mixture.weight[k]) - 0.5 * static_cast<double>(D) * std::log(2 * std::numbers::pi));
    for (std::size_t j = 0; j < D; ++j) {
      double sum = 0;
      for (std::size_t i = 0; i < D; ++i) sum += mixture.axes[(k * D + j) * D + i] * (mixture.mean[k * D + i] - latent_mean[i]);
      mean.push_back(sum);
    }
  }
  center_ = detail::to_device<Real>("boltzcurve::mixture_center", {latent_mean.begin(), latent_mean.end()});
  log_weight_ = detail::to_device<Real>("boltzcurve::mixture_log_weight", log_weight);
  mean_ = detail::to_device<Real>("boltzcurve::mixture_mean", mean);
  variance_ = detail::to_device<Real>("boltzcurve::mixture_variance", mixture.variance);
  axes_ = detail::to_device<Real>("boltzcurve::mixture_axes", mixture.axes);
}

template <class Real>
KOKKOS_FUNCTION auto MixtureAnchor<Real>::moments_at(P t) const -> Moments {
  const double variance = flow_.latent_scale * flow_.latent_scale;
  const P alpha = exp(t * P(-1 / variance));
  // 1 - alpha^2 without the difference where t is small: 2 x - 2 x^2 + 4/3 x^3 with x = t/sigma^2.
  const P x = t * P(1 / variance), small = x * (P(2) - x * (P(2) - x * P(4.0 / 3)));
  return {alpha, P(variance) * select(x < P(1e-3), small, P(1) - alpha * alpha)};
}

/// For every component: its logarithm of w N(x) against the largest so far, after which add(k, factor of what was added before, weight of
/// this one, q [D], 1/v by j) is called. `from_center` and `q` [D] packs of x - m and of what becomes p/v.
template <class Real>
template <class Add>
KOKKOS_FUNCTION void MixtureAnchor<Real>::for_each_component(const Moments& at, const Real* from_center, Real* q, const Add& add) const {
  constexpr int lanes = P::lanes;
  const int D = dimension_;
  P most = P(-1e30);
  for (int k = 0; k < components_; ++k) {
    const Real* const axes = axes_.data() + std::int64_t{k} * D * D;
    P square(0), log_determinant(0), determinant(1);
    for (int j = 0; j < D; ++j) {
      const Real* const axis = axes + std::int64_t{j} * D;
      P p = at.alpha * P(-mean_(k * D + j));
      for (int i = 0; i < D; ++i) p += P(axis[i]) * P::load(from_center + i * lanes);
      const P v = at.alpha * at.alpha * P(variance_(k * D + j)) + at.noise_variance, along = p / v;
      square += p * along;
      determinant *= v;
      if (j % 3 == 2 || j + 1 == D) {  // three factors stay in range
        log_determinant += log(determinant);
        determinant = P(1);
      }
      along.store(q + j * lanes);
    }
    const P log_term = P(log_weight_(k)) - P(0.5) * (square + log_determinant), now = fmax(most, log_term);
    add(k, exp(most - now), exp(log_term - now));
    most = now;
  }
}

template <class Real>
std::int64_t MixtureAnchor<Real>::scratch_blocks(std::int64_t n, int rows) const {
  const std::int64_t blocks = (n + P::lanes - 1) / P::lanes, size = blocks * rows * dimension_ * P::lanes;
  if (static_cast<std::int64_t>(scratch_.extent(0)) < size)
    scratch_ =
        Kokkos::View<Real*>(Kokkos::view_alloc("boltzcurve::mixture_scratch", Kokkos::WithoutInitializing), static_cast<std::size_t>(size));
  return blocks;
}

template <class Real>
void MixtureAnchor<Real>::evaluate(PointScalars<const Real> t, Points<const Real> x, Points<Real> rows) const {
  const auto n = static_cast<std::int64_t>(t.extent(0));
  const std::int64_t blocks = scratch_blocks(n, 3);
  const auto self = *this;
  const int D = dimension_;
  Kokkos::parallel_for(
      "boltzcurve::mixture_anchor", Kokkos::RangePolicy<>(0, blocks), KOKKOS_LAMBDA(const std::int64_t block) {
        constexpr int lanes = P::lanes;
        const std::int64_t first = block * lanes;
        Real* const from_center = self.scratch_.data() + block * 3 * D * lanes;
        Real *const q = from_center + D * lanes, *const gradient = q + D * lanes;
        const double precision = 1 / (self.flow_.latent_scale * self.flow_.latent_scale);
        const auto at = self.moments_at(load_lanes<P>([&](std::int64_t i) { return t(i); }, first, n));
        for (int i = 0; i < D; ++i) {
          const P along = load_lanes<P>([&](std::int64_t point) { return x(point, i); }, first, n) - P(self.center_(i));
          along.store(from_center + i * lanes);
          P(0).store(gradient + i * lanes);
        }
        P sum(0), rate(0), laplacian(0);
        const P alpha2 = at.alpha * at.alpha, drift = at.alpha * P(precision);
        self.for_each_component(at, from_center, q, [&](int k, P before, P weight) {
          P of_rate(0), of_laplacian(0);
          for (int j = 0; j < D; ++j) {
            const Real c = self.variance_(k * D + j);
            const P along = P::load(q + j * lanes), sharpness = P(1) / (alpha2 * P(c) + at.noise_variance), square = along * along;
            const P v_dot = alpha2 * P(2 * (1 - static_cast<double>(c) * precision));
            of_rate += drift * along * P(self.mean_(k * D + j)) - P(0.5) * v_dot * (square - sharpness);
            of_laplacian += sharpness - square;
          }
          sum = sum * before + weight;
          rate = rate * before + weight * of_rate;
          laplacian = laplacian * before + weight * of_laplacian;
          const Real* const axes = self.axes_.data() + std::int64_t{k} * D * D;
          for (int i = 0; i < D; ++i) {
            P slope(0);
            for (int j = 0; j < D; ++j) slope += P(axes[j * D + i]) * P::load(q + j * lanes);
            (P::load(gradient + i * lanes) * before + weight * slope).store(gradient + i * lanes);
          }
        });
        const P share = P(1) / sum;
        P square(0);
        for (int i = 0; i < D; ++i) {
          const P slope = P::load(gradient + i * lanes) * share;
          square += slope * slope;
          store_lanes(slope, first, n, [&](std::int64_t point, Real value) { rows(point, i + 1) = value; });
        }
        store_lanes(rate * share, first, n, [&](std::int64_t point, Real value) { rows(point, 0) = value; });
        store_lanes(laplacian * share + square, first, n, [&](std::int64_t point, Real value) { rows(point, D + 1) = value; });
      });
}

template <class Real>
void MixtureAnchor<Real>::combine(PointScalars<const Real> t, Points<const Real> x, Points<const Real> noise, Points<const Real> slope,
                                  Points<Real> goal, PointScalars<Real> spread) const {
  const auto n = static_cast<std::int64_t>(t.extent(0));
  const std::int64_t blocks = scratch_blocks(n, 5);
  const auto self = *this;
  const int D = dimension_;
  Kokkos::parallel_for(
      "boltzcurve::matching_goals", Kokkos::RangePolicy<>(0, blocks), KOKKOS_LAMBDA(const std::int64_t block) {
        constexpr int lanes = P::lanes;
        const std::int64_t first = block * lanes;
        Real* const from_center = self.scratch_.data() + block * 5 * D * lanes;
        Real *const q = from_center + D * lanes, *const sum_goal = q + D * lanes;
        Real *const of_noise = sum_goal + D * lanes, *const of_slope = of_noise + D * lanes;
        const auto at = self.moments_at(load_lanes<P>([&](std::int64_t i) { return t(i); }, first, n));
        for (int i = 0; i < D; ++i) {
          const P along = load_lanes<P>([&](std::int64_t point) { return x(point, i); }, first, n) - P(self.center_(i));
          along.store(from_center + i * lanes);
          load_lanes<P>([&](std::int64_t point) { return noise(point, i); }, first, n).store(of_noise + i * lanes);
          load_lanes<P>([&](std::int64_t point) { return slope(point, i); }, first, n).store(of_slope + i * lanes);
          P(0).store(sum_goal + i * lanes);
        }
        P sum(0), sharpness(0);
        const P alpha2 = at.alpha * at.alpha;
        self.for_each_component(at, from_center, q, [&](int k, P before, P weight) {
          const Real* const axes = self.axes_.data() + std::int64_t{k} * D * D;
          P of_sharpness(0);
          for (int j = 0; j < D; ++j) {
            P along_noise(0), along_slope(0);
            for (int i = 0; i < D; ++i) {
              const P axis(axes[j * D + i]);
              along_noise += axis * P::load(of_noise + i * lanes);
              along_slope += axis * P::load(of_slope + i * lanes);
            }
            const P c(self.variance_(k * D + j)), inverse = P(1) / (alpha2 * c + at.noise_variance);
            ((along_noise + at.alpha * c * along_slope) * inverse).store(q + j * lanes);
            of_sharpness += inverse;
          }
          sum = sum * before + weight;
          sharpness = sharpness * before + weight * of_sharpness;
          for (int i = 0; i < D; ++i) {
            P along(0);
            for (int j = 0; j < D; ++j) along += P(axes[j * D + i]) * P::load(q + j * lanes);
            (P::load(sum_goal + i * lanes) * before + weight * along).store(sum_goal + i * lanes);
          }
        });
        const P share = P(1) / sum;
        for (int i = 0; i < D; ++i)
          store_lanes(P::load(sum_goal + i * lanes) * share, first, n, [&](std::int64_t point, Real value) { goal(point, i) = value; });
        store_lanes(P(D) * sum / sharpness, first, n, [&](std::int64_t point, Real value) { spread(point) = value; });
      });
}

template class MixtureAnchor<float>;
template class MixtureAnchor<double>;

}  // namespace boltzcurve

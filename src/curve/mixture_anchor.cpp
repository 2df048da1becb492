#include "curve/mixture_anchor.hpp"
#include "core/to_device.hpp"

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

/// sum [D] <- sum before + weight R^T q, packs all of them, of a component's axes R.
template <class P, class Real>
KOKKOS_FORCEINLINE_FUNCTION void add_turned_back(const Real* axes, int D, const Real* q, P before, P weight, Real* sum) {
  for (int i = 0; i < D; ++i) {
    P along(0);
    for (int j = 0; j < D; ++j) along += P(axes[j * D + i]) * P::load(q + j * P::lanes);
    (P::load(sum + i * P::lanes) * before + weight * along).store(sum + i * P::lanes);
  }
}

}  // namespace

template <class Real>
MixtureAnchor<Real>::MixtureAnchor(const FlowParameters& flow, std::span<const MixtureFactor> factors, std::span<const double> latent_mean)
    : flow_(flow), dimension_(flow.dimension) {
  std::vector<double> log_weight, mean, variance, axes;
  const Kokkos::View<Factor*> device_factors("boltzcurve::mixture_factors", factors.size());
  const auto host_factors = Kokkos::create_mirror_view(device_factors);
  std::vector<double> all_coordinates;
  for (std::size_t f = 0; f < factors.size(); ++f) {
    const auto& [coordinates, mixture] = factors[f];
    const std::size_t D = coordinates.size(), K = mixture.components();
    host_factors(f) = {static_cast<int>(D),
                       static_cast<int>(K),
                       static_cast<int>(all_coordinates.size()),
                       static_cast<int>(log_weight.size()),
                       static_cast<int>(mean.size()),
                       static_cast<std::int64_t>(axes.size())};
    for (std::size_t k = 0; k < K; ++k) {
      log_weight.push_back(std::log(mixture.weight[k]) - 0.5 * static_cast<double>(D) * std::log(2 * std::numbers::pi));
      for (std::size_t j = 0; j < D; ++j) {
        double sum = 0;
        for (std::size_t i = 0; i < D; ++i)
          sum += mixture.axes[(k * D + j) * D + i] * (mixture.mean[k * D + i] - latent_mean[static_cast<std::size_t>(coordinates[i])]);
        mean.push_back(sum);
      }
    }
    variance.insert(variance.end(), mixture.variance.begin(), mixture.variance.end());
    axes.insert(axes.end(), mixture.axes.begin(), mixture.axes.end());
    all_coordinates.insert(all_coordinates.end(), coordinates.begin(), coordinates.end());
  }
  Kokkos::deep_copy(device_factors, host_factors);
  factors_ = device_factors;
  coordinates_ = detail::to_device<int>("boltzcurve::mixture_coordinates", all_coordinates);
  center_ = detail::to_device<Real>("boltzcurve::mixture_center", std::vector<double>(latent_mean.begin(), latent_mean.end()));
  log_weight_ = detail::to_device<Real>("boltzcurve::mixture_log_weight", log_weight);
  mean_ = detail::to_device<Real>("boltzcurve::mixture_mean", mean);
  variance_ = detail::to_device<Real>("boltzcurve::mixture_variance", variance);
  axes_ = detail::to_device<Real>("boltzcurve::mixture_axes", axes);
}

template <class Real>
KOKKOS_FUNCTION auto MixtureAnchor<Real>::moments_at(P t) const -> Moments {
  const double variance = flow_.latent_scale * flow_.latent_scale;
  const P alpha = exp(t * P(-1 / variance));
  // 1 - alpha^2 without the difference where t is small: 2 x - 2 x^2 + 4/3 x^3 with x = t/sigma^2.
  const P x = t * P(1 / variance), small = x * (P(2) - x * (P(2) - x * P(4.0 / 3)));
  return {alpha, P(variance) * select(x < P(1e-3), small, P(1) - alpha * alpha)};
}

/// For every component of a factor: its logarithm of w N(x) against the largest so far, after which add(its variances and means, axes,
/// factor of what was added before, weight of this one) is called. `from_center` and `q` [D] packs of x - m and of what becomes p/v.
/// Returns the largest logarithm, which all weights are against in the end.
template <class Real>
template <class Add>
KOKKOS_FUNCTION auto MixtureAnchor<Real>::for_each_component(const Factor& factor, const Moments& at, const Real* from_center, Real* q,
                                                             const Add& add) const -> P {
  constexpr int lanes = P::lanes;
  const int D = factor.dimension;
  P most = P(-1e30);
  for (int k = 0; k < factor.components; ++k) {
    const Component component{variance_.data() + factor.vectors + k * D, mean_.data() + factor.vectors + k * D,
                              axes_.data() + factor.axes + std::int64_t{k} * D * D};
    P square(0), log_determinant(0), determinant(1);
    for (int j = 0; j < D; ++j) {
      const Real* const axis = component.axes + std::int64_t{j} * D;
      P p = at.alpha * P(-component.mean[j]);
      for (int i = 0; i < D; ++i) p += P(axis[i]) * P::load(from_center + i * lanes);
      const P v = at.alpha * at.alpha * P(component.variance[j]) + at.noise_variance, along = p / v;
      square += p * along;
      determinant *= v;
      if (j % 3 == 2 || j + 1 == D) {  // three factors stay in range
        log_determinant += log(determinant);
        determinant = P(1);
      }
      along.store(q + j * lanes);
    }
    const P log_term = P(log_weight_(factor.weights + k)) - P(0.5) * (square + log_determinant), now = fmax(most, log_term);
    add(component, exp(most - now), exp(log_term - now));
    most = now;
  }
  return most;
}

/// x - m of a factor's coordinates, of the points [first, first + lanes).
template <class Real>
KOKKOS_FUNCTION void MixtureAnchor<Real>::load_from_center(const Factor& factor, const Points<const Real>& x, std::int64_t first,
                                                           std::int64_t n, Real* from_center) const {
  for (int i = 0; i < factor.dimension; ++i) {
    const int d = coordinates_(factor.coordinates + i);
    const P along = load_lanes<P>([&](std::int64_t point) { return x(point, d); }, first, n) - P(center_(d));
    along.store(from_center + i * P::lanes);
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
        const P alpha2 = at.alpha * at.alpha, drift = at.alpha * P(precision);
        P whole_rate(0), whole_laplacian(0);
        for (std::size_t f = 0; f < self.factors_.extent(0); ++f) {
          const Factor factor = self.factors_(f);
          const int* const coordinates = self.coordinates_.data() + factor.coordinates;
          self.load_from_center(factor, x, first, n, from_center);
          for (int i = 0; i < factor.dimension; ++i) P(0).store(gradient + i * lanes);
          P sum(0), rate(0), laplacian(0);
          self.for_each_component(factor, at, from_center, q, [&](const Component& component, P before, P weight) {
            P of_rate(0), of_laplacian(0);
            for (int j = 0; j < factor.dimension; ++j) {
              const Real c = component.variance[j];
              const P along = P::load(q + j * lanes), sharpness = P(1) / (alpha2 * P(c) + at.noise_variance), square = along * along;
              const P v_dot = alpha2 * P(2 * (1 - static_cast<double>(c) * precision));
              of_rate += drift * along * P(component.mean[j]) - P(0.5) * v_dot * (square - sharpness);
              of_laplacian += sharpness - square;
            }
            sum = sum * before + weight;
            rate = rate * before + weight * of_rate;
            laplacian = laplacian * before + weight * of_laplacian;
            add_turned_back(component.axes, factor.dimension, q, before, weight, gradient);
          });
          const P share = P(1) / sum;
          P square(0);
          for (int i = 0; i < factor.dimension; ++i) {
            const P slope = P::load(gradient + i * lanes) * share;
            square += slope * slope;
            const int d = coordinates[i];
            store_lanes(slope, first, n, [&](std::int64_t point, Real value) { rows(point, d + 1) = value; });
          }
          whole_rate += rate * share;
          whole_laplacian += laplacian * share + square;
        }
        store_lanes(whole_rate, first, n, [&](std::int64_t point, Real value) { rows(point, 0) = value; });
        store_lanes(whole_laplacian, first, n, [&](std::int64_t point, Real value) { rows(point, D + 1) = value; });
      });
}

template <class Real>
void MixtureAnchor<Real>::energies(Real t, Points<const Real> x, Points<Real> rows) const {
  const auto n = static_cast<std::int64_t>(x.extent(0));
  const std::int64_t blocks = scratch_blocks(n, 3);
  const auto self = *this;
  const int D = dimension_;
  Kokkos::parallel_for(
      "boltzcurve::mixture_energies", Kokkos::RangePolicy<>(0, blocks), KOKKOS_LAMBDA(const std::int64_t block) {
        constexpr int lanes = P::lanes;
        const std::int64_t first = block * lanes;
        Real* const from_center = self.scratch_.data() + block * 3 * D * lanes;
        Real *const q = from_center + D * lanes, *const gradient = q + D * lanes;
        const auto at = self.moments_at(P(t));
        P energy(0);
        for (std::size_t f = 0; f < self.factors_.extent(0); ++f) {
          const Factor factor = self.factors_(f);
          const int* const coordinates = self.coordinates_.data() + factor.coordinates;
          self.load_from_center(factor, x, first, n, from_center);
          for (int i = 0; i < factor.dimension; ++i) P(0).store(gradient + i * lanes);
          P sum(0);
          const P most = self.for_each_component(factor, at, from_center, q, [&](const Component& component, P before, P weight) {
            sum = sum * before + weight;
            add_turned_back(component.axes, factor.dimension, q, before, weight, gradient);
          });
          energy -= most + log(sum);
          const P share = P(1) / sum;
          for (int i = 0; i < factor.dimension; ++i) {
            const int d = coordinates[i];
            store_lanes(P::load(gradient + i * lanes) * share, first, n,
                        [&](std::int64_t point, Real value) { rows(point, d + 1) = value; });
          }
        }
        store_lanes(energy, first, n, [&](std::int64_t point, Real value) { rows(point, 0) = value; });
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
        const P alpha2 = at.alpha * at.alpha;
        P whole_sharpness(0);
        for (std::size_t f = 0; f < self.factors_.extent(0); ++f) {
          const Factor factor = self.factors_(f);
          const int* const coordinates = self.coordinates_.data() + factor.coordinates;
          self.load_from_center(factor, x, first, n, from_center);
          for (int i = 0; i < factor.dimension; ++i) {
            const int d = coordinates[i];
            load_lanes<P>([&](std::int64_t point) { return noise(point, d); }, first, n).store(of_noise + i * lanes);
            load_lanes<P>([&](std::int64_t point) { return slope(point, d); }, first, n).store(of_slope + i * lanes);
            P(0).store(sum_goal + i * lanes);
          }
          P sum(0), sharpness(0);
          self.for_each_component(factor, at, from_center, q, [&](const Component& component, P before, P weight) {
            P of_sharpness(0);
            for (int j = 0; j < factor.dimension; ++j) {
              P along_noise(0), along_slope(0);
              for (int i = 0; i < factor.dimension; ++i) {
                const P axis(component.axes[j * factor.dimension + i]);
                along_noise += axis * P::load(of_noise + i * lanes);
                along_slope += axis * P::load(of_slope + i * lanes);
              }
              const P c(component.variance[j]), inverse = P(1) / (alpha2 * c + at.noise_variance);
              ((along_noise + at.alpha * c * along_slope) * inverse).store(q + j * lanes);
              of_sharpness += inverse;
            }
            sum = sum * before + weight;
            sharpness = sharpness * before + weight * of_sharpness;
            add_turned_back(component.axes, factor.dimension, q, before, weight, sum_goal);
          });
          const P share = P(1) / sum;
          for (int i = 0; i < factor.dimension; ++i) {
            const int d = coordinates[i];
            store_lanes(P::load(sum_goal + i * lanes) * share, first, n, [&](std::int64_t point, Real value) { goal(point, d) = value; });
          }
          whole_sharpness += sharpness * share;
        }
        store_lanes(P(D) / whole_sharpness, first, n, [&](std::int64_t point, Real value) { spread(point) = value; });
      });
}

template class MixtureAnchor<float>;
template class MixtureAnchor<double>;

}  // namespace boltzcurve

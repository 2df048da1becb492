// The target `banana` once more, by the same arithmetic, as a shared library.
#include <boltzcurve/target.h>
#include "energy/vectorized_energy.hpp"

#include <algorithm>
#include <cmath>

namespace {

using namespace boltzcurve;

constexpr double wide = 10, thin = 0.1;
constexpr int D = 2;

struct Banana {
  int size;

  int dimension() const { return size; }

  template <class Point, class Output>
  void derivatives(const Point& x, const Output& out) const {
    using Scalar = typename Point::Scalar;
    Scalar value(0), laplacian(0);
    for (int i = 0; i < size; i += 2) {
      const Scalar u = x(i), offset = u - 1, misfit = x(i + 1) - u * u, pull = misfit * (1 / thin);
      value += offset * offset * (0.5 / wide) + misfit * pull * 0.5;
      out.gradient(i, offset * (1 / wide) - 2 * u * pull);
      out.gradient(i + 1, pull);
      laplacian += (1 / wide + 1 / thin) + 4 / thin * u * u - 2 * pull;
    }
    out.value(value);
    out.laplacian(laplacian);
  }
};

}  // namespace

/// Its dimension is not known to the compiler, as it is not in the program: loops that are unrolled round otherwise.
struct boltzcurve_target {
  int size;
};

extern "C" {

std::uint32_t boltzcurve_target_version() { return BOLTZCURVE_TARGET_VERSION; }

int boltzcurve_target_create(const char*, const char*, boltzcurve_target** made, char*, std::size_t) {
  *made = new boltzcurve_target{D};
  return 0;
}

void boltzcurve_target_destroy(boltzcurve_target* target) { delete target; }

int boltzcurve_target_describe(const boltzcurve_target*, boltzcurve_target_facts* facts) {
  facts->can = BOLTZCURVE_VALUE | BOLTZCURVE_GRADIENT;
  facts->threads = BOLTZCURVE_ANY_THREAD;
  facts->digits = 53;
  facts->dimension = D;
  facts->batch = 0;
  return 0;
}

int boltzcurve_target_box(const boltzcurve_target*, double* lower, double* upper) {
  const double reach = 8 * std::sqrt(wide);
  lower[0] = 1 - reach;
  lower[1] = -5;
  upper[0] = 1 + reach;
  upper[1] = (1 + reach) * (1 + reach) + 5;
  return 0;
}

int boltzcurve_target_evaluate(boltzcurve_target* target, std::int64_t n, const double* x, std::uint32_t, double* value, double* gradient,
                               std::int64_t, const double*, double*, char*, std::size_t) {
  using Lanes = detail::PackOfPoints<double>;
  constexpr std::int64_t lanes = Lanes::count;
  for (std::int64_t first = 0; first < n; first += lanes) {
    double point[2 * lanes], result[4 * lanes];
    const std::int64_t left = std::min(lanes, n - first);
    for (std::int64_t i = 0; i < lanes; ++i)
      for (std::int64_t d = 0; d < 2; ++d) point[d * lanes + i] = x[2 * (first + std::min(i, left - 1)) + d];
    detail::store_wanted<detail::PackOfPoints>(
        Banana{target->size}, detail::LanePoint<Lanes>{point, lanes},
        detail::LaneOutput<Lanes, Wanted::laplacian>{result, result + lanes, result + 3 * lanes, lanes}, 2);
    for (std::int64_t i = 0; i < left; ++i) {
      value[first + i] = result[i];
      for (std::int64_t d = 0; d < 2 && gradient; ++d) gradient[2 * (first + i) + d] = result[(1 + d) * lanes + i];
    }
  }
  return 0;
}

}  // extern "C"

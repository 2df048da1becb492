#include "sampling/mixture_density.hpp"
#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/error.hpp>

#include <cmath>
#include <utility>

namespace boltzcurve {
namespace {

FlowParameters standing_still(std::span<const MixtureFactor> factors) {
  FlowParameters flow;
  flow.dimension = 0;
  for (const auto& factor : factors) flow.dimension += static_cast<int>(factor.coordinates.size());
  return flow;
}

}  // namespace

MixtureDensity::MixtureDensity(std::span<const MixtureFactor> factors, Domain domain)
    : flow_(standing_still(factors)),
      factors_(factors.begin(), factors.end()),
      anchor_(flow_, factors_, std::vector<double>(static_cast<std::size_t>(flow_.dimension), 0.0)),
      domain_(std::move(domain)) {}

bool MixtureDensity::draw(std::uint64_t seed, std::int64_t first, HostPoints<double> out) const {
  std::vector<double> along;
  for (std::size_t i = 0; i < out.extent(0); ++i) {
    CounterRng rng(seed, RandomStream::latent_particles, 1, static_cast<std::uint64_t>(first) + i);
    for (const auto& [coordinates, mixture] : factors_) {
      const std::size_t D = coordinates.size();
      double left = rng.uniform();
      std::size_t k = 0;
      while (k + 1 < mixture.components() && (left -= mixture.weight[k]) >= 0) ++k;
      along.clear();
      for (std::size_t j = 0; j < D; ++j) along.push_back(std::sqrt(mixture.variance[k * D + j]) * rng.normal());
      for (std::size_t l = 0; l < D; ++l) {
        double x = mixture.mean[k * D + l];
        for (std::size_t j = 0; j < D; ++j) x += mixture.axes[(k * D + j) * D + l] * along[j];
        out(i, static_cast<std::size_t>(coordinates[l])) = x;
      }
    }
  }
  return true;
}

void MixtureDensity::evaluate(Points<const float>, Points<float>, Wanted) const {
  throw Error(ExitCode::internal_error, "a mixture to start from is evaluated in double");
}

void MixtureDensity::evaluate(Points<const double> x, Points<double> out, Wanted wanted) const {
  if (wanted == Wanted::laplacian) throw Error(ExitCode::internal_error, "a mixture to start from has no Laplacian");
  const Points<double> rows("boltzcurve::mixture_rows", x.extent(0), x.extent(1) + 1);
  anchor_.energies(0, x, rows);
  for (std::size_t k = 0; k < result_columns(wanted, x.extent(1)); ++k)
    Kokkos::deep_copy(Kokkos::subview(out, Kokkos::ALL, k), Kokkos::subview(rows, Kokkos::ALL, k));
}

void MixtureDensity::evaluate(double, Points<const double> x, Points<double> out) const { anchor_.energies(0, x, out); }

}  // namespace boltzcurve

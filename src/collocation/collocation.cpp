#include <boltzcurve/collocation/collocation.hpp>
#include <boltzcurve/random/counter_rng.hpp>

#include <cmath>

namespace boltzcurve {
namespace {

// Latent collocation points use the latent law's own sampler, which knows a seed and an index but no step: this keeps them apart from the
// particles that are later drawn with the plain seed.
constexpr std::uint64_t collocation_seed_offset = 0x9e3779b97f4a7c15u;

/// Whether point i of the batch is one of the latent share: spread evenly over the indices.
bool is_latent_point(const CollocationLaw& law, std::int64_t i) {
  if (law.kind == CollocationKind::latent) return true;
  if (law.kind != CollocationKind::mixture) return false;
  const double share = law.latent_share, index = static_cast<double>(i);
  return std::floor((index + 1) * share) > std::floor(index * share);
}

}  // namespace

template <class Real>
void draw_collocation_points(const CollocationLaw& law, const Energy& latent, std::uint64_t seed, std::int64_t step,
                             std::int64_t batch_points, std::int64_t first, HostScalars<Real> t, HostPoints<Real> x) {
  const std::size_t n = t.extent(0), D = x.extent(1);
  const bool needs_latent = law.kind == CollocationKind::latent || law.kind == CollocationKind::mixture;
  HostPoints<double> latent_points;
  if (needs_latent) {
    latent_points = HostPoints<double>(Kokkos::view_alloc("boltzcurve::latent_collocation", Kokkos::WithoutInitializing), n, D);
    latent.draw(seed + collocation_seed_offset, step * batch_points + first, latent_points);
  }
  Kokkos::parallel_for("boltzcurve::draw_collocation", Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, n),
                       [&](const std::size_t i) {
                         const std::int64_t global = first + static_cast<std::int64_t>(i);
                         const auto index = static_cast<std::uint64_t>(global), stage = static_cast<std::uint64_t>(step);
                         CounterRng time_rng(seed, RandomStream::collocation_time, stage, index);
                         const double time = law.horizon * std::pow(time_rng.uniform(), law.time_power);
                         t(i) = static_cast<Real>(time);
                         if (needs_latent && is_latent_point(law, global)) {
                           for (std::size_t k = 0; k < D; ++k) x(i, k) = static_cast<Real>(latent_points(i, k));
                           return;
                         }
                         CounterRng rng(seed, RandomStream::collocation_position, stage, index);
                         const bool bridge = law.kind == CollocationKind::ou_bridge;
                         const double variance = law.latent_scale * law.latent_scale;
                         const double contraction = bridge ? std::exp(-time / variance) : 1;
                         const double spread = bridge ? law.latent_scale * std::sqrt(-std::expm1(-2 * time / variance)) : 0;
                         for (std::size_t k = 0; k < D; ++k) {
                           const double y = law.lower[k] + (law.upper[k] - law.lower[k]) * rng.uniform();
                           const double center = bridge ? law.latent_mean[k] : 0;
                           const double position = bridge ? center + contraction * (y - center) + spread * rng.normal() : y;
                           x(i, k) = static_cast<Real>(position);
                         }
                       });
}

template void draw_collocation_points<float>(const CollocationLaw&, const Energy&, std::uint64_t, std::int64_t, std::int64_t, std::int64_t,
                                             HostScalars<float>, HostPoints<float>);
template void draw_collocation_points<double>(const CollocationLaw&, const Energy&, std::uint64_t, std::int64_t, std::int64_t, std::int64_t,
                                              HostScalars<double>, HostPoints<double>);

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/core/choice.hpp>
#include <boltzcurve/core/views.hpp>
#include <boltzcurve/energy/energy.hpp>

#include <cstdint>
#include <vector>

namespace boltzcurve {

/// Where the positions of collocation points come from. The ou-bridge is m + a (y - m) + sqrt(1 - a^2) sigma e with y uniform in the box
/// and a = exp(-t/sigma^2): a point of the box after time t of the diffusion towards N(m, sigma^2), so that points spread and contract as
/// the curve's densities do.
enum class CollocationKind { uniform, latent, ou_bridge, trajectory, mixture };
template <>
inline constexpr auto choices<CollocationKind> = std::to_array<Choice<CollocationKind>>({
    {CollocationKind::uniform, "uniform", "x uniform in the box"},
    {CollocationKind::latent, "latent", "x from the latent law"},
    {CollocationKind::ou_bridge, "ou-bridge", "x = a y + sqrt(1 - a^2) sigma e, a = exp(-t/sigma^2), y uniform in the box, e normal"},
    {CollocationKind::trajectory, "trajectory", "x carried by the current velocity from the latent end", false},
    {CollocationKind::mixture, "mixture", "a share (latent-share) from the latent law, the rest uniform in the box"},
});

/// The law of collocation points (x, t). Times are t = T u^power with u uniform: power 1 is uniform, larger ones favour the target end t =
/// 0.
struct CollocationLaw {
  CollocationKind kind = CollocationKind::ou_bridge;
  double horizon = 5;  ///< T
  double time_power = 2;
  double latent_share = 0.5;         ///< in `mixture`
  std::vector<double> lower, upper;  ///< the box [D]
  std::vector<double> latent_mean;   ///< m [D], for ou_bridge
  double latent_scale = 1;           ///< sigma, for ou_bridge
};

/// Draws points of global index [first, first + t.extent(0)) of step `step` in a batch of `batch_points`: a function of seed, step and
/// global index only. `latent` serves the kinds that need it. Fills t [n] and x [n][D] (host memory).
template <class Real>
void draw_collocation_points(const CollocationLaw& law, const Energy& latent, std::uint64_t seed, std::int64_t step,
                             std::int64_t batch_points, std::int64_t first, HostScalars<Real> t, HostPoints<Real> x);

extern template void draw_collocation_points<float>(const CollocationLaw&, const Energy&, std::uint64_t, std::int64_t, std::int64_t,
                                                    std::int64_t, HostScalars<float>, HostPoints<float>);
extern template void draw_collocation_points<double>(const CollocationLaw&, const Energy&, std::uint64_t, std::int64_t, std::int64_t,
                                                     std::int64_t, HostScalars<double>, HostPoints<double>);

}  // namespace boltzcurve

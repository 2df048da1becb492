#pragma once

#include <boltzcurve/choice.hpp>
#include <boltzcurve/setting.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace boltzcurve {

/// Where the positions of collocation points come from. A bridge is the point y of the target, carried to time t as the curve's densities
/// spread and contract (Curve::interpolations_at): along the gradient flow m + a (y - m) + sqrt(1 - a^2) sigma e with a = exp(-t/sigma^2),
/// the point y after time t of the diffusion towards N(m, sigma^2). From a chain of temperature T, the noise e is wider by sqrt(T) as well:
/// of a normal target that makes the curve's densities to the power 1/T at all times, so that flanks are seen where no particle would lead.
enum class CollocationKind { uniform, latent, ou_bridge, langevin, trajectory, mixture };
template <>
inline constexpr auto choices<CollocationKind> = std::to_array<Choice<CollocationKind>>({
    {CollocationKind::mixture, "mixture", "shares of the others (key shares)"},
    {CollocationKind::langevin, "langevin",
     "bridge from walkers on the target: a population that moves by Langevin dynamics, some of it hot, with noise as hot"},
    {CollocationKind::trajectory, "trajectory", "points that the current velocity has carried from the latent law towards the target"},
    {CollocationKind::ou_bridge, "ou-bridge",
     "bridge from y uniform in the box: x = a y + b sigma e, along the gradient flow b = sqrt(1 - a^2)"},
    {CollocationKind::uniform, "uniform", "x uniform in the box"},
    {CollocationKind::latent, "latent", "x from the latent law"},
});

/// How times are drawn, by the curve's clock s in [0, 1].
enum class TimeDensity { power, residual };
template <>
inline constexpr auto choices<TimeDensity> = std::to_array<Choice<TimeDensity>>({
    {TimeDensity::power, "power", "s = u^p, u uniform: p = time-power = 1 is uniform, more favors the target end"},
    {TimeDensity::residual, "residual", "half of them uniform, half in proportion to the running mean of |R| in 32 bins of s"},
});

/// A part of the points of a mixture.
struct CollocationShare {
  CollocationKind kind;
  double share;  ///< in any units
  bool operator==(const CollocationShare&) const = default;
};

/// A side of a box, the same for every coordinate.
struct Interval {
  double lower, upper;
  bool operator==(const Interval&) const = default;
};

/// The points (x, t) at which training asks for the residual. Times are drawn by the curve's clock (see TimeDensity), stratified over the
/// batch; points on trajectories have the times of their paths, uniform in the clock unless `times` is `residual`.
struct CollocationSettings {
  CollocationKind kind = CollocationKind::mixture;
  std::vector<CollocationShare> shares = {{CollocationKind::langevin, 0.5}, {CollocationKind::trajectory, 0.5}};
  std::int64_t points = 2048;
  std::optional<Interval> box;  ///< none: the target's domain
  TimeDensity times = TimeDensity::power;
  double time_power = 1;
  double hottest = 3;
  std::int64_t refresh_every = 100;

  template <class Visit>
  static void describe(const Visit& setting) {
    using S = CollocationSettings;
    setting("kind", &S::kind, "where the residual is asked for");
    setting("points", &S::points, Range{1, 1 << 30}, "points", "points (x, t) of a training step, over all ranks");
    setting("box", &S::box, Range{-1e30, 1e30}, "", "sides of the box for x, every coordinate alike; empty: the target's domain");
    setting("shares", &S::shares, Range{0, 1e6}, "", "parts of a mixture as kind:share, ...");
    setting("times", &S::times, "how times are drawn by the clock");
    setting("time-power", &S::time_power, Range{0.5, 8}, "", "p in s = u^p, s the clock and u uniform: more favors the target end");
    setting("hottest", &S::hottest, Range{1, 1e6}, "", "temperature of the hottest walkers (langevin); the coolest have 1");
    setting("refresh-every", &S::refresh_every, Range{1, max_count}, "steps", "steps between renewals of trajectories");
  }
  bool operator==(const CollocationSettings&) const = default;

  /// The parts that the points consist of, whatever the kind.
  std::vector<CollocationShare> parts() const { return kind == CollocationKind::mixture ? shares : std::vector{CollocationShare{kind, 1}}; }
};

}  // namespace boltzcurve

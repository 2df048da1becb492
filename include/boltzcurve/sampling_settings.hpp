#pragma once

#include <boltzcurve/choice.hpp>
#include <boltzcurve/setting.hpp>

#include <cstdint>

namespace boltzcurve {

/// How finely particles are followed. The same for all of them; step sizes are each particle's own.
struct IntegrationSettings {
  /// A step is accepted when the root mean square, over the D coordinates and log q, of error / (absolute + relative max(|y|, |y_new|))
  /// is at most 1. Both above 0.
  double relative_tolerance = 1e-5, absolute_tolerance = 1e-5;
  /// Steps allowed to a particle, accepted and rejected together.
  int max_steps = 10000;
  /// Particles advanced together: the size of a batch handed to the field. Changes no result.
  int block = 512;

  bool operator==(const IntegrationSettings&) const = default;
};

/// Ways to draw particles.
enum class SamplingMethod { flow, smc };
template <>
inline constexpr auto choices<SamplingMethod> = std::to_array<Choice<SamplingMethod>>({
    {SamplingMethod::flow, "flow", "along the curve that was learned"},
    {SamplingMethod::smc, "smc",
     "without a curve, and so without training: annealed sequential Monte Carlo from the normal laws that were fitted to the pilot's "
     "population"},
});

/// The particles to be drawn.
struct SamplingSettings : IntegrationSettings {
  std::int64_t particles = 10000;
  SamplingMethod method = SamplingMethod::flow;
  int legs = 0;
  int moves = 1;
  std::int64_t island = 512;
  double resample_below = 0.3;
  /// Frame j of F is where (1 - j/(F-1))^2 of the time from the target's end is left: denser where the target takes shape; a single one is
  /// at the target.
  int frames = 0;

  template <class Visit>
  static void describe(const Visit& setting) {
    using S = SamplingSettings;
    setting("particles", &S::particles, Range{1, max_count}, "particles", "particles drawn, over all ranks");
    setting("method", &S::method, "how particles are drawn");
    setting(
        "legs", &S::legs, Range{0, 10000}, "legs",
        "parts of the way from the latent law to the target, after each of which particles are weighed, resampled where that is needed, "
        "and moved by HMC that leaves the curve's density there alone; 1: the flow alone; 0: 8 where a dry run says that the flow "
        "alone has an ESS below 0.5, else 1");
    setting("moves", &S::moves, Range{0, 1000}, "moves", "HMC moves after each leg");
    setting("island", &S::island, Range{64, 1 << 24}, "particles", "particles that are resampled among themselves: a multiple of 64");
    setting("resample-below", &S::resample_below, Range{0, 1}, "", "ESS of an island after a leg below which it is resampled");
    setting("relative-tolerance", &S::relative_tolerance, Range{1e-14, 0.1}, "", "relative error of an integration step");
    setting("absolute-tolerance", &S::absolute_tolerance, Range{1e-14, 0.1}, "length", "absolute error of an integration step");
    setting("frames", &S::frames, Range{0, 1e6}, "frames", "frames of the trajectory written, from t = T to 0, denser towards 0; 0: none");
    setting("max-steps", &S::max_steps, Range{1, 1e9}, "steps", "integration steps of a particle before it counts as failed");
    setting("block", &S::block, Range{1, 1 << 20}, "particles", "particles integrated together; changes no result");
  }
  bool operator==(const SamplingSettings&) const = default;
};

}  // namespace boltzcurve

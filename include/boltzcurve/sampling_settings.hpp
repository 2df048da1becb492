#pragma once

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

/// The particles to be drawn.
struct SamplingSettings : IntegrationSettings {
  std::int64_t particles = 10000;
  /// Frame j of F is where (1 - j/(F-1))^2 of the time from the target's end is left: denser where the target takes shape; a single one is
  /// at the target.
  int frames = 0;

  template <class Visit>
  static void describe(const Visit& setting) {
    using S = SamplingSettings;
    setting("particles", &S::particles, Range{1, max_count}, "particles", "particles drawn, over all ranks");
    setting("relative-tolerance", &S::relative_tolerance, Range{1e-14, 0.1}, "", "relative error of an integration step");
    setting("absolute-tolerance", &S::absolute_tolerance, Range{1e-14, 0.1}, "length", "absolute error of an integration step");
    setting("frames", &S::frames, Range{0, 1e6}, "frames", "frames of the trajectory written, from t = T to 0, denser towards 0; 0: none");
    setting("max-steps", &S::max_steps, Range{1, 1e9}, "steps", "integration steps of a particle before it counts as failed");
    setting("block", &S::block, Range{1, 1 << 20}, "particles", "particles integrated together; changes no result");
  }
  bool operator==(const SamplingSettings&) const = default;
};

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/setting.hpp>

#include <cstdint>

namespace boltzcurve {

/// What particles are compared with.
struct EvaluationSettings {
  std::int64_t exact_samples = 10000;
  std::int64_t pilot_samples = 2000;
  std::int64_t energy_distance_points = 10000;

  template <class Visit>
  static void describe(const Visit& setting) {
    using S = EvaluationSettings;
    setting("exact-samples", &S::exact_samples, Range{0, max_count}, "samples",
            "exact target samples to compare with, where the target has them");
    setting("pilot-samples", &S::pilot_samples, Range{0, max_count}, "points",
            "points of the pilot's population, where there is one, to carry back along the flow");
    setting("energy-distance-points", &S::energy_distance_points, Range{2, 1e7}, "points",
            "points of either side in the energy distance, whose cost is their square");
  }
  bool operator==(const EvaluationSettings&) const = default;
};

}  // namespace boltzcurve

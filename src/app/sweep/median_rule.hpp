#pragma once

#include "app/sweep/sweep_file.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace boltzcurve {

/// The median stopping rule (Golovin et al., Google Vizier, KDD 2017), at equal steps: a run ends that is worse than the median of what the
/// others had at the same step, those that are still training, have ended or were ended. Every run tells the others in a file of its
/// folder, trace.csv, so that it does not matter which job they belong to. Which runs end depends on which were faster; what a run computes
/// until then does not.
class MedianRule {
 public:
  /// Of the run in `folder`; `others`: folders of all runs of the sweep, this one may be among them.
  MedianRule(const SweepSettings& settings, std::filesystem::path folder, std::vector<std::filesystem::path> others);

  /// Tells the others `value` at `step`. Returns why to end, if so: "loss 3.2 at step 200, the median of 7 others is 1.1". For one rank.
  /// Throws InputError where the file cannot be written.
  std::optional<std::string> tell(std::int64_t step, double value);

 private:
  SweepSettings settings_;
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> others_;
};

}  // namespace boltzcurve

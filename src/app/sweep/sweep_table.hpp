#pragma once

#include "app/sweep/manifest.hpp"
#include "io/table.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace boltzcurve {

/// A metric: key of evaluation.json and its unit.
struct SweepMetric {
  std::string key, unit;
};

/// What the runs of a sweep have come to: row, state, detail, folder, the varied keys (as numbers where all values are), the last step and
/// loss of metrics.h5, and every metric of evaluation.json. Of runs at work only their state. Throws InputError for a damaged file.
Table collect_table(const std::filesystem::path& folder, const Manifest& manifest, const std::vector<SweepMetric>& metrics);

}  // namespace boltzcurve

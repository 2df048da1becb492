#pragma once

#include "app/sweep/manifest.hpp"
#include "io/provenance.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace boltzcurve {

/// A column of the table of a sweep. Numbers are NaN where a row has none.
struct SweepColumn {
  std::string name;  ///< "row", "state", "detail", "folder", a varied key ("network.width") or a metric ("ess")
  std::string unit;  ///< "1" for a pure number, empty for text and options
  std::variant<std::vector<std::int64_t>, std::vector<double>, std::vector<std::string>> values;
};

/// A metric: key of evaluation.json and its unit.
struct SweepMetric {
  std::string key, unit;
};

/// What the runs of a sweep have come to: row, state, detail, folder, the varied keys (as numbers where all values are), the last step and
/// loss of metrics.h5, and every metric of evaluation.json. Of runs at work only their state. Throws InputError for a damaged file.
std::vector<SweepColumn> collect_table(const std::filesystem::path& folder, const Manifest& manifest,
                                       const std::vector<SweepMetric>& metrics);

/// A header and a line per row; numbers with as many digits as it takes to read back the same, nothing for NaN.
std::string to_csv(const std::vector<SweepColumn>& table);

/// Group /sweep: a dataset per column with the attribute unit; their order in the attribute columns of the group. Replaces the file as a
/// whole. For rank 0. Throws InputError.
void write_table(const std::filesystem::path& file, const std::vector<SweepColumn>& table, const Provenance& provenance);

}  // namespace boltzcurve

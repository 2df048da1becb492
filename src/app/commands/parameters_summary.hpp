#pragma once

#include "app/options/options.hpp"
#include "io/table.hpp"
#include "metrics/summary.hpp"

#include <span>
#include <string>
#include <vector>

namespace boltzcurve {

inline constexpr const char* summary_name = "summary.csv";

/// Names of the target's coordinates: output.names, else those of the target, else x1 to xD. Throws ConfigError where their number does not
/// fit or one is not of its own.
std::vector<std::string> parameter_names(const Options& options, int dimension, std::vector<std::string> of_target = {});

/// A row per parameter: parameter, mean, sd, mcse, q5, q50, q95, ess; NaN where unknown. Of summary.csv.
Table summary_table(const std::vector<std::string>& names, std::span<const ParameterSummary> summaries);

/// The same for a terminal; of many parameters the first ones, and how many more there are in the file.
std::string summary_text(const std::vector<std::string>& names, std::span<const ParameterSummary> summaries);

}  // namespace boltzcurve

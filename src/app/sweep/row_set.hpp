#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace boltzcurve {

/// Reads rows as Slurm writes the tasks of an array: "0-3,7,10-12". In ascending order, each once. A range may
/// reach beyond the last row, as the last of several equal parts does; else throws ConfigError unless all are from 0 to `rows` - 1.
std::vector<std::int64_t> parse_rows(const std::string& text, std::int64_t rows);

/// The same the other way: for --array and --rows. Empty for none.
std::string rows_text(const std::vector<std::int64_t>& ascending);

}  // namespace boltzcurve

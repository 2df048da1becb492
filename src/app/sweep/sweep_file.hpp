#pragma once

#include <boltzcurve/choice.hpp>
#include "app/options/options.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace boltzcurve {

/// By what a run of a sweep is measured against the others while it trains.
enum class EarlyStop { no, loss, ess };
template <>
inline constexpr auto choices<EarlyStop> = std::to_array<Choice<EarlyStop>>({
    {EarlyStop::no, "no", "every run ends as its options say"},
    {EarlyStop::loss, "median-loss", "a run ends whose loss is above the median of the others at the same step"},
    {EarlyStop::ess, "median-ess", "a run ends whose ESS is below it (training.evaluate-every says at which steps)"},
});

/// The section [sweep].
struct SweepSettings {
  std::vector<std::filesystem::path> bases;  ///< configurations that every run starts from, later ones over earlier ones
  int ranks_per_run = 1;
  EarlyStop stop_early = EarlyStop::no;
  std::int64_t stop_early_from = 1;  ///< first step at which a run may be ended
  std::int64_t stop_early_rows = 3;  ///< so many others must have come to the step

  bool operator==(const SweepSettings&) const = default;
};

/// An option that differs between runs, and where it was written.
struct VariedKey {
  std::string key, where;
};

/// A sweep: many runs of one base. Rows are all combinations of
///     [grid]    key = VALUES                 every key an axis of its own, the last one running fastest
///     [zip]     key = VALUES                 lists of one length, side by side: one axis
///     [random]  draws, seed, key = VALUES    independent draws: one axis
///     [sobol]   draws, key = VALUES          points of Sobol's sequence: one axis
/// in this order; VALUES as parse_values() has it. [set] holds options that are the same for all rows, and count more than the bases.
struct Sweep {
  SweepSettings settings;
  OptionSource fixed;                          ///< [set]
  std::vector<VariedKey> keys;                 ///< in the order of rows' values
  std::vector<std::vector<std::string>> rows;  ///< [row][key]
  std::vector<std::string> places;             ///< [row], where it was written; empty where rows are combinations
};

/// Throws ConfigError, naming file, line and what would be right. Keys of options and their values are checked by options_of().
Sweep parse_sweep(const std::string& text, const std::string& name, const std::filesystem::path& folder = {});
/// The section [sweep] alone.
SweepSettings parse_sweep_settings(const std::string& text, const std::string& name, const std::filesystem::path& folder = {});
/// A sweep as a table, CSV: the varied keys in the first record, then a record for each row. Everything else comes from the command line.
/// Throws ConfigError, naming file, line and what would be right.
Sweep parse_sweep_table(const std::string& text, const std::string& name, const std::filesystem::path& folder = {});
/// A file of either kind, a table if its name ends in .csv; throws InputError where it cannot be read.
Sweep read_sweep_file(const std::filesystem::path& file);

/// Options of every row: the bases, [set], `more` (of the command line), the row. Throws as resolve_options() does, and ConfigError where
/// `more` holds, other than from a file, a key that the sweep varies, and for two rows that are the same run.
std::vector<Options> options_of(const Sweep& sweep, std::span<const OptionSource> more);

}  // namespace boltzcurve

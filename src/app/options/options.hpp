#pragma once

#include <boltzcurve/collocation_settings.hpp>
#include <boltzcurve/curve_settings.hpp>
#include <boltzcurve/evaluation_settings.hpp>
#include <boltzcurve/network_settings.hpp>
#include <boltzcurve/parameters.hpp>
#include <boltzcurve/pilot_settings.hpp>
#include <boltzcurve/precision.hpp>
#include <boltzcurve/reduction.hpp>
#include <boltzcurve/sampling_settings.hpp>
#include <boltzcurve/training_settings.hpp>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace boltzcurve {

// One struct per section of the configuration. Those of the library's modules come from there; the others follow, described in the same way
// (see setting.hpp). They feed parser, help, resolved text, errors and the reference page.

/// `values` are the chosen entry's own keys, checked, with defaults and without references to files: what Parameters is made from.
struct TargetOptions {
  std::string name;
  Parameters::Values values;
  bool operator==(const TargetOptions&) const = default;
};

struct LatentOptions {
  std::string name = "gaussian";
  Parameters::Values values;
  bool operator==(const LatentOptions&) const = default;
};

/// What studies vary; empty: as the study's own description says.
struct StudyOptions {
  std::vector<double> distances;
  std::vector<double> times = {0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1};
  std::vector<CurveName> curves = {CurveName::gradient_flow, CurveName::linear, CurveName::learned};
  std::vector<Schedule> schedules;
  std::vector<std::string> latents;
  std::vector<std::string> runs;
  bool networks = false;

  template <class Visit>
  static void describe(const Visit& setting) {
    using S = StudyOptions;
    setting("distances", &S::distances, Range{0, 1e6}, "length",
            "distances of modes, for target.distance; empty: the study's or the target's own");
    setting("times", &S::times, Range{0, 1}, "", "shares of the time from the latent law (0) to the target (1)");
    setting("curves", &S::curves, "curves to compare");
    setting("schedules", &S::schedules, "schedules to compare (ablation); empty: that of curve.schedule");
    setting("latents", &S::latents,
            "latent laws to compare (ablation), each with its keys: gaussian scale=3, gaussian scale=8; empty: that of [latent]");
    setting("runs", &S::runs, "folders of trained runs whose networks to study");
    setting("networks", &S::networks, "train networks for every distance and curve, and study them too");
  }
  bool operator==(const StudyOptions&) const = default;
};

struct OutputOptions {
  std::vector<std::string> names;

  template <class Visit>
  static void describe(const Visit& setting) {
    setting("names", &OutputOptions::names,
            "names of the target's coordinates, for summary.csv and the table on the terminal: mu, tau, ...; empty: x1, x2, ...");
  }
  bool operator==(const OutputOptions&) const = default;
};

struct RunOptions {
  std::uint64_t seed = 1;
  Precision precision = Precision::single_precision;
  Reduction reduction = Reduction::reproducible;
  double watchdog_seconds = 600;

  template <class Visit>
  static void describe(const Visit& setting) {
    using S = RunOptions;
    setting("seed", &S::seed, Range{0, std::numeric_limits<double>::infinity()}, "", "seed of every random number");
    setting("precision", &S::precision, "numbers of the kernels");
    setting("reduction", &S::reduction, "how sums over ranks are made");
    setting("watchdog-seconds", &S::watchdog_seconds, Range{0, 1e9}, "s",
            "time without progress of a rank after which the job ends; 0: never");
  }
  bool operator==(const RunOptions&) const = default;
};

/// Everything that decides what is computed: two runs with equal options compute the same. Where results go and how loudly is in Request.
struct Options {
  TargetOptions target;
  LatentOptions latent;
  CurveSettings curve;
  NetworkSettings network;
  NormalizerSettings normalizer;
  CollocationSettings collocation;
  PilotSettings pilot;
  OptimizerSettings optimizer;
  TrainingSettings training;
  SamplingSettings sampling;
  EvaluationSettings evaluation;
  OutputOptions output;
  StudyOptions study;
  RunOptions run;
  bool operator==(const Options&) const = default;
};

/// `section.key = value`, and where it was written ("three_modes.ini:12", "command line") for messages.
struct Assignment {
  std::string key, value, where;
};

/// What one configuration file, checkpoint or command line sets, in its order.
struct OptionSource {
  std::vector<Assignment> assignments;
  std::filesystem::path folder;    ///< where relative file names in values start
  bool last_of_many_wins = false;  ///< true for a command line; in a file a key given twice is an error
};

/// Reads INI text: [section] lines, `key = value` lines, comments from ; or # to the end of the line. A value therefore holds neither.
/// Throws ConfigError naming `name` and the line for anything else. Keys and values are checked by resolve_options.
OptionSource parse_config(const std::string& text, const std::string& name, const std::filesystem::path& folder = {});

/// The text of such a file, or of another `kind` of file, which errors name: "cannot read config file a.ini: it is a folder". Throws
/// InputError, also beyond 64 MiB.
std::string read_configuration(const std::filesystem::path& file, const std::string& kind);

/// The same from a file; throws InputError where it cannot be read.
OptionSource read_config_file(const std::filesystem::path& file);

/// Applies the sources to the defaults, later ones over earlier ones. A source that names another target (or latent) than those before it
/// drops their keys of that section, since they belonged to the other. Throws ConfigError, naming where, key, value and what would be
/// right, for unknown keys and values, values out of range, a key given twice in a file and a missing target.name, unless it is optional;
/// InputError for a missing file that a target's key refers to.
enum class TargetName { required, optional };
Options resolve_options(std::span<const OptionSource> sources, TargetName target_name = TargetName::required);

/// Refuses options by which the program would run code (the shared library of a target) unless `given`, what the user himself wrote, names
/// the same: what `file`, from the folder of a run, says is not enough, since others may have made that. Throws ConfigError.
void require_code_named(const Options& options, std::span<const OptionSource> given, const std::string& file);

/// Whether a key, "target.path", names code in that sense. Another name for the code is no other target.
bool names_code(const TargetOptions& target, const std::string& key);

/// The values of a target but those that name code.
Parameters::Values values_without_code(const TargetOptions& target);

/// Options as a configuration file that stands alone: resolve_options(parse_config(text)) gives equal options, bit for bit.
std::string resolved_text(const Options& options);

/// A key as the parser and the help show it. The keys of all targets and latents are among them; where several share one, it is listed
/// once for each.
struct OptionDescription {
  std::string section, key;
  std::string owner;         ///< name of the target or latent whose key it is, else empty
  std::string default_text;  ///< empty: none
  std::string range, unit, meaning;
  std::string name() const { return section + "." + key; }
};

/// All keys in the order of the reference.
const std::vector<OptionDescription>& option_descriptions();

/// All keys as text for a terminal (a block per section), and as tables in Markdown for the documentation.
std::string options_help();
std::string options_reference();

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/choice.hpp>
#include <boltzcurve/precision.hpp>
#include <boltzcurve/registry.hpp>
#include "collocation/collocation.hpp"
#include "core/interval.hpp"
#include "curve/curve.hpp"
#include "parallel/reduction.hpp"
#include "training/optimizer.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace boltzcurve {

// One struct per section of the configuration. Range, unit and meaning of every member stand in the table of src/run/options.cpp, the
// default here; that table and these defaults feed parser, help, resolved text, errors and the reference page.

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

/// In which coordinates the curve runs.
enum class Coordinates { automatic, given };
template <>
inline constexpr auto choices<Coordinates> = std::to_array<Choice<Coordinates>>({
    {Coordinates::automatic, "auto",
     "those in which no coordinate's scale follows others, where a survey of the target finds some that do"},
    {Coordinates::given, "given", "the target's own"},
});

struct CurveOptions {
  CurveName name = CurveName::gradient_flow;
  double horizon = 0;  ///< 0: from a pilot run
  Schedule schedule = Schedule::diffusion;
  CurveForm form = CurveForm::contracted;
  double width = 0;  ///< 0: from a pilot run
  double power = 4;
  int schedule_width = 16;
  int schedule_hidden_layers = 1;
  CurveClock clock = CurveClock::logarithmic;
  double clock_width = 0.3;  ///< as a share of width
  Coordinates coordinates = Coordinates::automatic;
  bool operator==(const CurveOptions&) const = default;
};

struct NetworkOptions {
  int width = 64;
  int hidden_layers = 3;
  double input_range = 0;  ///< 0: from a pilot run
  FirstLayer first_layer = FirstLayer::automatic;
  bool operator==(const NetworkOptions&) const = default;
};

struct NormalizerOptions {
  NormalizerKind kind = NormalizerKind::automatic;
  int width = 16;
  int hidden_layers = 1;
  bool operator==(const NormalizerOptions&) const = default;
};

struct CollocationOptions {
  CollocationKind kind = CollocationKind::mixture;
  std::vector<CollocationShare> shares = {{CollocationKind::langevin, 0.5}, {CollocationKind::trajectory, 0.5}};
  std::int64_t points = 2048;
  std::optional<Interval> box;  ///< none: the target's domain
  TimeDensity times = TimeDensity::power;
  double time_power = 1;
  double hottest = 3;
  std::int64_t refresh_every = 100;
  bool operator==(const CollocationOptions&) const = default;
};

struct OptimizerOptions {
  OptimizerName name = OptimizerName::soap;
  double learning_rate = 1e-2;
  LearningRateDecay decay = LearningRateDecay::cosine;
  double decay_rate = 0.98;
  std::int64_t decay_steps = 1000;
  double final_learning_rate = 1e-5;
  std::int64_t warm_up_steps = 100;
  double gradient_clip = 100;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double epsilon = 1e-8;
  std::int64_t precondition_every = 10;
  double preconditioner_decay = 0.95;
  bool operator==(const OptimizerOptions&) const = default;
};

struct TrainingOptions {
  std::int64_t steps = 20000;
  double max_seconds = 0;
  LossKind loss = LossKind::pseudo_huber;
  double huber_width = 1;
  ResidualUnit residual_unit = ResidualUnit::clock;
  double average = 0.999;
  double checkpoint_seconds = 60;
  std::int64_t checkpoint_steps = 0;
  std::int64_t keep_every = 0;
  bool verify_checkpoints = false;
  std::int64_t log_every = 100;
  std::int64_t evaluate_every = 0;
  int max_skipped_steps = 20;
  bool operator==(const TrainingOptions&) const = default;
};

struct SamplingOptions {
  std::int64_t particles = 10000;
  double relative_tolerance = 1e-5;
  double absolute_tolerance = 1e-5;
  int frames = 0;
  int max_steps = 10000;
  std::int64_t block = 512;
  bool operator==(const SamplingOptions&) const = default;
};

struct EvaluationOptions {
  std::int64_t exact_samples = 10000;
  std::int64_t energy_distance_points = 10000;
  bool operator==(const EvaluationOptions&) const = default;
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
  bool operator==(const StudyOptions&) const = default;
};

struct RunOptions {
  std::uint64_t seed = 1;
  Precision precision = Precision::single_precision;
  Reduction reduction = Reduction::reproducible;
  double watchdog_seconds = 600;
  bool operator==(const RunOptions&) const = default;
};

/// Everything that decides what is computed: two runs with equal options compute the same. Where results go and how loudly is in Request.
struct Options {
  TargetOptions target;
  LatentOptions latent;
  CurveOptions curve;
  NetworkOptions network;
  NormalizerOptions normalizer;
  CollocationOptions collocation;
  OptimizerOptions optimizer;
  TrainingOptions training;
  SamplingOptions sampling;
  EvaluationOptions evaluation;
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

/// The same from a file; throws InputError where it cannot be read.
OptionSource read_config_file(const std::filesystem::path& file);

/// Applies the sources to the defaults, later ones over earlier ones. A source that names another target (or latent) than those before it
/// drops their keys of that section, since they belonged to the other. Throws ConfigError, naming where, key, value and what would be
/// right, for unknown keys and values, values out of range, a key given twice in a file and a missing target.name, unless it is optional;
/// InputError for a missing file that a target's key refers to.
enum class TargetName { required, optional };
Options resolve_options(std::span<const OptionSource> sources, TargetName target_name = TargetName::required);

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

#pragma once

#include <boltzcurve/training.hpp>
#include "app/commands/evaluation.hpp"
#include "app/commands/quick_history.hpp"
#include "app/process/run.hpp"
#include "io/metrics_file.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace boltzcurve {

/// What a training writes into the output folder of its run, checkpoint.h5, metrics.h5 and config.ini: takes the folder over from an
/// earlier run, or on from the one that is resumed.
class TrainingFiles final : public TrainingObserver {
 public:
  /// Both must outlive this. Checkpoints hold the history as it then is.
  TrainingFiles(const Run& run, const QuickHistory& quick) : run_(run), quick_(quick) {}

  void begin(Trainer& trainer) override;
  void row(Trainer& trainer, const TrainingRow& row) override;
  void keep(Trainer& trainer, const TrainingState& state, Occasion occasion, Stop ends) override;

  void add(const QuickEvaluation& quick, const TrainingState& state);

  /// Collective, as are all others.
  void close();

 private:
  void put_others_aside(const std::filesystem::path& path);
  void put_kept_ones_aside(const std::filesystem::path& path, std::int64_t step);
  void open_metrics(const TrainingState& state, bool to_be_trained);
  void declare_metrics(const std::filesystem::path& path);
  void write(Trainer& trainer, const TrainingState& state, const std::string& run_state);

  const Run& run_;
  const QuickHistory& quick_;
  std::optional<MetricsFile> metrics_;  // on rank 0
};

}  // namespace boltzcurve

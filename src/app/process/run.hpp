#pragma once

#include <boltzcurve/communicator.hpp>
#include "app/options/request.hpp"
#include "app/process/spending.hpp"
#include "app/process/stop_request.hpp"
#include "app/process/watchdog.hpp"
#include "app/terminal/progress.hpp"
#include "io/checkpoint.hpp"
#include "io/folder_lock.hpp"
#include "io/provenance.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace boltzcurve {

/// A file of this name in the output folder asks a run to stop.
inline constexpr const char* stop_file_name = "STOP";

/// What training tells of itself on the way: NaN where it was not measured.
struct TrainingNews {
  std::int64_t step = 0;
  double loss, ess;
};

/// One run of a command on all ranks: what was asked, where results go, when to stop, and rank 0's voice.
class Run {
 public:
  /// Listens to signals from here on, and watches over progress (run.watchdog-seconds). `checkpoint`: what the command goes on from, or
  /// takes its parameters from. `stop_files` ask it to stop as the one in its output folder does, and are left where they are: for a part
  /// of a longer work. Collective.
  Run(const Communicator& world, Request request, Options options, std::optional<Checkpoint> checkpoint = {},
      std::vector<std::filesystem::path> stop_files = {});

  /// A part of `whole` with options of its own in a folder below the output folder: it stops when the whole is asked to, also by a file
  /// there, and resumes where it has a checkpoint. Collective.
  Run(const Run& whole, const std::string& folder, Options options, std::optional<Checkpoint> checkpoint);

  const Communicator& world() const { return world_; }
  const Request& request() const { return request_; }
  const Options& options() const { return options_; }
  const std::optional<Checkpoint>& checkpoint() const { return checkpoint_; }

  /// Path of a file in the output folder.
  std::filesystem::path output(const std::string& file) const { return request_.output / file; }

  /// Makes the output folder where there is none, keeps other runs out of it while this one lasts, and removes what killed ones have left
  /// half-written. Throws InputError on every rank where it cannot be made or written to, or another run is at work there. Collective.
  void take_output_folder();

  /// Origin of the files that this run writes; `format` and `format_version` are left to the writers. Its `training` is that of the
  /// checkpoint, or a new one.
  const Provenance& provenance() const { return provenance_; }

  StopRequest& stop() { return stop_; }
  Spending& spending() { return spending_; }

  /// On rank 0, with every row of the log and every quick evaluation.
  std::function<void(const TrainingNews&)> on_news;

  /// Progress on rank 0's stderr; silent elsewhere and where asked to be quiet.
  Progress progress(Progress::Work work, std::vector<ProgressColumn> columns) const;

  /// A line, or several, on rank 0's stdout, unless asked to be quiet. Throws InputError there if that fails.
  void say(const std::string& text) const;

 private:
  Communicator world_;
  Request request_;
  Options options_;
  std::optional<Checkpoint> checkpoint_;
  Provenance provenance_;
  StopRequest stop_;
  Spending spending_;
  std::optional<FolderLock> lock_;  // on rank 0
  std::optional<Watchdog> watchdog_;
};

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/stop.hpp>
#include "core/clock.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <utility>
#include <vector>

namespace boltzcurve {

/// When this program was started, before MPI was, by the clock of steady_seconds().
double program_start_seconds();

/// As a user knows it: "SIGUSR1", "the file STOP", "--max-walltime".
const char* name_of(Stop stop);

/// Hears from now on the signals that ask to stop or for a checkpoint, before there is a StopRequest to act on them. Not undone.
void listen_to_signals();

/// What ends a run besides signals.
struct StopLimits {
  double walltime = 0;                            ///< seconds since `start` by which all is to be written; 0: none
  std::vector<std::filesystem::path> stop_files;  ///< looked for once a second
  double start = program_start_seconds();
  bool part_of_another = false;  ///< while another object lives, for which signals are kept when this one ends
};

/// Listens, while it lives, to SIGUSR1, SIGTERM and SIGINT (stop in good order; a second SIGINT kills) and SIGUSR2 (write a checkpoint),
/// looks for a file that asks to stop, and watches the wall time. Signals may reach one rank only and clocks differ, so ranks agree at the
/// borders of steps: a signal on any rank counts for all; of the clocks and of what the file system shows, rank 0's. One object at a time,
/// but for parts of a longer work.
class StopRequest {
 public:
  explicit StopRequest(const Communicator& world, StopLimits limits = {}, WallClock clock = steady_seconds);
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  /// Starts the wall time of a piece of work, from now: stop after `max_seconds`, checkpoint every `checkpoint_seconds` (0: never).
  void start_clock(double max_seconds, double checkpoint_seconds);

  /// Asks to stop at the next border, from within the program. Counts on any rank.
  void request(Stop stop) { requested_ = std::max(requested_, stop); }

  /// Call at the border of every step. A request for a checkpoint is used up by being reported; one to stop stays. The wall time is up
  /// early enough for another step like the longest and for writing what was done, by a quarter of it at most. Collective.
  StepDecision agree();

  /// What this rank alone knows of reasons to stop; looks at clocks and files as agree() does, which ends with it.
  Stop seen_here();

  /// Seconds since start_clock(), by this rank's clock.
  double elapsed_seconds() const;

 private:
  using Handler = std::pair<int, struct sigaction>;

  bool walltime_is_up(double now);
  bool sees_stop_file(double now);

  Communicator world_;
  StopLimits limits_;
  WallClock clock_;
  double last_border_, longest_step_ = 0, last_look_;
  bool stop_file_seen_ = false;
  Stop requested_ = Stop::no;
  double start_, max_seconds_ = 0, checkpoint_seconds_ = 0, last_checkpoint_;
  std::vector<Handler> handlers_before_;
};

}  // namespace boltzcurve

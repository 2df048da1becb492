#pragma once

#include <boltzcurve/parallel/communicator.hpp>

#include <csignal>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace boltzcurve {

/// Seconds of a clock that never goes back, from any origin.
double steady_seconds();
using Clock = std::function<double()>;

/// Why to stop; of several reasons the last of this list counts.
enum class Stop {
  no,
  time_limit,  ///< the budget of wall time is used up: the work ends in good order
  signal       ///< asked from outside: the work is interrupted, to be resumed later
};

/// What all ranks do after this step.
struct StepDecision {
  Stop stop = Stop::no;
  bool checkpoint = false;
};

/// Listens, while it lives, to SIGUSR1, SIGTERM and SIGINT (stop in good order; a second SIGINT kills) and SIGUSR2 (write a checkpoint),
/// and watches the wall time. Signals may reach one rank only and clocks differ, so ranks agree at the borders of steps: a signal on any
/// rank counts for all, and of the clocks rank 0's. One object at a time.
class StopRequest {
 public:
  explicit StopRequest(const Communicator& world, Clock clock = steady_seconds);
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  /// Starts the wall time of a piece of work, from now: stop after `max_seconds`, checkpoint every `checkpoint_seconds` (0: never).
  void start_clock(double max_seconds, double checkpoint_seconds);

  /// Call at the border of every step. A request for a checkpoint is used up by being reported; one to stop stays. Collective.
  StepDecision agree();

  /// Seconds since start_clock(), by this rank's clock.
  double elapsed_seconds() const;

 private:
  using Handler = std::pair<int, struct sigaction>;

  Communicator world_;
  Clock clock_;
  double start_, max_seconds_ = 0, checkpoint_seconds_ = 0, last_checkpoint_;
  std::vector<Handler> handlers_before_;
};

}  // namespace boltzcurve

#include "app/process/stop_request.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>

namespace boltzcurve {
namespace {

// All that a signal handler may touch. The first request to stop is the one that is told.
volatile std::sig_atomic_t stop_signalled = 0;
volatile std::sig_atomic_t checkpoint_signalled = 0;

extern "C" void on_stop(int signal) {
  if (stop_signalled == 0) stop_signalled = signal;
}
extern "C" void on_checkpoint(int) { checkpoint_signalled = 1; }

constexpr int signals[] = {SIGUSR1, SIGTERM, SIGINT, SIGUSR2};

struct sigaction action_for(int signal) {
  struct sigaction action = {};
  action.sa_handler = signal == SIGUSR2 ? on_checkpoint : on_stop;
  action.sa_flags = SA_RESTART;                                             // reads and writes under way go on
  if (signal == SIGINT) action.sa_flags |= static_cast<int>(SA_RESETHAND);  // whoever presses Ctrl-C twice means it
  sigemptyset(&action.sa_mask);
  return action;
}

Stop reason_of(int signal) {
  switch (signal) {
    case SIGUSR1:
      return Stop::user_signal;
    case SIGTERM:
      return Stop::terminate;
    case SIGINT:
      return Stop::interrupt;
    default:
      return Stop::no;
  }
}

constexpr double seconds_between_looks = 1;     // at a file system that thousands of others may use
constexpr double max_of_walltime_kept = 0.25;   // for a last step and for writing
const double program_start = steady_seconds();  // when it was loaded: MPI may take its time to start

}  // namespace

const char* name_of(Stop stop) {
  switch (stop) {
    case Stop::no:
      return "nothing";
    case Stop::time_limit:
      return "training.max-seconds";
    case Stop::others:
      return "the median of other runs";
    case Stop::walltime:
      return "--max-walltime";
    case Stop::file:
      return "the file STOP";
    case Stop::interrupt:
      return "SIGINT";
    case Stop::terminate:
      return "SIGTERM";
    case Stop::user_signal:
      return "SIGUSR1";
  }
  return "nothing";
}

void listen_to_signals() {
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes shows as an error of writing, which is told
  for (const int signal : signals) {
    const auto action = action_for(signal);
    sigaction(signal, &action, nullptr);
  }
}

double program_start_seconds() { return program_start; }

StopRequest::StopRequest(const Communicator& world, StopLimits limits, WallClock clock)
    : world_(world),
      limits_(std::move(limits)),
      clock_(std::move(clock)),
      last_border_(clock_()),
      last_look_(last_border_ - seconds_between_looks),
      start_(last_border_),
      last_checkpoint_(last_border_) {
  for (const int signal : signals) {
    const auto action = action_for(signal);
    struct sigaction before = {};
    sigaction(signal, &action, &before);
    handlers_before_.emplace_back(signal, before);
  }
}

StopRequest::~StopRequest() {
  for (const auto& [signal, before] : handlers_before_) sigaction(signal, &before, nullptr);
  if (limits_.part_of_another) return;
  stop_signalled = 0;
  checkpoint_signalled = 0;
}

void StopRequest::start_clock(double max_seconds, double checkpoint_seconds) {
  start_ = last_checkpoint_ = last_border_ = clock_();
  max_seconds_ = max_seconds;
  checkpoint_seconds_ = checkpoint_seconds;
}

StepDecision StopRequest::agree() {
  bool checkpoint = checkpoint_signalled != 0;
  // Only what was seen is used up: a request that arrives from here on is seen at the next border.
  if (checkpoint) checkpoint_signalled = 0;
  if (world_.is_root() && checkpoint_seconds_ > 0 && clock_() - last_checkpoint_ >= checkpoint_seconds_) checkpoint = true;

  std::array<std::int64_t, 2> flags = {static_cast<std::int64_t>(seen_here()), checkpoint};
  world_.max(flags);
  const StepDecision decision{static_cast<Stop>(flags[0]), flags[1] != 0};
  if (decision.checkpoint) last_checkpoint_ = clock_();
  return decision;
}

Stop StopRequest::seen_here() {
  Stop stop = Stop::no;
  if (world_.is_root()) {
    const double now = clock_();
    if (max_seconds_ > 0 && now - start_ >= max_seconds_) stop = Stop::time_limit;
    if (walltime_is_up(now)) stop = Stop::walltime;
    if (sees_stop_file(now)) stop = Stop::file;
  }
  return std::max({stop, requested_, reason_of(stop_signalled)});
}

bool StopRequest::walltime_is_up(double now) {
  longest_step_ = std::max(longest_step_, now - last_border_);
  last_border_ = now;
  // One more step like the longest, whose checkpoint may not have been part of it: twice its time.
  const double to_finish = std::min(2 * longest_step_, max_of_walltime_kept * limits_.walltime);
  return limits_.walltime > 0 && now - limits_.start + to_finish >= limits_.walltime;
}

bool StopRequest::sees_stop_file(double now) {
  if (stop_file_seen_ || now - last_look_ < seconds_between_looks) return stop_file_seen_;
  last_look_ = now;
  std::error_code unreadable;
  return stop_file_seen_ = std::any_of(limits_.stop_files.begin(), limits_.stop_files.end(),
                                       [&](const auto& file) { return std::filesystem::is_regular_file(file, unreadable); });
}

double StopRequest::elapsed_seconds() const { return clock_() - start_; }

}  // namespace boltzcurve

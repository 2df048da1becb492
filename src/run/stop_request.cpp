#include <boltzcurve/run/stop_request.hpp>

#include <array>
#include <chrono>
#include <cstdint>

namespace boltzcurve {
namespace {

// All that a signal handler may touch.
volatile std::sig_atomic_t stop_signalled = 0;
volatile std::sig_atomic_t checkpoint_signalled = 0;

extern "C" void on_stop(int) { stop_signalled = 1; }
extern "C" void on_checkpoint(int) { checkpoint_signalled = 1; }

}  // namespace

double steady_seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

StopRequest::StopRequest(const Communicator& world, Clock clock)
    : world_(world), clock_(std::move(clock)), start_(clock_()), last_checkpoint_(start_) {
  stop_signalled = 0;
  checkpoint_signalled = 0;
  for (const int signal : {SIGUSR1, SIGTERM, SIGINT, SIGUSR2}) {
    struct sigaction action = {}, before = {};
    action.sa_handler = signal == SIGUSR2 ? on_checkpoint : on_stop;
    action.sa_flags = SA_RESTART;                                             // reads and writes under way go on
    if (signal == SIGINT) action.sa_flags |= static_cast<int>(SA_RESETHAND);  // whoever presses Ctrl-C twice means it
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, &before);
    handlers_before_.emplace_back(signal, before);
  }
}

StopRequest::~StopRequest() {
  for (const auto& [signal, before] : handlers_before_) sigaction(signal, &before, nullptr);
}

void StopRequest::start_clock(double max_seconds, double checkpoint_seconds) {
  start_ = last_checkpoint_ = clock_();
  max_seconds_ = max_seconds;
  checkpoint_seconds_ = checkpoint_seconds;
}

StepDecision StopRequest::agree() {
  Stop stop = Stop::no;
  bool checkpoint = checkpoint_signalled != 0;
  // Only what was seen is used up: a request that arrives from here on is seen at the next border.
  if (checkpoint) checkpoint_signalled = 0;
  if (world_.is_root()) {
    const double now = clock_();
    if (max_seconds_ > 0 && now - start_ >= max_seconds_) stop = Stop::time_limit;
    if (checkpoint_seconds_ > 0 && now - last_checkpoint_ >= checkpoint_seconds_) checkpoint = true;
  }
  if (stop_signalled) stop = Stop::signal;

  std::array<std::int64_t, 2> flags = {static_cast<std::int64_t>(stop), checkpoint};
  world_.max(flags);
  const StepDecision decision{static_cast<Stop>(flags[0]), flags[1] != 0};
  if (decision.checkpoint) last_checkpoint_ = clock_();
  return decision;
}

double StopRequest::elapsed_seconds() const { return clock_() - start_; }

}  // namespace boltzcurve

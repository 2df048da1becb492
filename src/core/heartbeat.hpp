#pragma once

#include <cstdint>

namespace boltzcurve {

// What this process is doing, told as it goes along to whoever watches over it from another thread (app/process/watchdog.hpp).

/// Something was done: call it at least every few seconds of work.
void heartbeat() noexcept;

/// Names what is done until the end of the scope ("training"); `name` must last as long as the program. Of nested ones the inner counts.
class Phase {
 public:
  explicit Phase(const char* name) noexcept;
  ~Phase();
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

 private:
  const char* outer_;
};

/// Until the end of the scope this rank waits for others, or talks to them.
class WaitForOthers {
 public:
  WaitForOthers() noexcept;
  ~WaitForOthers();
  WaitForOthers(const WaitForOthers&) = delete;
  WaitForOthers& operator=(const WaitForOthers&) = delete;

 private:
  double begin_;
};

/// Seconds spent waiting so far.
double seconds_waited() noexcept;

struct Heartbeat {
  std::uint64_t beats = 0;
  const char* phase = "";
  bool waits = false;
};
Heartbeat read_heartbeat() noexcept;

}  // namespace boltzcurve

#include "core/heartbeat.hpp"

#include "core/clock.hpp"

#include <atomic>

namespace boltzcurve {
namespace {

// One thread writes, others read.
std::atomic<std::uint64_t> beats{0};
std::atomic<const char*> phase{"starting"};
std::atomic<int> waits{0};
std::atomic<double> waited{0};

}  // namespace

void heartbeat() noexcept { beats.fetch_add(1, std::memory_order_relaxed); }

Phase::Phase(const char* name) noexcept : outer_(phase.exchange(name)) { heartbeat(); }
Phase::~Phase() {
  phase = outer_;
  heartbeat();
}

WaitForOthers::WaitForOthers() noexcept : begin_(steady_seconds()) {
  heartbeat();
  waits.fetch_add(1, std::memory_order_relaxed);
}
WaitForOthers::~WaitForOthers() {
  waits.fetch_sub(1, std::memory_order_relaxed);
  waited.store(waited.load(std::memory_order_relaxed) + (steady_seconds() - begin_), std::memory_order_relaxed);
  heartbeat();
}

double seconds_waited() noexcept { return waited.load(std::memory_order_relaxed); }

Heartbeat read_heartbeat() noexcept {
  return {beats.load(std::memory_order_relaxed), phase.load(), waits.load(std::memory_order_relaxed) > 0};
}

}  // namespace boltzcurve

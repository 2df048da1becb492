#include "core/pulse.hpp"

#include <atomic>
#include <chrono>

namespace boltzcurve {
namespace {

// One thread writes, others read.
std::atomic<std::uint64_t> beats{0};
std::atomic<const char*> phase{"starting"};
std::atomic<int> waits{0};
std::atomic<double> waited{0};

double now() noexcept { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

void beat() noexcept { beats.fetch_add(1, std::memory_order_relaxed); }

Phase::Phase(const char* name) noexcept : outer_(phase.exchange(name)) { beat(); }
Phase::~Phase() {
  phase = outer_;
  beat();
}

WaitForOthers::WaitForOthers() noexcept : begin_(now()) {
  beat();
  waits.fetch_add(1, std::memory_order_relaxed);
}
WaitForOthers::~WaitForOthers() {
  waits.fetch_sub(1, std::memory_order_relaxed);
  waited.store(waited.load(std::memory_order_relaxed) + (now() - begin_), std::memory_order_relaxed);
  beat();
}

double seconds_waited() noexcept { return waited.load(std::memory_order_relaxed); }

Pulse read_pulse() noexcept { return {beats.load(std::memory_order_relaxed), phase.load(), waits.load(std::memory_order_relaxed) > 0}; }

}  // namespace boltzcurve

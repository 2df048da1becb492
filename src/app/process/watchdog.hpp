#pragma once

#include <boltzcurve/communicator.hpp>

#include <memory>

namespace boltzcurve {

/// Ends a job that hangs. On every rank a thread of its own looks at what that rank is doing (core/heartbeat.hpp) and tells the next rank,
/// the last one rank 0, by datagrams, without MPI, whose calls may be what hangs.
///
/// When a rank has made no progress for `seconds`, the cause is told on stderr with rank, host and phase, and the job ends with exit code 1
/// (internal error). One that works and does not get on tells it of itself; one that waits for others tells it of the rank before it if
/// that does not answer (stopped, or its node is gone). The ring of ranks also counts those in a row that wait: when all do, rank 0 tells
/// that they wait for each other. Where no datagrams get through, one that waits twice as long ends the job without knowing for whom.
///
/// A program that was stopped as a whole and goes on later (suspended by a scheduler) counts from then on. One object at a time.
class Watchdog {
 public:
  /// `seconds` above 0. Collective.
  Watchdog(const Communicator& world, double seconds);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  class Watch;
  std::unique_ptr<Watch> watch_;
};

}  // namespace boltzcurve

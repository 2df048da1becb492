#pragma once

#include <boltzcurve/communicator.hpp>

#include <memory>

namespace boltzcurve {

/// Ends a job that hangs. On every rank a thread of its own looks at what that rank is doing (core/heartbeat.hpp) and tells rank 0 by
/// datagrams, without MPI, whose calls may be what hangs. Rank 0 tells of itself in its answers.
///
/// When a rank has made no progress for `seconds` and does not just wait for others, or when all wait, the cause is told on stderr with
/// rank, host and phase, and the job ends with exit code 1 (internal error): the culprit is a rank that does not answer (stopped, or its
/// node is gone), else one that works and does not get on. If rank 0 falls silent, the lowest of the others speaks. Where no datagrams get
/// through, each rank judges itself, and one that waits twice as long ends the job without knowing for whom.
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

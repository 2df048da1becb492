#pragma once

#include <functional>
#include <string>

namespace boltzcurve::testing_support {

/// What became of the faults that this program injected; it prints them at its end.
struct Tally {
  int injected = 0;
  int survived = 0;             ///< the run could go on, or ended with the documented message and nothing damaged
  int killed_alone = 0;         ///< ranks that were killed while others lived
  double slowest_end = 0;       ///< seconds from such a kill to the end of the job, at most
  int frames = 0, samples = 0;  ///< of killed runs' sample files: flushed frames compared, files that opened
};

Tally& tally();

/// Counts a fault, and it as survived unless the test that injected it has failed by the end of this.
class Fault {
 public:
  Fault() { ++tally().injected; }
  ~Fault();
  Fault(const Fault&) = delete;
  Fault& operator=(const Fault&) = delete;
};

}  // namespace boltzcurve::testing_support

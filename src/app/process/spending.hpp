#pragma once

#include <boltzcurve/communicator.hpp>

#include <optional>
#include <string>
#include <vector>

namespace boltzcurve {

/// What the parts of a run's work cost, one after another: evaluations of the target where they are known, and processor time.
class Spending {
 public:
  explicit Spending(const Communicator& world);

  /// Ends a part: all the processor time of this process since the last one ended, or since this object was made, is its own. Collective.
  void end(const std::string& part, std::optional<double> values, std::optional<double> gradients);

  /// "pilot 428384 gradients, 3.1 s; training none, 61 s": of all parts; processor time over all ranks.
  std::string text() const;

 private:
  struct Part {
    std::string name;
    std::optional<double> values, gradients;
    double processor_seconds;
  };

  Communicator world_;
  double before_;
  std::vector<Part> parts_;
};

}  // namespace boltzcurve

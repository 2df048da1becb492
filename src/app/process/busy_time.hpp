#pragma once

#include <boltzcurve/communicator.hpp>

#include <span>
#include <string>
#include <vector>

namespace boltzcurve {

/// A line that names the rank that others waited for, and its host: where the busiest of several ranks was busy for a fifth longer than
/// they were on average. Else empty. `busy_seconds`, `hosts` [ranks].
std::string imbalance_text(std::span<const double> busy_seconds, const std::vector<std::string>& hosts);

/// Wall time of this rank since construction, what it spends waiting for others (see WaitForOthers) aside.
class BusyTime {
 public:
  BusyTime();

  /// imbalance_text() of all ranks so far; empty in the first ten seconds, when the start of caches and clocks is most of it. Collective.
  std::string imbalance(const Communicator& world) const;

 private:
  double begin_, waited_before_;
};

}  // namespace boltzcurve

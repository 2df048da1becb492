#pragma once

#include <boltzcurve/parallel/communicator.hpp>

#include <span>
#include <string>
#include <vector>

namespace boltzcurve {

/// The name of every rank's host, in the order of ranks. Collective.
std::vector<std::string> host_of_each_rank(const Communicator& world);

/// A line that names the rank that others waited for, and its host: where the busiest of several ranks was busy for a fifth longer than
/// they were on average. Else empty. `busy_seconds`, `hosts` [ranks].
std::string imbalance_text(std::span<const double> busy_seconds, const std::vector<std::string>& hosts);

}  // namespace boltzcurve

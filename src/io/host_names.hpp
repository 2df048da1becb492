#pragma once

#include <boltzcurve/communicator.hpp>

#include <string>
#include <vector>

namespace boltzcurve {

/// The name of every rank's host, in the order of ranks. Collective.
std::vector<std::string> host_of_each_rank(const Communicator& world);

}  // namespace boltzcurve

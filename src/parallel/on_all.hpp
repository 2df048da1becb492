#pragma once

#include <boltzcurve/communicator.hpp>

#include <functional>

namespace boltzcurve {

/// Does `work` on every rank; where it throws, the error of the lowest such rank is thrown on all (see agree_on_error()). Collective.
void on_all(const Communicator& ranks, const std::function<void()>& work);

}  // namespace boltzcurve

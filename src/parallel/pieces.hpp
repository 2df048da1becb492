#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/stop.hpp>

#include <functional>

namespace boltzcurve {

/// Does `piece` again and again until it returns false (nothing is left to do) on every rank, or all agree to be interrupted: returns why
/// then, the last reason by that list that `stop` sees on any rank, else Stop::no. Each rank works at its own pace: none waits
/// for another until it has nothing left, because they agree while they work. Neither function must call anything collective. What `piece`
/// throws on one rank ends the work of all and is thrown on all. Collective.
Stop do_in_pieces(const Communicator& ranks, const std::function<Stop()>& stop, const std::function<bool()>& piece);

}  // namespace boltzcurve

#pragma once

#include "training/batch_loss.hpp"

#include <memory>

namespace boltzcurve {

/// a + weight b, of the same parameters. Points that are left out, and the worst one, are those of a, bins of the clock too; the state is
/// both of theirs. Where either has no loss, there is none.
std::unique_ptr<BatchLoss> make_sum_loss(std::unique_ptr<BatchLoss> a, std::unique_ptr<BatchLoss> b, double weight);

}  // namespace boltzcurve

#pragma once

#include "training/batch_loss.hpp"

#include <memory>

namespace boltzcurve {

/// The mean loss of matching (see residual/matching.hpp) over a batch that all ranks share. A point of step `step` and global index i is a
/// point x_0 of the population, chosen at random, at a time t of the clock, stratified over the batch, after that time of the diffusion,
/// x_t = m + alpha (x_0 - m) + s z; its goal is MixtureAnchor::combine()'s. Nothing is asked of the target. Throws ConfigError where the
/// curve offers no matching.
std::unique_ptr<BatchLoss> make_matching_loss(Precision precision, const Communicator& ranks, const BatchLossSettings& settings,
                                              const Energy& target, const Energy& latent);

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/communicator.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace boltzcurve {

/// Adds up blocks of `terms` sums each, of this rank and then of the ranks behind it, in that order: the same bits for any number of ranks
/// as long as the blocks, in the order of ranks, are the same. Collective; every rank gets the sums [terms].
std::vector<double> sum_of_blocks(const Communicator& ranks, std::span<const double> blocks, std::size_t terms);

/// Sums over the items of all ranks, `terms` of them at once: `add(i, sums)` adds what item i of this rank's `count` contributes to
/// sums [terms]. Items are summed in blocks of `granule`, blocks in their order, so that the result is the same, bit for bit, for any
/// number of ranks whose parts begin at multiples of `granule` (see shard_of()). Collective; every rank gets the sums [terms].
template <class Add>
std::vector<double> ordered_sums(const Communicator& ranks, std::int64_t count, std::int64_t granule, std::size_t terms, const Add& add) {
  const std::int64_t blocks = (count + granule - 1) / granule;
  std::vector<double> sums(static_cast<std::size_t>(blocks) * terms, 0.0);
  for (std::int64_t i = 0; i < count; ++i)
    add(static_cast<std::size_t>(i), std::span<double>(sums).subspan(static_cast<std::size_t>(i / granule) * terms, terms));
  return sum_of_blocks(ranks, sums, terms);
}

}  // namespace boltzcurve

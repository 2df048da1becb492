#include "parallel/ordered_sum.hpp"

namespace boltzcurve {

std::vector<double> sum_of_blocks(const Communicator& ranks, std::span<const double> blocks, std::size_t terms) {
  std::vector<double> totals(terms, 0.0);
  const auto all = ranks.all_gather(blocks);
  for (std::size_t i = 0; i < all.size(); ++i) totals[i % terms] += all[i];
  return totals;
}

}  // namespace boltzcurve

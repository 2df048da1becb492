#pragma once

#include <cstdint>

namespace boltzcurve {

/// A contiguous part [first, first + count) of items by global index.
struct Shard {
  std::int64_t first = 0, count = 0;
};

}  // namespace boltzcurve

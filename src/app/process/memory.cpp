#include "app/process/memory.hpp"

#include <iterator>

#include <fmt/format.h>
#include <sys/resource.h>

namespace boltzcurve {

std::int64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  constexpr std::int64_t unit = 1024;  // Linux counts KiB
  return usage.ru_maxrss * unit;
}

std::string memory_report(const Communicator& ranks) {
  const auto mine = peak_resident_bytes();
  const double largest = ranks.max(static_cast<double>(mine)), sum = static_cast<double>(ranks.sum(mine));
  return fmt::format("memory: at most {} on a rank, {} on all", size_text(largest), size_text(sum));
}

std::string size_text(double bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(units); ++unit) bytes /= 1024;
  return fmt::format("{:.3g} {}", bytes, units[unit]);
}

}  // namespace boltzcurve

#include <boltzcurve/collocation/time_bins.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace boltzcurve {
namespace {

constexpr double unit = 0x1p20, largest = 0x1p20;  // of |R|: sums of 2^22 points stay below 2^62
constexpr double size_memory = 100;                // steps
constexpr double uniform_share = 0.5;

std::int64_t rounded(double value) { return std::llround(std::clamp(value, -largest, largest) * unit); }

}  // namespace

std::size_t TimeBins::bin_of(double clock) { return static_cast<std::size_t>(std::clamp(static_cast<int>(clock * count), 0, count - 1)); }

double TimeBins::clock_of_share(double u) const {
  const double all = std::accumulate(size.begin(), size.end(), 0.0);
  if (!(all > 0)) return u;
  double before = 0, share = 0;
  std::size_t bin = 0;
  for (;; ++bin) {
    share = (uniform_share + (1 - uniform_share) * count * size[bin] / all) / count;
    if (u < before + share || bin + 1 == size.size()) break;
    before += share;
  }
  return std::min((static_cast<double>(bin) + (u - before) / share) / count, 1.0);
}

void TimeBinSums::add(double clock, double residual) {
  if (!std::isfinite(residual)) return;
  auto* const sum = &sums_[TimeBins::bin_of(clock) * columns];
  sum[0] += 1;
  sum[1] += rounded(std::fabs(residual));
}

TimeBins TimeBinSums::after(TimeBins bins) const {
  for (std::size_t bin = 0; bin < bins.size.size(); ++bin) {
    const auto* const sum = &sums_[bin * columns];
    if (sum[0] == 0) continue;
    const double steps = ++bins.seen[bin], mean = static_cast<double>(sum[1]) / unit / static_cast<double>(sum[0]);
    bins.size[bin] += (mean - bins.size[bin]) / std::min(steps, size_memory);
  }
  return bins;
}

}  // namespace boltzcurve

#include "collocation/time_bins.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace boltzcurve {
namespace {

constexpr double unit = 0x1p20, largest = 0x1p20;  // of |R|: sums of 2^22 points stay below 2^62
constexpr double weight_unit = 0x1p30, largest_weight = 0x1p10;
constexpr double size_memory = 100, level_memory = 20;  // steps
constexpr double uniform_share = 0.5;

std::int64_t rounded(double value) { return std::llround(std::clamp(value, -largest, largest) * unit); }

}  // namespace

std::size_t TimeBins::bin_of(double clock) { return static_cast<std::size_t>(std::clamp(static_cast<int>(clock * count), 0, count - 1)); }

double TimeBins::level_at(double clock) const {
  const double place = std::clamp(clock * count - 0.5, 0.0, count - 1.0);
  const auto bin = std::min(static_cast<std::size_t>(place), static_cast<std::size_t>(count - 2));
  return level[bin] + (place - static_cast<double>(bin)) * (level[bin + 1] - level[bin]);
}

double TimeBins::integral_of_level() const { return std::accumulate(level.begin(), level.end(), 0.0) / count; }

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

void TimeBinSums::add(double clock, double residual, double weight) {
  if (!std::isfinite(residual)) return;
  auto* const sum = &sums_[TimeBins::bin_of(clock) * columns];
  sum[0] += 1;
  sum[1] += rounded(std::fabs(residual));
  sum[2] += std::llround(std::min(weight, largest_weight) * weight_unit);
  sum[3] += rounded(weight * residual);
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

TimeBins TimeBinSums::after_with_level(TimeBins bins) const {
  bins = after(bins);
  for (std::size_t bin = 0; bin < bins.level.size(); ++bin) {
    const auto* const sum = &sums_[bin * columns];
    if (sum[2] == 0) continue;
    const double mean = static_cast<double>(sum[3]) / unit / (static_cast<double>(sum[2]) / weight_unit);
    bins.level[bin] += mean / std::min(bins.seen[bin], level_memory);
  }
  return bins;
}

}  // namespace boltzcurve

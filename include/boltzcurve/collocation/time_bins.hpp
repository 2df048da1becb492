#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace boltzcurve {

/// What the residuals of the steps so far say of the clock, bin by bin. A function of the points only, never of the ranks that they were
/// on, so that all ranks have the same.
struct TimeBins {
  static constexpr int count = 32;
  using PerBin = std::array<double, count>;

  PerBin size{};  ///< running mean of |R|, nats per unit of the clock
  PerBin seen{};  ///< steps with points in the bin

  static std::size_t bin_of(double clock);

  /// Where the clock stands when the share u of all points has been drawn, if half of them are uniform and the other half in proportion to
  /// `size`. Uniform before the first step.
  double clock_of_share(double u) const;

  bool operator==(const TimeBins&) const = default;
};

/// The residuals of one step, by bin. Sums are of integers, in units of 2^-20 for |R| up to 2^20, so that their order does not matter; 2^22
/// points fit in a bin.
class TimeBinSums {
 public:
  /// A residual R, in nats per unit of the clock. One that is not finite is left out.
  void add(double clock, double residual);

  /// The sums, to be added up over ranks.
  static constexpr std::size_t columns = 2;
  std::array<std::int64_t, TimeBins::count * columns>& values() { return sums_; }

  /// The bins after these residuals. A running mean is the plain mean of the first hundred steps, and later forgets a step in a hundred.
  TimeBins after(TimeBins bins) const;

 private:
  std::array<std::int64_t, TimeBins::count * columns> sums_{};  // points, |R|
};

}  // namespace boltzcurve

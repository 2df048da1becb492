#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace boltzcurve {

/// What the residuals of the steps so far say of the clock, bin by bin: how large they are, and which constant would take away what they
/// have in common. A function of the points only, never of the ranks that they were on, so that all ranks have the same.
struct TimeBins {
  static constexpr int count = 32;
  using PerBin = std::array<double, count>;

  PerBin size{};   ///< running mean of |R|, nats per unit of the clock
  PerBin level{};  ///< C by the batches so far, nats per unit of the clock; 0 where it is not estimated
  PerBin seen{};   ///< steps with points in the bin

  static std::size_t bin_of(double clock);

  /// C at a reading of the clock: linear between the middles of bins, constant before the first and after the last.
  double level_at(double clock) const;
  /// The integral of level_at over the whole clock [nats].
  double integral_of_level() const;

  /// Where the clock stands when the share u of all points has been drawn, if half of them are uniform and the other half in proportion to
  /// `size`. Uniform before the first step.
  double clock_of_share(double u) const;

  bool operator==(const TimeBins&) const = default;
};

/// The residuals of one step, by bin. Sums are of integers, in units of 2^-20 for |R| up to 2^20, so that their order does not matter; 2^22
/// points fit in a bin.
class TimeBinSums {
 public:
  /// A residual R, in nats per unit of the clock, and its weight, up to 2^10, in what residuals have in common. One that is not finite is
  /// left out.
  void add(double clock, double residual, double weight = 1);

  /// The sums, to be added up over ranks.
  static constexpr std::size_t columns = 4;
  std::array<std::int64_t, TimeBins::count * columns>& values() { return sums_; }

  /// The bins after these residuals. A running mean is the plain mean of the first steps, and later forgets a step in a hundred (size) or
  /// in twenty (level).
  TimeBins after(TimeBins bins) const;
  /// The same where R is what is left with the level that the bins have, which so becomes higher by the weighted mean of R.
  TimeBins after_with_level(TimeBins bins) const;

 private:
  std::array<std::int64_t, TimeBins::count * columns> sums_{};  // points, |R|, weights, weighted R
};

}  // namespace boltzcurve

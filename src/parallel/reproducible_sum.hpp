#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/reduction.hpp>

#include <cstdint>
#include <vector>

#include <Kokkos_Core.hpp>

namespace boltzcurve {

/// The device side of a sum over chunks: add() takes one chunk's partial sums. Copy it into kernels of at most teams() teams, each of which
/// adds to a slot of its own, without atomics.
struct PartialSums {
  template <class T>
  using Slots = Kokkos::View<T**, Kokkos::LayoutRight>;

  Slots<std::uint64_t> integers;                ///< [slots][total], two's complement: a round that will be repeated may overflow
  Slots<double> numbers;                        ///< [slots][total], in place of `integers` when the reduction is fast
  Slots<std::int64_t> maxima;                   ///< [slots][segments]: bits of the largest magnitude among all partial sums
  Kokkos::View<const std::int64_t*> borders;    ///< [segments + 1]
  Kokkos::View<const double*> inverse_quantum;  ///< [segments]
  Reduction reduction = Reduction::reproducible;

  /// Teams for `chunks` chunks; team k of K takes the chunks k, k + K, ...
  int teams(std::int64_t chunks) const {
    const auto slots = static_cast<std::int64_t>(maxima.extent(0));
    return static_cast<int>(chunks < slots ? chunks : slots);
  }

  /// Adds one chunk's partial sums, values [total].
  template <class Real, class Member>
  KOKKOS_INLINE_FUNCTION void add(const Member& member, const Real* values) const {
    const int segments = static_cast<int>(maxima.extent(1)), slot = member.league_rank();
    double* const number = reduction == Reduction::fast ? &numbers(slot, 0) : nullptr;
    std::uint64_t* const integer = reduction == Reduction::fast ? nullptr : &integers(slot, 0);
    for (int s = 0; s < segments; ++s) {
      const std::int64_t begin = borders(s), end = borders(s + 1);
      const double scale = inverse_quantum(s);
      std::int64_t largest = 0;
      if (reduction == Reduction::fast) {
        Kokkos::parallel_reduce(
            Kokkos::TeamVectorRange(member, begin, end),
            [&](const std::int64_t i, std::int64_t& maximum) {
              const double value = static_cast<double>(values[i]);
              maximum = larger_magnitude(maximum, value);
              number[i] += value;
            },
            Kokkos::Max<std::int64_t>(largest));
      } else {
        Kokkos::parallel_reduce(
            Kokkos::TeamVectorRange(member, begin, end),
            [&](const std::int64_t i, std::int64_t& maximum) {
              // Adding 1.5 2^52 leaves the rounded number of quanta in the lowest bits of the sum.
              constexpr double round = 0x1.8p52;
              const double value = static_cast<double>(values[i]), shifted = value * scale + round;
              maximum = larger_magnitude(maximum, value);
              integer[i] += __builtin_bit_cast(std::uint64_t, shifted) - __builtin_bit_cast(std::uint64_t, round);
            },
            Kokkos::Max<std::int64_t>(largest));
      }
      Kokkos::single(Kokkos::PerTeam(member), [&]() { maxima(slot, s) = largest > maxima(slot, s) ? largest : maxima(slot, s); });
    }
    member.team_barrier();
  }

  /// The bits of |value| as an integer grow with |value|; infinity lies above all numbers and NaN above infinity.
  KOKKOS_INLINE_FUNCTION static std::int64_t larger_magnitude(std::int64_t bits, double value) {
    const std::int64_t other = __builtin_bit_cast(std::int64_t, value) & 0x7fffffffffffffff;
    return other > bits ? other : bits;
  }
};

/// Sums arrays of partial sums over chunks of work and over ranks.
///
/// The array is cut into segments (the tensors of a gradient). With Reduction::reproducible every partial sum is rounded to a multiple of
/// its segment's quantum, a power of two, and added as a 64-bit integer: neither the order of the chunks nor their distribution over
/// ranks can change a bit of the result. The quantum is 2^-41 (larger only with more than 2048 chunks) of the largest partial sum seen in
/// the round before. Where partial sums have grown or shrunk more than 2^10-fold since, and in the first round, finish() asks for a repeat
/// with a quantum from this round's exact maxima, which no order of summation can change either.
class ReproducibleSum {
 public:
  /// `borders` [segments + 1] cut the array; `chunks` is the number of partial sums that all ranks together will add in a round.
  ReproducibleSum(std::vector<std::int64_t> borders, std::int64_t chunks, Reduction reduction);

  /// Starts a round: all sums zero. Memory: 8 bytes an entry for every team that this rank runs at once.
  PartialSums begin();

  enum class Outcome {
    ok,
    repeat,    ///< a partial sum was too large for its quantum; quanta are mended, do the round again
    nonfinite  ///< a partial sum was NaN or infinite; no sum exists
  };

  /// Joins all ranks and writes the sums to `total` [borders.back()]. Collective; every rank gets the same outcome and the same bits.
  Outcome finish(const Communicator& ranks, std::vector<double>& total);

  /// add(partial sums), as often as quanta want it, into `total`; whether a sum exists. Collective.
  template <class Add>
  bool sum(const Communicator& ranks, std::vector<double>& total, const Add& add) {
    for (;;) {
      add(begin());
      if (const auto outcome = finish(ranks, total); outcome != Outcome::repeat) return outcome == Outcome::ok;
    }
  }

  /// One exponent per segment, the quantum's logarithm to base 2: state that a checkpoint must keep to continue with the same bits.
  const std::vector<std::int64_t>& exponents() const { return exponents_; }
  /// Throws InputError where they cannot be those of such a sum.
  void set_exponents(std::vector<std::int64_t> exponents);

 private:
  void upload_quanta();
  std::int64_t exponent_for(double largest) const;

  std::vector<std::int64_t> borders_, exponents_;
  int quantum_bits_;  // a partial sum may have this many bits: 51, less with very many chunks, so that no integer sum overflows
  Reduction reduction_;
  PartialSums sums_;
  std::vector<std::int64_t> integers_;  // kept from round to round
  Kokkos::View<std::int64_t*> device_borders_;
  Kokkos::View<double*> device_inverse_quantum_;
};

}  // namespace boltzcurve

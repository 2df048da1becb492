#include "parallel/reproducible_sum.hpp"
#include <boltzcurve/error.hpp>
#include "core/to_device.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr int headroom_bits = 10;                // a segment may grow or shrink 2^10-fold from one round to the next without a repeat
constexpr int max_slots = 256;                   // of the device's concurrency, which counts threads on GPUs
constexpr std::int64_t highest_exponent = 1022;  // of a number whose inverse is normal
constexpr std::int64_t lowest_exponent = -1000;  // also before anything is known: nothing fits, so the first round is repeated

struct Larger {
  KOKKOS_FUNCTION std::int64_t operator()(std::int64_t a, std::int64_t b) const { return a > b ? a : b; }
};
struct Sum {
  template <class T>
  KOKKOS_FUNCTION T operator()(T a, T b) const {
    return a + b;
  }
};

/// The slots' rows into the first, where they are.
template <class T, class Join>
void join_on_device(const PartialSums::Slots<T>& slots, const Join& join) {
  Kokkos::parallel_for(
      "boltzcurve::join_sums", slots.extent(1), KOKKOS_LAMBDA(const std::size_t i) {
        T joined = slots(0, i);
        for (std::size_t slot = 1; slot < slots.extent(0); ++slot) joined = join(joined, slots(slot, i));
        slots(0, i) = joined;
      });
}

/// The slots' rows as one, on the host, into `row`. Few threads join them here, many where they are: rows are long.
template <class Out, class T, class Join>
void join_slots(const PartialSums::Slots<T>& slots, std::vector<Out>& row, const Join& join) {
  constexpr bool on_host = Kokkos::SpaceAccessibility<Kokkos::HostSpace, typename PartialSums::Slots<T>::memory_space>::accessible;
  std::size_t rows = slots.extent(0);
  if constexpr (!on_host) {
    join_on_device(slots, join);
    rows = 1;
  }
  const PartialSums::Slots<T> rest = Kokkos::subview(slots, std::make_pair(std::size_t{0}, rows), Kokkos::ALL);
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), rest);
  const std::size_t size = host.extent(1);
  row.resize(size);
  for (std::size_t i = 0; i < size; ++i) row[i] = static_cast<Out>(host(0, i));
  for (std::size_t slot = 1; slot < rows; ++slot)
    for (std::size_t i = 0; i < size; ++i) row[i] = join(row[i], static_cast<Out>(host(slot, i)));
}

int bits_for_chunks(std::int64_t chunks) {
  const int carry = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(std::max<std::int64_t>(chunks, 1))));
  return std::min(51, 62 - carry);
}

}  // namespace

ReproducibleSum::ReproducibleSum(std::vector<std::int64_t> borders, std::int64_t chunks, Reduction reduction)
    : borders_(std::move(borders)),
      exponents_(borders_.size() - 1, lowest_exponent),
      quantum_bits_(bits_for_chunks(chunks)),
      reduction_(reduction),
      device_borders_(detail::to_device<std::int64_t>("boltzcurve::sum_borders", borders_)),
      device_inverse_quantum_("boltzcurve::sum_inverse_quantum", borders_.size() - 1) {
  const auto total = static_cast<std::size_t>(borders_.back());
  const int concurrency = Kokkos::DefaultExecutionSpace().concurrency();
  const auto slots =
      static_cast<std::size_t>(std::clamp<std::int64_t>(std::min(concurrency, max_slots), 1, std::max<std::int64_t>(chunks, 1)));
  if (reduction_ == Reduction::reproducible)
    sums_.integers = PartialSums::Slots<std::uint64_t>("boltzcurve::integer_sums", slots, total);
  else
    sums_.numbers = PartialSums::Slots<double>("boltzcurve::float_sums", slots, total);
  sums_.maxima = PartialSums::Slots<std::int64_t>("boltzcurve::sum_maxima", slots, exponents_.size());
  sums_.borders = device_borders_;
  sums_.inverse_quantum = device_inverse_quantum_;
  sums_.reduction = reduction_;
  upload_quanta();
}

void ReproducibleSum::upload_quanta() {
  const auto host = Kokkos::create_mirror_view(device_inverse_quantum_);
  for (std::size_t s = 0; s < exponents_.size(); ++s) host(s) = std::ldexp(1.0, static_cast<int>(-exponents_[s]));
  Kokkos::deep_copy(device_inverse_quantum_, host);
}

void ReproducibleSum::set_exponents(std::vector<std::int64_t> exponents) {
  if (exponents.size() != exponents_.size())
    throw InputError(fmt::format("exponents has {} entries, expected {}", exponents.size(), exponents_.size()));
  for (const auto exponent : exponents)
    if (exponent < lowest_exponent || exponent > highest_exponent)
      throw InputError(fmt::format("exponents holds {}, expected {} to {}", exponent, lowest_exponent, highest_exponent));
  exponents_ = std::move(exponents);
  upload_quanta();
}

PartialSums ReproducibleSum::begin() {
  if (reduction_ == Reduction::reproducible)
    Kokkos::deep_copy(sums_.integers, std::uint64_t{0});
  else
    Kokkos::deep_copy(sums_.numbers, 0.0);
  Kokkos::deep_copy(sums_.maxima, 0);
  return sums_;
}

std::int64_t ReproducibleSum::exponent_for(double largest) const {
  if (largest == 0) return lowest_exponent;
  int exponent = 0;
  std::frexp(largest, &exponent);  // largest < 2^exponent
  return std::max<std::int64_t>(exponent - quantum_bits_ + headroom_bits, lowest_exponent);
}

ReproducibleSum::Outcome ReproducibleSum::finish(const Communicator& ranks, std::vector<double>& total) {
  Kokkos::fence();
  std::vector<std::int64_t> bits;
  join_slots(sums_.maxima, bits, Larger());
  ranks.max(bits);

  bool fits = true, finite = true;
  std::vector<std::int64_t> next(exponents_);
  for (std::size_t s = 0; s < bits.size(); ++s) {
    const double largest = std::bit_cast<double>(bits[s]);
    finite = finite && std::isfinite(largest);
    if (!finite) break;
    // A segment that is all zero fits any quantum and tells nothing about the next round.
    if (largest == 0) continue;
    next[s] = exponent_for(largest);
    const bool small_enough = largest < std::ldexp(1.0, static_cast<int>(exponents_[s]) + quantum_bits_);
    const bool fine_enough = exponents_[s] <= next[s] + headroom_bits;
    fits = fits && (reduction_ == Reduction::fast || (small_enough && fine_enough));
  }
  if (!finite) return Outcome::nonfinite;

  if (fits) {
    if (reduction_ == Reduction::fast) {
      join_slots(sums_.numbers, total, Sum());
      ranks.sum(total);
    } else {
      total.resize(static_cast<std::size_t>(borders_.back()));
      // Every partial sum fits its quantum, so that the sum is one of signed numbers again.
      join_slots(sums_.integers, integers_, Sum());
      ranks.sum(integers_);
      for (std::size_t s = 0; s < exponents_.size(); ++s) {
        const double quantum = std::ldexp(1.0, static_cast<int>(exponents_[s]));
        for (auto i = borders_[s]; i < borders_[s + 1]; ++i)
          total[static_cast<std::size_t>(i)] = static_cast<double>(integers_[static_cast<std::size_t>(i)]) * quantum;
      }
    }
  }
  if (next != exponents_) set_exponents(std::move(next));
  return fits ? Outcome::ok : Outcome::repeat;
}

}  // namespace boltzcurve

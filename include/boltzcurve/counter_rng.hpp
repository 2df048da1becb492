#pragma once

#include <Random123/philox.h>
#include <Kokkos_Macros.hpp>

#include <cmath>
#include <cstdint>

namespace boltzcurve {

/// What a random number is for. Different purposes never share a number. Values are part of the reproducibility contract: append only.
enum class RandomStream : std::uint8_t {
  initial_parameters = 1,
  collocation_time = 2,
  collocation_position = 3,
  latent_particles = 4,
  exact_samples = 5,
  projections = 6,
  walker_starts = 7,
  walker_moves = 8,
  walker_decisions = 9,
  trajectory_starts = 10,
  trajectory_choice = 11,
  sweep_draws = 12,
  collocation_box = 13,
  population_starts = 14,
  population_moves = 15,
  population_resampling = 16,
  mixture_starts = 17,
  matching_choice = 18,
  matching_noise = 19,
  sampling_resampling = 20,
  test = 255
};

/// Random numbers as a pure function of (seed, stream, step, index): counter-based Philox4x32-10 (Salmon et al., SC'11), so a draw never
/// depends on the rank, the thread or the tile that makes it. Successive calls walk through a private sequence of 2^24 blocks of
/// four 32-bit words; step and index may use 48 bits each. Host and device.
class CounterRng {
 public:
  KOKKOS_FUNCTION CounterRng(std::uint64_t seed, RandomStream stream, std::uint64_t step, std::uint64_t index) {
    key_.v[0] = static_cast<std::uint32_t>(seed);
    key_.v[1] = static_cast<std::uint32_t>(seed >> 32);
    counter_.v[0] = static_cast<std::uint32_t>(stream) << 24;
    counter_.v[1] = static_cast<std::uint32_t>(index);
    counter_.v[2] = static_cast<std::uint32_t>(step);
    counter_.v[3] = (static_cast<std::uint32_t>(index >> 32) & 0xFFFFu) | (static_cast<std::uint32_t>(step >> 32) << 16);
  }

  /// 32 uniform bits.
  KOKKOS_FUNCTION std::uint32_t bits() {
    if (used_ == 4) {
      block_ = r123::Philox4x32()(counter_, key_);
      ++counter_.v[0];
      used_ = 0;
    }
    return block_.v[used_++];
  }

  /// Uniform in (0,1): never 0 or 1, so its logarithm and 1/u are finite. 53 bits.
  KOKKOS_FUNCTION double uniform() {
    const std::uint64_t high = bits() >> 5, low = bits() >> 6;  // 27 + 26 bits
    return (static_cast<double>((high << 26) | low) + 0.5) * 0x1p-53;
  }

  /// Standard normal by Box and Muller; the second value of a pair is kept for the next call.
  KOKKOS_FUNCTION double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2.0 * std::log(uniform())), angle = 6.283185307179586476925 * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

 private:
  r123::Philox4x32::ctr_type counter_{}, block_{};
  r123::Philox4x32::key_type key_{};
  int used_ = 4;
  bool has_spare_ = false;
  double spare_ = 0;
};

}  // namespace boltzcurve

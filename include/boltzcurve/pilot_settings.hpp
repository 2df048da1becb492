#pragma once

#include <boltzcurve/choice_list.hpp>
#include <boltzcurve/setting.hpp>

#include <cstdint>

namespace boltzcurve {

/// Ways to explore a target before a curve is made.
#define BOLTZCURVE_PILOTS(ENTRY)                                                                                                          \
  ENTRY(automatic, "auto", "smc where the curve's form is network, else chains")                                                          \
  ENTRY(smc, "smc",                                                                                                                       \
        "a population that adaptive tempered sequential Monte Carlo carries from a normal law to the target: it says what mass is where") \
  ENTRY(chains, "chains", "Metropolis-adjusted Langevin chains from points uniform in the target's domain, some of them hot")
BOLTZCURVE_CHOICES(PilotMethod, BOLTZCURVE_PILOTS)

/// The pilot run: what is found out about a target before training.
struct PilotSettings {
  PilotMethod method = PilotMethod::automatic;
  std::int64_t particles = 16384;

  template <class Visit>
  static void describe(const Visit& setting) {
    using S = PilotSettings;
    setting("method", &S::method, "how the target is explored");
    setting("particles", &S::particles, Range{64, 1 << 24}, "particles", "particles of the population (smc), over all ranks");
  }
  bool operator==(const PilotSettings&) const = default;
};

}  // namespace boltzcurve

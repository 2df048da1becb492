// The same bits for any number of ranks: every rank also fits alone (MPI_COMM_SELF), which is what one rank would get.
#include "pilot/scale_fit.hpp"
#include <boltzcurve/counter_rng.hpp>

#include <gtest/gtest.h>

#include <cmath>

namespace boltzcurve {
namespace {

constexpr std::int64_t chains = 1000, granule = 64;

/// A funnel in four dimensions: this rank's part of it.
ThermalPoints funnel(const Communicator& ranks) {
  const auto mine = shard_of(chains, granule, ranks.rank(), ranks.size());
  const auto n = static_cast<std::size_t>(mine.count);
  ThermalPoints points{HostPoints<double>("test::x", n, 4), HostPoints<double>("test::g", n, 4), HostScalars<double>("test::t", n),
                       granule};
  for (std::size_t i = 0; i < n; ++i) {
    CounterRng rng(6, RandomStream::test, 0, static_cast<std::uint64_t>(mine.first) + i);
    points.temperature(i) = 1;
    const double scale = std::exp((points.position(i, 0) = 3 * rng.normal()) / 2);
    for (std::size_t k = 1; k < 4; ++k) {
      const double z = rng.normal();
      points.position(i, k) = scale * z;
      points.gradient(i, k) = z / scale;
    }
  }
  return points;
}

TEST(ScaleFitOnRanks, GivesTheSameBits) {
  const Communicator world(MPI_COMM_WORLD), self(MPI_COMM_SELF);
  const auto together = fit_scale_map(world, funnel(world)), alone = fit_scale_map(self, funnel(self));
  EXPECT_FALSE(alone.is_identity());
  EXPECT_EQ(together, alone);
}

}  // namespace
}  // namespace boltzcurve

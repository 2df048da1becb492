// The generator against published words, then the laws that are made of it.
#include "random/counter_rng_group.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <vector>

namespace boltzcurve {
namespace {

using Words = std::array<std::uint32_t, 4>;

Words philox(const Words& counter, std::uint32_t key0, std::uint32_t key1) {
  r123::Philox4x32::ctr_type c;
  r123::Philox4x32::key_type k;
  for (std::size_t i = 0; i < 4; ++i) c.v[i] = counter[i];
  k.v[0] = key0, k.v[1] = key1;
  const auto block = r123::Philox4x32()(c, k);
  return {block.v[0], block.v[1], block.v[2], block.v[3]};
}

// Known answers that come with Random123 (Salmon et al., SC'11): zeros, ones, the digits of pi.
TEST(Philox, GivesThePublishedWords) {
  EXPECT_EQ(philox({0, 0, 0, 0}, 0, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({ones, ones, ones, ones}, ones, ones), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// The layout is part of the contract that the same seed gives the same run: counter words (stream << 24 | block, index, step, high 16 bits
// of step and index), key = seed.
TEST(CounterRng, PutsSeedStreamStepAndIndexIntoCounterAndKey) {
  CounterRng rng(0x1122334455667788, RandomStream::exact_samples, 0x0000ABCD12345678, 0x00009876FEDCBA98);
  const Words first = philox({5u << 24, 0xFEDCBA98, 0x12345678, 0xABCD9876}, 0x55667788, 0x11223344);
  const Words second = philox({(5u << 24) + 1, 0xFEDCBA98, 0x12345678, 0xABCD9876}, 0x55667788, 0x11223344);
  for (const Words& words : {first, second}) {
    for (const std::uint32_t word : words) EXPECT_EQ(rng.bits(), word);
  }
}

TEST(CounterRng, RepeatsItself) {
  CounterRng a(7, RandomStream::test, 3, 9), b(7, RandomStream::test, 3, 9);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(a.uniform(), b.uniform());
    EXPECT_EQ(a.normal(), b.normal());
  }
}

TEST(CounterRng, NeverSharesANumberBetweenSeedsStreamsStepsAndIndices) {
  std::set<double> seen;
  std::size_t drawn = 0;
  const auto take = [&](CounterRng rng) {
    for (int i = 0; i < 8; ++i, ++drawn) seen.insert(rng.uniform());
  };
  for (const std::uint64_t large : {0ull, 1ull, 1ull << 31, 1ull << 32, 1ull << 47}) {
    take(CounterRng(large, RandomStream::test, 0, 0));
    if (large == 0) continue;  // the same as above
    take(CounterRng(0, RandomStream::test, large, 0));
    take(CounterRng(0, RandomStream::test, 0, large));
  }
  for (const RandomStream stream : {RandomStream::initial_parameters, RandomStream::collocation_time, RandomStream::collocation_position,
                                    RandomStream::latent_particles, RandomStream::exact_samples, RandomStream::projections}) {
    take(CounterRng(0, stream, 0, 0));
  }
  EXPECT_EQ(seen.size(), drawn);
}

// Of seeds, steps and indices with bits in every word of the counter, over the border where the low word of the index ends.
TEST(CounterRngGroup, GivesEveryIndexTheNumbersOfItsOwnGenerator) {
  constexpr int size = 32;
  const std::uint64_t seed = 0x1122334455667788, step = 0x0000ABCD12345678, first = 0x0000987600000000 - 5;
  CounterRngGroup<size> group(seed, RandomStream::test, step, first);
  std::vector<CounterRng> single;
  for (std::uint64_t i = 0; i < size; ++i) single.emplace_back(seed, RandomStream::test, step, first + i);
  for (int round = 0; round < 20; ++round) {
    std::array<double, size> a, b, c, d;
    group.next_uniform(a, b);
    group.next_normal(c, d);
    for (std::size_t i = 0; i < size; ++i) {
      ASSERT_EQ(a[i], single[i].uniform());
      ASSERT_EQ(b[i], single[i].uniform());
      ASSERT_NEAR(c[i], single[i].normal(), 1e-14);
      ASSERT_NEAR(d[i], single[i].normal(), 1e-14);
    }
  }
}

// Bounds of 5.5 standard errors: a correct generator fails one such comparison in 26 million seeds, and there are about 30 below.
constexpr double certain = 5.5;
constexpr int draws = 1 << 20;

TEST(CounterRng, UniformNumbersAreUniformAndIndependentOfTheNext) {
  CounterRng rng(1, RandomStream::test, 0, 0);
  constexpr int bins = 16;
  double sum = 0, squares = 0, products = 0, last = rng.uniform();
  std::array<int, bins> counts{};
  for (int i = 0; i < draws; ++i) {
    const double u = rng.uniform();
    ASSERT_GT(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    squares += (u - 0.5) * (u - 0.5);
    products += (u - 0.5) * (last - 0.5);
    ++counts[static_cast<std::size_t>(u * bins)];
    last = u;
  }
  // variances of one term: 1/12, 1/180, 1/144
  EXPECT_NEAR(sum / draws, 0.5, certain * std::sqrt(1.0 / 12 / draws));
  EXPECT_NEAR(squares / draws, 1.0 / 12, certain * std::sqrt(1.0 / 180 / draws));
  EXPECT_NEAR(products / draws, 0, certain * std::sqrt(1.0 / 144 / draws));
  for (const int count : counts) EXPECT_NEAR(count, draws / bins, certain * std::sqrt(draws * (1.0 / bins) * (1 - 1.0 / bins)));
}

TEST(CounterRng, NormalNumbersHaveTheMomentsOfTheNormalLaw) {
  CounterRng rng(2, RandomStream::test, 0, 0);
  double moments[5] = {}, pairs = 0, last = rng.normal();
  for (int i = 0; i < draws; ++i) {
    const double z = rng.normal();
    for (int k = 1; k <= 4; ++k) moments[k] += std::pow(z, k);
    pairs += z * last * z * last;  // the two of a Box-Muller pair share their radius: squares would be correlated if anything were wrong
    last = z;
  }
  // variances of one term: E z^2 = 1, Var z^2 = 2, E z^6 = 15, Var z^4 = 105 - 9, Var (z w)^2 = 9 - 1 and twice 2 more for the factor that
  // neighbors share
  EXPECT_NEAR(moments[1] / draws, 0, certain * std::sqrt(1.0 / draws));
  EXPECT_NEAR(moments[2] / draws, 1, certain * std::sqrt(2.0 / draws));
  EXPECT_NEAR(moments[3] / draws, 0, certain * std::sqrt(15.0 / draws));
  EXPECT_NEAR(moments[4] / draws, 3, certain * std::sqrt(96.0 / draws));
  EXPECT_NEAR(pairs / draws, 1, certain * std::sqrt(12.0 / draws));
}

TEST(CounterRng, NumbersOfNeighboringIndicesAndStepsAreIndependent) {
  // first number of each index and step: what parallel draws use
  double sum = 0, squares = 0, along_index = 0, along_step = 0;
  const int count = 1 << 18;
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<std::uint64_t>(i);
    const double u = CounterRng(3, RandomStream::test, 5, index).uniform() - 0.5;
    sum += u;
    squares += u * u;
    along_index += u * (CounterRng(3, RandomStream::test, 5, index + 1).uniform() - 0.5);
    along_step += u * (CounterRng(3, RandomStream::test, 6, index).uniform() - 0.5);
  }
  EXPECT_NEAR(sum / count, 0, certain * std::sqrt(1.0 / 12 / count));
  EXPECT_NEAR(squares / count, 1.0 / 12, certain * std::sqrt(1.0 / 180 / count));
  EXPECT_NEAR(along_index / count, 0, certain * std::sqrt(1.0 / 144 / count));
  EXPECT_NEAR(along_step / count, 0, certain * std::sqrt(1.0 / 144 / count));
}

}  // namespace
}  // namespace boltzcurve

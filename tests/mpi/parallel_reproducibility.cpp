#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include <boltzcurve/sampling.hpp>
#include "metrics/importance.hpp"
#include "parallel/reproducible_sum.hpp"
#include "sampling/curve_velocity.hpp"
#include "sampling/path_energy.hpp"
#include "training/batch_loss.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

namespace boltzcurve {

// GoogleTest would print its bytes, those between kind and share among them, which have no value.
static void PrintTo(const CollocationShare& share, std::ostream* out) { *out << name_of(share.kind) << ':' << share.share; }

namespace {

const Communicator world() { return Communicator(MPI_COMM_WORLD); }
const Communicator self() { return Communicator(MPI_COMM_SELF); }

struct SmallProblem {
  std::unique_ptr<Energy> target, latent;
  BatchLossSettings settings;

  explicit SmallProblem(std::int64_t points, CurveName curve = CurveName::gradient_flow, Schedule schedule = Schedule::diffusion,
                        NetworkKind network = NetworkKind::mlp) {
    target = make_target("gaussian-mixture", {{"preset", {"two"}}});
    latent = make_latent("gaussian", 2);
    CurveInput of_curve;
    of_curve.curve.name = curve;
    of_curve.curve.horizon = 2;
    of_curve.curve.schedule = schedule;
    of_curve.network.width = 24;
    of_curve.network.kind = network;
    of_curve.network.hidden_layers = 2;
    of_curve.normalizer.kind = NormalizerKind::network;
    of_curve.normalizer.width = 8;
    of_curve.ends.dimension = 2;
    of_curve.ends.latent_mean = {0, 0};
    of_curve.ends.latent_deviation = {1, 1};
    of_curve.ends.pilot = {0.5, 1, {0.5, 0.2}, {3, 1}, {}, {}};
    settings.curve = make_curve(of_curve);
    settings.region.box = settings.region.domain = {{-6, -6}, {6, 6}};
    settings.collocation.shares = {{CollocationKind::ou_bridge, 0.2}, {CollocationKind::langevin, 0.4}, {CollocationKind::trajectory, 0.4}};
    settings.collocation.points = points;
  }

  /// With chains that have thermalized for a short time.
  BatchLossSettings for_ranks(const Communicator& ranks) const {
    auto copy = settings;
    copy.chains = std::make_shared<MalaChains>(ranks, MalaChains::Settings{settings.region.box, settings.collocation.points}, *target);
    copy.chains->thermalize(20);
    return copy;
  }

  std::vector<double> parameters() const {
    std::vector<double> values(static_cast<std::size_t>(settings.curve->networks().parameter_count()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.3 * CounterRng(5, RandomStream::test, 0, i).normal();
    return values;
  }
};

void expect_same_bits_on_all_ranks_as_on_one(const SmallProblem& problem, Precision precision) {
  const auto together = make_batch_loss(precision, world(), problem.for_ranks(world()), *problem.target, *problem.latent);
  const auto alone = make_batch_loss(precision, self(), problem.for_ranks(self()), *problem.target, *problem.latent);
  for (std::int64_t step = 0; step < 2; ++step) {
    const auto shared = together->evaluate(problem.parameters(), step), single = alone->evaluate(problem.parameters(), step);
    ASSERT_TRUE(shared.finite && single.finite);
    EXPECT_EQ(shared.loss, single.loss);
    EXPECT_EQ(shared.gradient, single.gradient);
    EXPECT_EQ(together->state().sum_exponents, alone->state().sum_exponents);
    EXPECT_EQ(together->time_bins(), alone->time_bins());
    EXPECT_NE(alone->time_bins(), TimeBins());
  }
}

// 100 points: fewer chunks than ranks; 128: one chunk; 1000: a short last chunk; 9000: more than one block on a rank.
TEST(BatchLoss, HasTheSameBitsOnAllRanksTogetherAsOnOne) {
  for (const std::int64_t points : {100, 128, 1000, 9000}) {
    SCOPED_TRACE(points);
    for (const auto precision : {Precision::single_precision, Precision::double_precision})
      expect_same_bits_on_all_ranks_as_on_one(SmallProblem(points), precision);
  }
}

/// Every kind of points by itself, and every mixture of two.
std::vector<std::vector<CollocationShare>> kinds_of_points() {
  std::vector<std::vector<CollocationShare>> kinds;
  for (const auto& first : choices<CollocationKind>) {
    if (first.value == CollocationKind::mixture) continue;
    kinds.push_back({{first.value, 1}});
    for (const auto& second : choices<CollocationKind>)
      if (second.value != CollocationKind::mixture && second.value < first.value)
        kinds.push_back({{first.value, 0.3}, {second.value, 0.7}});
  }
  return kinds;
}

class BatchLossOfCurve : public testing::TestWithParam<std::tuple<CurveName, std::vector<CollocationShare>>> {};

std::string name_of_case(const testing::TestParamInfo<BatchLossOfCurve::ParamType>& test) {
  std::string name(name_of(std::get<0>(test.param)));
  for (const auto& part : std::get<1>(test.param)) name.append("_").append(name_of(part.kind));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(EveryKindOfPoints, BatchLossOfCurve,
                         testing::Combine(testing::Values(CurveName::gradient_flow, CurveName::linear, CurveName::learned),
                                          testing::ValuesIn(kinds_of_points())),
                         name_of_case);

TEST_P(BatchLossOfCurve, HasTheSameBitsOnAllRanksTogetherAsOnOne) {
  const auto& [curve, shares] = GetParam();
  SmallProblem problem(600, curve);
  problem.settings.collocation.shares = shares;
  expect_same_bits_on_all_ranks_as_on_one(problem, Precision::single_precision);
}

// Both follow from the residuals of the steps before, which ranks have in parts; so the second step is the one that tells.
TEST(BatchLoss, WithTimesAndNormalizerByTheResidualHasTheSameBitsOnAllRanksTogetherAsOnOne) {
  for (const auto& curve : choices<CurveName>) {
    SCOPED_TRACE(curve.name);
    SmallProblem problem(1000, curve.value);
    problem.settings.collocation.times = TimeDensity::residual;
    problem.settings.normalizer_by_batches = curve.value != CurveName::gradient_flow;
    for (const auto precision : {Precision::single_precision, Precision::double_precision})
      expect_same_bits_on_all_ranks_as_on_one(problem, precision);
  }
}

TEST(BatchLoss, WithALearnedScheduleHasTheSameBitsOnAllRanksTogetherAsOnOne) {
  const SmallProblem problem(1000, CurveName::gradient_flow, Schedule::learned);
  ASSERT_NE(problem.settings.curve->networks().find("schedule"), nullptr);
  for (const auto precision : {Precision::single_precision, Precision::double_precision})
    expect_same_bits_on_all_ranks_as_on_one(problem, precision);
}

TEST(BatchLoss, OfEveryKindOfNetworkHasTheSameBitsOnAllRanksAsOnOne) {
  for (const auto& kind : choices<NetworkKind>) {
    SCOPED_TRACE(kind.name);
    const SmallProblem problem(1000, CurveName::learned, Schedule::diffusion, kind.value);
    for (const auto precision : {Precision::single_precision, Precision::double_precision})
      expect_same_bits_on_all_ranks_as_on_one(problem, precision);
  }
}

// Steps 1 to 6 on one rank and on all, with trajectories renewed at 3 and 6 and chains moved at 4; then from the state after step 4 on, by
// objects that have seen nothing of what was before.
TEST(BatchLoss, GoesOnFromAStateWithTheSameBitsOnAnyNumberOfRanks) {
  SmallProblem problem(1000);
  problem.settings.collocation.refresh_every = 3;
  problem.settings.collocation.times = TimeDensity::residual;
  // Parameters change from step to step, so that it matters which ones the trajectories were drawn with.
  const auto parameters_at = [&](std::int64_t step) {
    auto values = problem.parameters();
    for (double& value : values) value *= 1 + 0.1 * static_cast<double>(step);
    return values;
  };
  for (const auto precision : {Precision::single_precision, Precision::double_precision}) {
    const auto make = [&](const Communicator& ranks) {
      return make_batch_loss(precision, ranks, problem.for_ranks(ranks), *problem.target, *problem.latent);
    };
    const auto alone = make(self()), together = make(world()), resumed = make(world());
    for (std::int64_t step = 0; step <= 4; ++step) {
      alone->evaluate(parameters_at(step), step);
      together->evaluate(parameters_at(step), step);
    }
    const auto state = alone->state(), shared = together->state();
    ASSERT_EQ(state.collocation.size(), 4u);
    EXPECT_EQ(shared.collocation, world().is_root() ? state.collocation : std::vector<NamedArray>());

    EXPECT_TRUE(resumed->restore(state));
    for (std::int64_t step = 5; step <= 6; ++step) {
      const auto expected = alone->evaluate(parameters_at(step), step), found = resumed->evaluate(parameters_at(step), step);
      EXPECT_EQ(found.loss, expected.loss) << "step " << step;
      EXPECT_EQ(found.gradient, expected.gradient) << "step " << step;
    }
    // Without the state, the points are others.
    EXPECT_NE(make(world())->evaluate(parameters_at(5), 5).loss, alone->evaluate(parameters_at(5), 5).loss);
  }
}

TEST(BatchLoss, RefusesQuantaThatAreNotItsOwn) {
  const SmallProblem problem(300);
  const auto loss = make_batch_loss(Precision::single_precision, self(), problem.for_ranks(self()), *problem.target, *problem.latent);
  loss->evaluate(problem.parameters(), 0);
  auto state = loss->state();
  auto& exponents = state.sum_exponents;
  const auto segments = exponents.size();
  exponents.push_back(0);
  EXPECT_THAT([&] { loss->restore(state); },
              ::testing::ThrowsMessage<InputError>("reduction/exponents has " + std::to_string(segments + 1) + " entries, expected " +
                                                   std::to_string(segments)));
  exponents.pop_back();
  exponents.back() = 1024;
  EXPECT_THAT([&] { loss->restore(state); },
              ::testing::ThrowsMessage<InputError>("reduction/exponents holds 1024, expected -1000 to 1022"));
}

TEST(BatchLoss, SaysWhatAStateLacks) {
  const SmallProblem problem(300);
  const auto loss = make_batch_loss(Precision::single_precision, self(), problem.for_ranks(self()), *problem.target, *problem.latent);
  EXPECT_THAT([&] { loss->restore({}); }, ::testing::ThrowsMessage<InputError>("collocation/walkers/position is missing"));
  EXPECT_FALSE(loss->restore({}, false)) << "the points may begin anew";
  loss->evaluate(problem.parameters(), 0);
  auto state = loss->state();
  state.collocation.front().rows /= 2;
  EXPECT_THAT([&] { loss->restore(state); },
              ::testing::ThrowsMessage<InputError>("collocation/walkers/position has the shape 600 x 2, expected 1200 x 2"));
  state.collocation.front().rows *= 2;
  state.collocation.pop_back();
  EXPECT_THAT([&] { loss->restore(state); }, ::testing::ThrowsMessage<InputError>("collocation/trajectories/parameters is missing"));
}

TEST(BatchLoss, InFloatingPointAgreesToRounding) {
  SmallProblem problem(1000);
  const auto exact = make_batch_loss(Precision::double_precision, world(), problem.for_ranks(world()), *problem.target, *problem.latent)
                         ->evaluate(problem.parameters(), 3);
  problem.settings.reduction = Reduction::fast;
  const auto fast = make_batch_loss(Precision::double_precision, world(), problem.for_ranks(world()), *problem.target, *problem.latent)
                        ->evaluate(problem.parameters(), 3);
  // Eight chunks, each rounded to 2^-31 or finer of the largest partial sum.
  EXPECT_NEAR(fast.loss, exact.loss, 8 * 0x1p-31 * exact.loss);
}

TEST(BatchLoss, FindsTheWorstPointOfAllRanks) {
  const SmallProblem problem(1000);
  const auto together = make_batch_loss(Precision::double_precision, world(), problem.for_ranks(world()), *problem.target, *problem.latent);
  const auto alone = make_batch_loss(Precision::double_precision, self(), problem.for_ranks(self()), *problem.target, *problem.latent);
  const auto shared = together->worst_point(problem.parameters(), 0), single = alone->worst_point(problem.parameters(), 0);
  EXPECT_EQ(shared.index, single.index);
  EXPECT_EQ(shared.residual, single.residual);
  EXPECT_EQ(shared.t, single.t);
  EXPECT_EQ(shared.x, single.x);
  ASSERT_EQ(shared.x.size(), 2u);
}

Flow flow_of(const SmallProblem& problem) {
  const auto& path = *problem.settings.curve;
  return {make_velocity_field(Precision::single_precision, path, problem.parameters(), *problem.target, *problem.latent),
          *problem.target,
          *problem.latent,
          path.latent_time(),
          path.target_time(),
          {},
          problem.target->domain(),
          make_path_density(Precision::single_precision, path, problem.parameters(), *problem.target, *problem.latent)};
}

TEST(Particles, OfEveryCurveHaveTheSameBitsOnAllRanksTogetherAsOnOne) {
  for (const auto& curve : choices<CurveName>) {
    SCOPED_TRACE(curve.name);
    const SmallProblem problem(128, curve.value);
    SamplingSettings settings;
    settings.frames = 2;
    settings.block = 100;
    Flow flow = flow_of(problem);
    flow.density.reset();
    const auto mine = Sampler(world(), flow, settings, 1).draw(333);
    const auto alone = Sampler(self(), flow, settings, 1).draw(333);
    ASSERT_EQ(alone.position.size(), 666u);
    const auto ranks = world();
    EXPECT_EQ(ranks.all_gather(std::span<const double>(mine.position)), alone.position);
    EXPECT_EQ(ranks.all_gather(std::span<const double>(mine.log_weight)), alone.log_weight);
    EXPECT_EQ(ranks.all_gather(std::span<const double>(mine.frames[1])), alone.frames[1]);
    EXPECT_EQ(ranks.all_gather(std::span<const std::int64_t>(mine.evaluations)), alone.evaluations);
  }
}

TEST(Particles, InLegsHaveTheSameBitsOnAllRanksTogetherAsOnOne) {
  for (const auto& curve : choices<CurveName>) {
    SCOPED_TRACE(curve.name);
    const SmallProblem problem(128, curve.value);
    SamplingSettings settings;
    settings.legs = 3;
    settings.island = 64;
    settings.resample_below = 0.9;
    const Flow flow = flow_of(problem);
    ASSERT_TRUE(flow.density);
    const auto mine = Sampler(world(), flow, settings, 1).draw(333);
    const auto alone = Sampler(self(), flow, settings, 1).draw(333);
    const auto ranks = world();
    EXPECT_EQ(ranks.all_gather(std::span<const double>(mine.position)), alone.position);
    EXPECT_EQ(ranks.all_gather(std::span<const double>(mine.log_weight)), alone.log_weight);
    EXPECT_EQ(ranks.all_gather(std::span<const std::int64_t>(mine.ancestor)), alone.ancestor);
    const auto of_all = importance_of(world(), mine), of_one = importance_of(self(), alone);
    EXPECT_EQ(of_all.log_z, of_one.log_z);
    EXPECT_EQ(of_all.lineage_ess, of_one.lineage_ess);
  }
}

/// Adds a value per entry to a sum, for each of the rank's chunks [first, first + count).
struct AddChunks {
  PartialSums sums;
  std::int64_t first, count;
  double scale;

  KOKKOS_FUNCTION void operator()(const Kokkos::TeamPolicy<>::member_type& member) const {
    for (std::int64_t i = member.league_rank(); i < count; i += member.league_size()) {
      const auto chunk = static_cast<double>(first + i);
      const double values[3] = {scale * (chunk + 1) / 3, -scale / (chunk + 1), scale * 1e-9 * chunk};
      sums.add(member, values);
    }
  }
};

ReproducibleSum::Outcome add_all(const Communicator& ranks, ReproducibleSum& sum, double scale, std::vector<double>& total) {
  const Shard shard = shard_of(50, 1, ranks.rank(), ranks.size());
  const auto partial = sum.begin();
  if (shard.count > 0)
    Kokkos::parallel_for("test::add_chunks", Kokkos::TeamPolicy<>(partial.teams(shard.count), 1),
                         AddChunks{partial, shard.first, shard.count, scale});
  return sum.finish(ranks, total);
}

TEST(ReproducibleSum, IsExactToItsQuantumAndIndependentOfTheRanks) {
  ReproducibleSum together({0, 2, 3}, 50, Reduction::reproducible), alone({0, 2, 3}, 50, Reduction::reproducible);
  std::vector<double> shared, single;
  EXPECT_EQ(add_all(world(), together, 1, shared), ReproducibleSum::Outcome::repeat);  // nothing is known before the first round
  EXPECT_EQ(add_all(world(), together, 1, shared), ReproducibleSum::Outcome::ok);
  EXPECT_EQ(add_all(self(), alone, 1, single), ReproducibleSum::Outcome::repeat);
  EXPECT_EQ(add_all(self(), alone, 1, single), ReproducibleSum::Outcome::ok);
  EXPECT_EQ(shared, single);
  double harmonic = 0;
  for (int c = 1; c <= 50; ++c) harmonic += 1.0 / c;
  // Fifty roundings to 2^-41 of the segment's largest value, 50/3.
  EXPECT_NEAR(shared[0], 50 * 51 / 6.0, 50 * 17 * 0x1p-41);
  EXPECT_NEAR(shared[1], -harmonic, 50 * 17 * 0x1p-41);
  EXPECT_NEAR(shared[2], 1e-9 * 49 * 50 / 2, 50 * 50e-9 * 0x1p-41);
}

TEST(ReproducibleSum, AsksForARepeatWhenValuesGrewOrShrankTooFar) {
  ReproducibleSum sum({0, 2, 3}, 50, Reduction::reproducible);
  std::vector<double> total;
  add_all(world(), sum, 1, total);
  EXPECT_EQ(add_all(world(), sum, 500, total), ReproducibleSum::Outcome::ok);  // 2^9-fold still fits
  EXPECT_EQ(add_all(world(), sum, 1e7, total), ReproducibleSum::Outcome::repeat);
  EXPECT_EQ(add_all(world(), sum, 1e7, total), ReproducibleSum::Outcome::ok);
  EXPECT_NEAR(total[0], 1e7 * 50 * 51 / 6.0, 1e-6);
  EXPECT_EQ(add_all(world(), sum, 1e-3, total), ReproducibleSum::Outcome::repeat);
  EXPECT_EQ(add_all(world(), sum, 1e-3, total), ReproducibleSum::Outcome::ok);
  EXPECT_NEAR(total[0], 1e-3 * 50 * 51 / 6.0, 1e-13);
}

TEST(ReproducibleSum, ReportsAValueThatIsNotFiniteToAllRanks) {
  for (const auto reduction : {Reduction::reproducible, Reduction::fast})
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
      ReproducibleSum sum({0, 2, 3}, 50, reduction);
      std::vector<double> total;
      EXPECT_EQ(add_all(world(), sum, world().rank() == world().size() - 1 ? bad : 1.0, total), ReproducibleSum::Outcome::nonfinite);
    }
}

TEST(Shards, CoverEverythingInWholeBlocksInOrder) {
  for (const std::int64_t total : {0, 1, 127, 128, 129, 1000}) {
    std::int64_t next = 0;
    for (int rank = 0; rank < 7; ++rank) {
      const auto shard = shard_of(total, 128, rank, 7);
      EXPECT_EQ(shard.first, next);
      EXPECT_TRUE(shard.first % 128 == 0 || shard.count == 0);
      next += shard.count;
    }
    EXPECT_EQ(next, total);
  }
}

}  // namespace
}  // namespace boltzcurve

#include "training/optimizer.hpp"
#include <boltzcurve/counter_rng.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <vector>

namespace boltzcurve {
namespace {

std::unique_ptr<Optimizer> adam_for(int parameters, OptimizerSettings settings) {
  settings.name = OptimizerName::adam;
  return make_optimizer(settings, {{"x", parameters, 1, 0, true}});
}

// With a constant gradient both moments, their bias removed, equal g and g^2 at every step: each update is rate * g/(|g| + eps).
TEST(Adam, MovesByTheRateAlongAConstantGradient) {
  const auto adam = adam_for(2, {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8});
  auto state = adam->initial_state();
  std::vector<double> x = {1, -2};
  const std::vector<double> gradient = {0.3, -4};
  for (int step = 1; step <= 5; ++step) {
    EXPECT_DOUBLE_EQ(adam->update(state, x, gradient, 0.01), std::hypot(0.3, 4.0));
    EXPECT_NEAR(x[0], 1 - step * 0.01 * 0.3 / (0.3 + 1e-8), 1e-14);
    EXPECT_NEAR(x[1], -2 + step * 0.01 * 4 / (4 + 1e-8), 1e-14);
  }
  EXPECT_EQ(state.updates, 5);
}

// Two steps by hand with b1 = 1/2, b2 = 3/4, eps = 0, rate 1, g = 1 then 3:
// m = 1/2, v = 1/4 -> m^ = 1, v^ = 1 -> x = -1;  m = 7/4, v = 39/16 -> m^ = 7/3, v^ = 39/7 -> x = -1 - (7/3) sqrt(7/39).
TEST(Adam, RemovesTheBiasOfBothMoments) {
  const auto adam = adam_for(1, {.beta1 = 0.5, .beta2 = 0.75, .epsilon = 0});
  auto state = adam->initial_state();
  std::vector<double> x = {0};
  adam->update(state, x, std::vector<double>{1}, 1);
  EXPECT_NEAR(x[0], -1, 1e-15);
  adam->update(state, x, std::vector<double>{3}, 1);
  EXPECT_NEAR(x[0], -1 - 7.0 / 3 * std::sqrt(7.0 / 39), 1e-14);
}

TEST(Adam, ShortensALongGradientToTheClipAndReportsItsTrueNorm) {
  // b1 = 0: the first moment is the clipped gradient itself
  const auto adam = adam_for(2, {.gradient_clip = 2, .beta1 = 0, .beta2 = 0.5, .epsilon = 0});
  auto state = adam->initial_state();
  const auto& first_moment = state.arrays[0].values;
  std::vector<double> x = {0, 0};
  EXPECT_DOUBLE_EQ(adam->update(state, x, std::vector<double>{30, 40}, 1), 50);
  EXPECT_DOUBLE_EQ(first_moment[0], 30 * 2 / 50.0);
  EXPECT_DOUBLE_EQ(first_moment[1], 40 * 2 / 50.0);
  EXPECT_DOUBLE_EQ(adam->update(state, x, std::vector<double>{0.3, 0.4}, 1), 0.5);
  EXPECT_DOUBLE_EQ(first_moment[0], 0.3);
}

TEST(LearningRate, FollowsItsFormulas) {
  const OptimizerSettings settings{
      .learning_rate = 0.4, .decay_rate = 0.5, .decay_steps = 10, .final_learning_rate = 0.1, .warm_up_steps = 0};
  LearningRate rate{settings, 100};
  EXPECT_DOUBLE_EQ(rate.at(0), 0.4);
  EXPECT_NEAR(rate.at(50), 0.25, 1e-15);
  EXPECT_NEAR(rate.at(100), 0.1, 1e-15);
  EXPECT_NEAR(rate.at(1000), 0.1, 1e-15);
  rate.settings.decay = LearningRateDecay::exponential;
  EXPECT_DOUBLE_EQ(rate.at(20), 0.1);
  rate.settings.decay = LearningRateDecay::constant;
  EXPECT_DOUBLE_EQ(rate.at(77), 0.4);
  rate.settings.warm_up_steps = 4;
  EXPECT_DOUBLE_EQ(rate.at(0), 0.1);
  EXPECT_DOUBLE_EQ(rate.at(2), 0.3);
  EXPECT_DOUBLE_EQ(rate.at(4), 0.4);
}

TEST(Average, ForgetsTheStartQuicklyAndThenKeepsItsDecay) {
  std::vector<double> average = {1};
  update_average(average, std::vector<double>{0}, 0.9, 1);  // (1+1)/(10+1) < 0.9
  EXPECT_DOUBLE_EQ(average[0], 2.0 / 11);
  average = {1};
  update_average(average, std::vector<double>{0}, 0.9, 1000000);
  EXPECT_DOUBLE_EQ(average[0], 0.9);
  update_average(average, std::vector<double>{0.5}, 0, 3);  // no averaging: the parameters themselves
  EXPECT_DOUBLE_EQ(average[0], 0.5);
}

/// Random numbers in one piece of memory: an array to be read and, behind it at once or far away, one to be written.
struct Arrays {
  std::vector<double> memory;
  std::span<double> read, written;

  Arrays(std::size_t size, std::size_t written_begins) : memory(written_begins + size) {
    read = std::span(memory).first(size);
    written = std::span(memory).subspan(written_begins, size);
    for (std::size_t i = 0; i < size; ++i) {
      read[i] = CounterRng(1, RandomStream::test, 0, i).normal();
      written[i] = CounterRng(2, RandomStream::test, 0, i).normal();
    }
  }
  std::vector<double> result() const { return {written.begin(), written.end()}; }
};

// Compilers make two machine codes of a loop, one for arrays that lie so close that they could overlap, which must not round otherwise.
TEST(Average, DoesNotDependOnWhereItLiesInMemory) {
  for (std::size_t size = 1; size <= 20; ++size) {
    const Arrays near(size, size), apart(size, 1000);
    for (const auto* arrays : {&near, &apart}) update_average(arrays->written, arrays->read, 0.7, 1000);
    EXPECT_EQ(near.result(), apart.result()) << size << " entries";
  }
}

TEST(Optimizers, DoNotDependOnWhereParametersLieInMemory) {
  for (const auto& choice : choices<OptimizerName>) {
    for (int size = 1; size <= 20; ++size) {
      const auto entries = static_cast<std::size_t>(size);
      const Arrays near(entries, entries), apart(entries, 1000);
      for (const auto* arrays : {&near, &apart}) {
        const auto optimizer = make_optimizer({.name = choice.value}, {{"x", size, 1, 0, true}});
        auto state = optimizer->initial_state();
        for (int step = 0; step < 20; ++step) optimizer->update(state, arrays->written, arrays->read, 0.01);
      }
      EXPECT_EQ(near.result(), apart.result()) << choice.name << " of " << size << " parameters";
    }
  }
}

}  // namespace
}  // namespace boltzcurve

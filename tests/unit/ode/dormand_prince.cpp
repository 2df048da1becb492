#include "ode/dormand_prince.hpp"
#include <boltzcurve/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numbers>
#include <support/host_field.hpp>
#include <support/mixture_flow.hpp>

namespace boltzcurve {
namespace {

using test::HostField;

struct Start {
  Points<double> position;
  PointScalars<double> log_density;
};

// Particles first, first + stride, ... of an endless list of standard normal points, with log densities of their own.
Start normal_particles(int count, int dimension, std::uint64_t first = 0, std::uint64_t stride = 1) {
  Start start{Points<double>("test::position", count, dimension), PointScalars<double>("test::log_density", count)};
  const auto x = Kokkos::create_mirror_view(start.position);
  const auto q = Kokkos::create_mirror_view(start.log_density);
  for (int i = 0; i < count; ++i) {
    CounterRng random(7, RandomStream::test, 1, first + stride * static_cast<std::uint64_t>(i));
    for (int d = 0; d < dimension; ++d) x(i, d) = random.normal();
    q(i) = random.normal();
  }
  Kokkos::deep_copy(start.position, x);
  Kokkos::deep_copy(start.log_density, q);
  return start;
}

struct HostResult {
  HostPoints<double> position;
  HostScalars<double> log_density, action, time;
  Kokkos::View<ParticleStatus*, Kokkos::HostSpace> status;
  Kokkos::View<int*, Kokkos::HostSpace> accepted, rejected;
  Kokkos::View<std::int64_t*, Kokkos::HostSpace> evaluations;
  Kokkos::View<double***, Kokkos::LayoutRight, Kokkos::HostSpace> frames;
};

HostResult run(const VelocityField& field, double t_begin, double t_end, const Start& start, const IntegrationOptions& options = {},
               const std::vector<double>& frames = {}) {
  const auto out = integrate(field, t_begin, t_end, start.position, start.log_density, options, frames);
  const Kokkos::HostSpace host;
  using Kokkos::create_mirror_view_and_copy;
  return {create_mirror_view_and_copy(host, out.position),       create_mirror_view_and_copy(host, out.log_density),
          create_mirror_view_and_copy(host, out.action),         create_mirror_view_and_copy(host, out.time),
          create_mirror_view_and_copy(host, out.status),         create_mirror_view_and_copy(host, out.accepted_steps),
          create_mirror_view_and_copy(host, out.rejected_steps), create_mirror_view_and_copy(host, out.evaluations),
          create_mirror_view_and_copy(host, out.frames)};
}

// x' = A x with A made of 2x2 blocks ((r, -w), (w, r)) with r, w of each block's own, and a last 1x1 block r for odd D.
double rate_of(int block) { return 0.3 - 0.2 * block; }
double frequency_of(int block) { return 1.0 + 0.5 * block; }

HostField linear_field(int dimension) {
  return {dimension, [dimension](double, const double* x, double* v) {
            double divergence = 0;
            for (int d = 0; d < dimension; d += 2) {
              const double r = rate_of(d / 2), w = frequency_of(d / 2);
              v[d] = r * x[d];
              divergence += r;
              if (d + 1 == dimension) break;
              v[d] -= w * x[d + 1];
              v[d + 1] = w * x[d] + r * x[d + 1];
              divergence += r;
            }
            return divergence;
          }};
}

// Stretching by e^(r t), rotation by w t; log q falls by the divergence times t; the action is a geometric integral. Both directions.
TEST(DormandPrince, SolvesLinearFieldsExactlyWithinToleranceInDimensionsOneToEightAndBothDirections) {
  for (int dimension = 1; dimension <= 8; ++dimension) {
    for (const double t_end : {1.5, -1.5}) {
      SCOPED_TRACE(testing::Message() << "D = " << dimension << ", t_end = " << t_end);
      const auto start = normal_particles(5, dimension);
      IntegrationOptions options;
      options.relative_tolerance = options.absolute_tolerance = 1e-11;
      const auto out = run(linear_field(dimension), 0, t_end, start, options);
      for (int i = 0; i < 5; ++i) {
        ASSERT_EQ(out.status(i), ParticleStatus::finished);
        double divergence = 0, action = 0;
        for (int d = 0; d < dimension; d += 2) {
          const double r = rate_of(d / 2), w = d + 1 < dimension ? frequency_of(d / 2) : 0, grow = std::exp(r * t_end);
          const double u = start.position(i, d), v = d + 1 < dimension ? start.position(i, d + 1) : 0;
          // Global error: fewer than 100 steps of at most about 1e-11 (1 + |x|) each, grown by at most e^1.4.
          EXPECT_NEAR(out.position(i, d), grow * (std::cos(w * t_end) * u - std::sin(w * t_end) * v), 2e-9);
          if (d + 1 < dimension) {
            EXPECT_NEAR(out.position(i, d + 1), grow * (std::sin(w * t_end) * u + std::cos(w * t_end) * v), 2e-9);
          }
          divergence += d + 1 < dimension ? 2 * r : r;
          action += (r * r + w * w) * (u * u + v * v) * std::fabs(std::expm1(2 * r * t_end) / (2 * r));
        }
        EXPECT_NEAR(out.log_density(i), start.log_density(i) - divergence * t_end, 1e-12);  // a constant is integrated without error
        EXPECT_NEAR(out.action(i), action, 1e-8 * (1 + action));
      }
    }
  }
}

// x' = p t^(p-1) is integrated without error up to the order of the method, and the continuous extension one order less.
TEST(DormandPrince, IntegratesPowersOfTimeExactlyUpToOrderFiveAndFramesUpToOrderFour) {
  for (int power = 1; power <= 6; ++power) {
    const HostField field(1, [power](double t, const double*, double* v) {
      v[0] = power * std::pow(t, power - 1);
      return -v[0];
    });
    IntegrationOptions options;
    options.first_step = options.longest_step = 0.5;
    options.absolute_tolerance = 1e6;
    const Start start{Points<double>("test::position", 1, 1), PointScalars<double>("test::log_density", 1)};
    const auto out = run(field, 1, 2, start, options, {1.1, 1.3, 1.8});
    ASSERT_EQ(out.accepted(0), 2);
    const double wrong = std::fabs(out.position(0, 0) - (std::pow(2.0, power) - 1)),
                 wrong_log = std::fabs(out.log_density(0) - out.position(0, 0));
    EXPECT_LT(wrong_log, 1e-13);  // the same integral by the same weights
    double wrong_frame = 0;
    const double times[] = {1.1, 1.3, 1.8};
    for (int f = 0; f < 3; ++f) wrong_frame = std::max(wrong_frame, std::fabs(out.frames(f, 0, 0) - (std::pow(times[f], power) - 1)));
    // Exact up to rounding, or off by what a step of 1/2 leaves of the first term that is missed.
    EXPECT_EQ(wrong < 1e-13, power <= 5) << power << ": " << wrong;
    EXPECT_EQ(wrong_frame < 1e-13, power <= 4) << power << ": " << wrong_frame;
  }
}

TEST(DormandPrince, StepsOfAGivenLengthAreTakenAndCounted) {
  IntegrationOptions options;
  options.absolute_tolerance = 1e6;
  options.first_step = options.longest_step = 0.1;
  const auto out = run(linear_field(2), 0, 1, normal_particles(3, 2), options);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(out.accepted(i), 10);  // 0.1 added up falls short of 1 by rounding; no eleventh step for that
    EXPECT_EQ(out.rejected(i), 0);
    EXPECT_EQ(out.evaluations(i), 1 + 6 * 10);
  }
}

// v = t^4 has an error estimate that does not depend on x: h times the difference of the published weights of orders 5 and 4.
TEST(DormandPrince, AcceptsAStepWhenTheRootMeanSquareOverCoordinatesAndLogDensityAllowsIt) {
  const double times[] = {0, 1. / 5, 3. / 10, 4. / 5, 8. / 9, 1, 1};
  const double fifth[] = {35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84, 0};
  const double fourth[] = {5179. / 57600, 0, 7571. / 16695, 393. / 640, -92097. / 339200, 187. / 2100, 1. / 40};
  double error = 0;
  for (int s = 0; s < 7; ++s) error += (fifth[s] - fourth[s]) * std::pow(times[s], 4);
  const HostField field(2, [](double t, const double*, double* v) {
    v[0] = std::pow(t, 4);
    v[1] = 0;
    return -2 * std::pow(t, 4);  // the error of log q is twice that of x
  });
  const double norm = std::fabs(error) * std::sqrt((1 + 0 + 4) / 3.);
  const Start start{Points<double>("test::position", 1, 2), PointScalars<double>("test::log_density", 1)};
  IntegrationOptions options;
  options.first_step = 1;
  options.relative_tolerance = 1e-300;
  options.absolute_tolerance = norm * 1.001;
  EXPECT_EQ(run(field, 0, 1, start, options).rejected(0), 0);
  options.absolute_tolerance = norm * 0.999;
  EXPECT_EQ(run(field, 0, 1, start, options).rejected(0), 1);
}

// Steps are read off the times at which the field is asked: the second stage is at t + h/5, the last at t + h.
TEST(DormandPrince, ChangesStepsWithinBoundsAndNeverGrowsThemRightAfterARejection) {
  std::vector<double> times;
  const HostField field(1, [&times](double t, const double*, double* v) {
    times.push_back(t);
    v[0] = t < 0.5 ? 0 : 1e4;
    return 0.0;
  });
  IntegrationOptions options;
  options.relative_tolerance = 1e-12;
  options.first_step = 1e-3;
  const Start start{Points<double>("test::position", 1, 1), PointScalars<double>("test::log_density", 1)};
  const auto out = run(field, 0, 1, start, options);
  ASSERT_EQ(out.status(0), ParticleStatus::finished);
  ASSERT_GT(out.rejected(0), 1);
  struct Attempt {
    double t, h;
  };
  std::vector<Attempt> attempts;
  for (std::size_t k = 1; k + 5 < times.size(); k += 6) {
    const double h = (times[k + 5] - times[k]) / 0.8;
    attempts.push_back({times[k + 5] - h, h});
  }
  ASSERT_EQ(static_cast<int>(attempts.size()), out.accepted(0) + out.rejected(0));
  EXPECT_NEAR(attempts[0].h, 1e-3, 1e-15);
  const double rounding = 1e-5;  // of a step told from two times that may be as close as 1e-10
  int seen = 0, grown = 0, shrunk = 0;
  for (std::size_t k = 0; k + 1 < attempts.size(); ++k) {
    const double ratio = attempts[k + 1].h / attempts[k].h;
    EXPECT_LE(ratio, 10 + rounding);
    EXPECT_GE(ratio, 0.2 - rounding);
    const auto rejected = [&](std::size_t i) { return std::fabs(attempts[i + 1].t - attempts[i].t) < 0.5 * attempts[i].h; };
    if (rejected(k)) {
      EXPECT_LT(ratio, 0.9 + rounding);
      if (ratio < 0.2 + rounding) ++shrunk;
    } else if (k > 0 && rejected(k - 1)) {
      EXPECT_LE(ratio, 1 + rounding);
      ++seen;
    } else if (ratio > 9) {
      ++grown;
    }
  }
  EXPECT_GT(seen, 0);
  EXPECT_GT(grown, 0);
  EXPECT_GT(shrunk, 0);
}

TEST(DormandPrince, CountsEveryEvaluationOfTheField) {
  std::int64_t calls = 0;
  const auto inner = linear_field(3);
  class Counting : public VelocityField {
   public:
    Counting(const VelocityField& field, std::int64_t& points) : field_(field), points_(points) {}
    int dimension() const override { return field_.dimension(); }
    void evaluate(PointScalars<const double> t, Points<const double> x, Points<double> v, PointScalars<double> div) const override {
      points_ += static_cast<std::int64_t>(x.extent(0));
      field_.evaluate(t, x, v, div);
    }

   private:
    const VelocityField& field_;
    std::int64_t& points_;
  } const field(inner, calls);
  IntegrationOptions options;
  options.block = 7;
  const auto out = run(field, 0, 3, normal_particles(50, 3), options);
  std::int64_t counted = 0;
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(out.evaluations(i), 2 + 6 * (out.accepted(i) + out.rejected(i)));
    counted += out.evaluations(i);
  }
  EXPECT_EQ(counted, calls);
}

TEST(DormandPrince, FollowsEachParticleAloneToTheLastBit) {
  const auto flow = test::correlated_flow(3);
  const test::MixtureVelocity field(flow);
  const int count = 1000;
  IntegrationOptions options;
  options.relative_tolerance = options.absolute_tolerance = 1e-4;
  options.block = 1024;
  const std::vector<double> frames = {3, 1.7, 0.9, 0};
  const auto all = run(field, 3, 0, normal_particles(count, 3), options, frames);

  const auto expect_same = [&](const HostResult& other, int i, int original) {
    for (int d = 0; d < 3; ++d) {
      EXPECT_EQ(other.position(i, d), all.position(original, d)) << original;
      for (int f = 0; f < 4; ++f) EXPECT_EQ(other.frames(f, i, d), all.frames(f, original, d)) << original;
    }
    EXPECT_EQ(other.log_density(i), all.log_density(original)) << original;
    EXPECT_EQ(other.action(i), all.action(original)) << original;
    EXPECT_EQ(other.evaluations(i), all.evaluations(original)) << original;
  };
  // Not all alike, or sharing steps would go unnoticed.
  auto least = all.evaluations(0), most = all.evaluations(0);
  for (int i = 0; i < count; ++i) least = std::min(least, all.evaluations(i)), most = std::max(most, all.evaluations(i));
  EXPECT_GE(most - least, 24);

  // Alone,
  for (const int i : {0, 1, 6, 517, 999})
    expect_same(run(field, 3, 0, normal_particles(1, 3, static_cast<std::uint64_t>(i)), options, frames), 0, i);
  // in another order (7 and 1000 have no common factor, so all are there) and in small blocks.
  Start permuted = normal_particles(count, 3);
  const auto sorted = normal_particles(count, 3);
  for (int i = 0; i < count; ++i) {
    for (int d = 0; d < 3; ++d) permuted.position(i, d) = sorted.position(7 * i % count, d);
    permuted.log_density(i) = sorted.log_density(7 * i % count);
  }
  for (const int block : {1, 13, 300}) {
    options.block = block;
    const auto out = run(field, 3, 0, permuted, options, frames);
    for (int i = 0; i < count; ++i) expect_same(out, i, 7 * i % count);
  }
}

TEST(DormandPrince, FramesFollowTheExactPathInOrderWithoutChangingIt) {
  const auto start = normal_particles(40, 2);
  IntegrationOptions options;
  options.relative_tolerance = options.absolute_tolerance = 1e-9;
  options.block = 16;
  const std::vector<double> times = {2, 2, 1.99, 1.5, 1.4999, 0.7, 0.1, 0.1, 0};
  const auto with = run(linear_field(2), 2, 0, start, options, times), without = run(linear_field(2), 2, 0, start, options);
  for (int i = 0; i < 40; ++i) {
    for (int d = 0; d < 2; ++d) {
      EXPECT_EQ(with.position(i, d), without.position(i, d));
      EXPECT_EQ(with.frames(0, i, d), start.position(i, d));
      EXPECT_EQ(with.frames(1, i, d), start.position(i, d));
      EXPECT_EQ(with.frames(8, i, d), with.position(i, d));
    }
    EXPECT_EQ(with.evaluations(i), without.evaluations(i));
    for (std::size_t f = 0; f < times.size(); ++f) {
      const double t = times[f] - 2, grow = std::exp(rate_of(0) * t), c = std::cos(frequency_of(0) * t), s = std::sin(frequency_of(0) * t);
      // The extension's own error is of the order of the tolerance times a modest factor (it is one order lower, over steps of about 0.1).
      EXPECT_NEAR(with.frames(f, i, 0), grow * (c * start.position(i, 0) - s * start.position(i, 1)), 3e-7);
      EXPECT_NEAR(with.frames(f, i, 1), grow * (s * start.position(i, 0) + c * start.position(i, 1)), 3e-7);
    }
  }
}

// One field in which the particle's place decides its fate; the good ones among them must not notice.
TEST(DormandPrince, ReportsEachKindOfFailureAndLeavesTheOthersAlone) {
  const HostField field(1, [](double t, const double* x, double* v) {
    const double place = x[0];
    v[0] = place < 0     ? std::sqrt(-1.0 - place)         // -0.5: NaN at once
           : place < 10  ? 1.0                             // 1: fine, ends at 2
           : place < 1e6 ? 100.0                           // 11: fine, ends at 111
           : place < 2e6 ? (t < 0.5 ? 0.0 : std::nan(""))  // 1.5e6: a wall of NaN at t = 1/2
           : place < 3e6 ? 1e5 * std::cos(1e5 * t)         // 2.5e6: too many oscillations to follow
                         : (t < 0.5 ? 0.0 : 1e15);         // 3.5e6: a cliff, too high for any step that time can resolve
    return 0.0;
  });
  const double places[] = {-0.5, 1, 11, 1.5e6, 2.5e6, 3.5e6, 1};
  Start start{Points<double>("test::position", 7, 1), PointScalars<double>("test::log_density", 7)};
  for (int i = 0; i < 7; ++i) start.position(i, 0) = places[i];
  IntegrationOptions options;
  options.relative_tolerance = 1e-14;
  options.max_steps = 3000;
  options.domain = Domain{{-100}, {1e7}};
  auto out = run(field, 0, 1, start, options, {0, 0.25, 1});
  EXPECT_EQ(out.status(0), ParticleStatus::nonfinite);
  EXPECT_EQ(out.status(1), ParticleStatus::finished);
  EXPECT_EQ(out.status(2), ParticleStatus::finished);
  EXPECT_EQ(out.status(3), ParticleStatus::nonfinite);
  EXPECT_EQ(out.status(4), ParticleStatus::max_steps);
  EXPECT_EQ(out.accepted(4) + out.rejected(4), 3000);
  EXPECT_EQ(out.status(5), ParticleStatus::step_underflow);
  EXPECT_EQ(out.status(6), ParticleStatus::finished);
  // They say when: at once, at the wall, on the way, and at the end.
  EXPECT_EQ(out.time(0), 0);
  EXPECT_NEAR(out.time(3), 0.5, 1e-8);
  EXPECT_TRUE(out.time(4) > 0 && out.time(4) < 1);
  EXPECT_NEAR(out.time(5), 0.5, 1e-8);
  for (const int i : {1, 2, 6}) EXPECT_EQ(out.time(i), 1);
  EXPECT_NEAR(out.position(1, 0), 2, 1e-14);
  EXPECT_NEAR(out.position(2, 0), 111, 1e-12);
  EXPECT_EQ(out.position(6, 0), out.position(1, 0));
  // A failed particle stays where it was last in order, in the frames too.
  EXPECT_EQ(out.position(0, 0), -0.5);
  EXPECT_EQ(out.accepted(0), 0);
  EXPECT_EQ(out.position(3, 0), 1.5e6);
  for (int f = 0; f < 3; ++f) {
    EXPECT_EQ(out.frames(f, 0, 0), -0.5);
    EXPECT_EQ(out.frames(f, 3, 0), 1.5e6);
  }
  EXPECT_STREQ(name_of(out.status(5)), "step_underflow");

  options.domain = Domain{{-100}, {10.5}};
  Start inside{Points<double>("test::position", 2, 1), PointScalars<double>("test::log_density", 2)};
  inside.position(0, 0) = 9.2;
  inside.position(1, 0) = -99.2;
  inside.log_density(0) = -3;
  const HostField steady(1, [](double, const double* x, double* v) {
    v[0] = std::copysign(2.0, x[0]);
    return 0.5;
  });
  options.longest_step = 0.25;
  out = run(steady, 0, 1, inside, options);
  EXPECT_EQ(out.status(0), ParticleStatus::escaped);
  EXPECT_EQ(out.status(1), ParticleStatus::escaped);
  EXPECT_LT(out.position(1, 0), -100);
  EXPECT_GT(out.position(0, 0), 10.5);
  EXPECT_LE(out.position(0, 0), 10.5 + 2 * 0.2525);  // the step that left was its last
  EXPECT_NEAR(9.2 + 2 * out.time(0), out.position(0, 0), 1e-14);
  EXPECT_NEAR(out.log_density(0), -3 - 0.5 * (out.position(0, 0) - 9.2) / 2, 1e-14);
}

TEST(DormandPrince, StartsThatAreNotFiniteFailWithoutASingleStep) {
  auto start = normal_particles(3, 2);
  start.position(0, 1) = std::nan("");
  start.log_density(1) = std::numeric_limits<double>::infinity();
  const auto out = run(linear_field(2), 0, 1, start);
  EXPECT_EQ(out.status(0), ParticleStatus::nonfinite);
  EXPECT_EQ(out.status(1), ParticleStatus::nonfinite);
  EXPECT_EQ(out.status(2), ParticleStatus::finished);
  EXPECT_EQ(out.accepted(0) + out.rejected(0), 0);
}

TEST(DormandPrince, NeverAsksTheFieldOutsideTheInterval) {
  const HostField field(1, [](double t, const double* x, double* v) {
    EXPECT_GE(t, 0);
    EXPECT_LE(t, 1e-3);
    v[0] = -x[0];
    return -1.0;
  });
  const auto out = run(field, 1e-3, 0, normal_particles(10, 1));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(out.status(i), ParticleStatus::finished);
}

TEST(DormandPrince, AnEmptyIntervalOrNoParticlesReturnWhatCameIn) {
  const auto start = normal_particles(4, 2);
  const auto out = run(linear_field(2), 1, 1, start, {}, {1});
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(out.position(i, 1), start.position(i, 1));
    EXPECT_EQ(out.frames(0, i, 1), start.position(i, 1));
    EXPECT_EQ(out.log_density(i), start.log_density(i));
    EXPECT_EQ(out.evaluations(i), 0);
  }
  EXPECT_EQ(run(linear_field(2), 0, 1, normal_particles(0, 2), {}, {0.5}).frames.extent(1), 0u);
}

TEST(DormandPrince, RefusesOptionsOutOfRangeByName) {
  const auto refuses = [](IntegrationOptions options, const std::vector<double>& frames, const std::string& text) {
    EXPECT_THAT([&] { run(linear_field(2), 0, 1, normal_particles(1, 2), options, frames); },
                testing::ThrowsMessage<ConfigError>(testing::HasSubstr(text)));
  };
  IntegrationOptions options;
  options.relative_tolerance = 0;
  refuses(options, {}, "relative-tolerance = 0: must be above 0");
  options = {};
  options.absolute_tolerance = -1;
  refuses(options, {}, "absolute-tolerance = -1: must be above 0");
  options = {};
  options.max_steps = 0;
  refuses(options, {}, "maximum number of integrator steps = 0: must be at least 1");
  options = {};
  options.domain = Domain{{0}, {1}};
  refuses(options, {}, "domain with 1 lower and 1 upper bounds: a field in 2 dimensions needs as many of each");
  refuses({}, {0.5, 0.4}, "frame time 0.4: frame times must go from 0 to 1 without turning back");
  refuses({}, {1.5}, "frame time 1.5");
}

}  // namespace
}  // namespace boltzcurve

// Sampling along the exact flow of a mixture of Gaussians, from the exact latent density.
#include <boltzcurve/registry.hpp>
#include <boltzcurve/sampling.hpp>
#include "energy/gaussian_mixture.hpp"
#include "ode/velocity_field.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <set>
#include <support/mixture_flow.hpp>
#include <vector>

namespace boltzcurve {
namespace {

constexpr double horizon = 8;  // rho_T is N(0, I) to e^-8 of the means

/// Weights of two round modes at (-2, 0.5) and (1.5, -1).
struct TwoModes {
  test::MixtureFlow flow = test::MixtureFlow::of_round_components({{0.3, {-2, 0.5}, 0.6}, {0.7, {1.5, -1}, 0.9}});
  std::unique_ptr<Energy> target = make_gaussian_mixture({{0.3, {-2, 0.5}, {0.36}}, {0.7, {1.5, -1}, {0.81}}});
  std::unique_ptr<Energy> latent = find_latent("gaussian").make(Parameters("gaussian", find_latent("gaussian").parameters, {}), 2);

  Sampler sampler(SamplingSettings settings = {}) const {
    settings.relative_tolerance = settings.absolute_tolerance = 1e-6;
    return {
        Communicator(MPI_COMM_SELF), {std::make_shared<test::MixtureVelocity>(flow), *target, *latent, horizon, 0, {}, {}}, settings, 3};
  }
};

TEST(Sampler, GivesParticlesOfTheTargetWithWeightsOfItsPartitionFunction) {
  const TwoModes problem;
  const auto particles = problem.sampler().draw(300);
  ASSERT_EQ(particles.size(), 300u);
  const double log_z = problem.target->log_z().value();
  for (std::size_t i = 0; i < 300; ++i) {
    ASSERT_TRUE(particles.finished(i));
    // Exact transport keeps rho/q, which is rho_T/N(0, I) at the start: 1 but for what is left of the means there, |x| e^-8 |mu|.
    EXPECT_NEAR(particles.log_weight[i], log_z, 0.01);
    EXPECT_EQ(particles.log_weight[i], -particles.energy[i] - particles.log_density[i]);
    EXPECT_EQ(particles.energy[i], energies_of(*problem.target, particles.x(i))[0]);
    EXPECT_EQ(particles.time[i], 0);
    EXPECT_GT(particles.evaluations[i], 0);
  }
}

TEST(Sampler, LogDensityOfItsOwnParticlesIsTheOneTheyHave) {
  const TwoModes problem;
  const auto sampler = problem.sampler();
  const auto particles = sampler.draw(50);
  const auto log_density = sampler.log_density(particles.position);
  // There and back again, each within the tolerance of 1e-6 a step.
  for (std::size_t i = 0; i < 50; ++i) EXPECT_NEAR(log_density[i], particles.log_density[i], 1e-3);
}

TEST(Sampler, FramesGoFromTheLatentDensityToTheParticles) {
  const TwoModes problem;
  SamplingSettings settings;
  settings.frames = 3;
  const auto particles = problem.sampler(settings).draw(100);
  EXPECT_THAT(particles.frame_times, testing::ElementsAre(horizon, horizon / 4, 0));
  EXPECT_EQ(particles.frames.back(), particles.position);
  HostPoints<double> start("test::start", 100, 2);
  problem.latent->draw(3, 0, start);
  for (std::size_t i = 0; i < 100; ++i)
    for (std::size_t d = 0; d < 2; ++d) EXPECT_EQ(particles.frames.front()[2 * i + d], start(i, d));
}

/// Has the particles of some granules already, and asks to stop after a number of batches.
class Keeper final : public SamplingObserver {
 public:
  Keeper(const Particles& kept, std::set<std::int64_t> granules, int allowed)
      : kept_(kept), granules_(std::move(granules)), left_(allowed) {}

  bool restore(const Shard& granule, Particles& particles) override {
    if (!granules_.contains(granule.first / particle_granule)) return false;
    from_bytes(to_bytes(kept_, granule), granule, particles);
    return true;
  }
  void begin(const Particles& /*particles*/, std::int64_t finished) override { restored = finished; }
  void drawn(const Shard& batch, const Particles& /*particles*/, std::int64_t /*finished*/) override {
    batches.push_back(batch.first);
    --left_;
  }
  Stop interruption() override { return left_ > 0 ? Stop::no : Stop::file; }

  std::int64_t restored = 0;
  std::vector<std::int64_t> batches;  ///< first particle of each

 private:
  const Particles& kept_;
  std::set<std::int64_t> granules_;
  int left_;
};

// 300 particles are granules of 64, 64, 64, 64 and 44; batches of one granule each to begin with.
TEST(Sampler, GoesOnFromFinishedParticlesToTheSameBits) {
  const TwoModes problem;
  SamplingSettings settings;
  settings.block = 64;
  const auto sampler = problem.sampler(settings);
  const auto whole = sampler.draw(300);
  auto marked = whole;
  marked.action.assign(300, -1);  // tells restored particles from drawn ones
  Keeper keeper(marked, {1, 4}, 1000);
  const auto drawn = sampler.draw(300, keeper);
  EXPECT_EQ(keeper.restored, 64 + 44);
  EXPECT_EQ(keeper.batches.front(), 0);
  EXPECT_EQ(drawn.finished, 300);
  EXPECT_EQ(drawn.interruption, Stop::no);
  EXPECT_EQ(drawn.particles.position, whole.position);
  EXPECT_EQ(drawn.particles.log_weight, whole.log_weight);
  for (std::size_t i = 0; i < 300; ++i)
    EXPECT_EQ(drawn.particles.action[i], i / 64 == 1 || i / 64 == 4 ? -1 : whole.action[i]) << "particle " << i;
}

TEST(Sampler, EndsEarlyWhereItsObserverAsks) {
  const TwoModes problem;
  SamplingSettings settings;
  settings.block = 64;
  Keeper keeper({}, {}, 2);
  const auto drawn = problem.sampler(settings).draw(100'000, keeper);
  EXPECT_EQ(drawn.interruption, Stop::file);
  EXPECT_GE(drawn.finished, 128);
  EXPECT_LT(drawn.finished, 100'000);
}

/// An energy that is no number in the half plane x_1 > 0.
class HalfPlane final : public Energy {
 public:
  int dimension() const override { return 2; }
  Domain domain() const override { return {{-10, -10}, {10, 10}}; }
  void evaluate(Points<const float> /*x*/, Points<float> /*out*/, Wanted /*wanted*/) const override {
    FAIL() << "weights are computed in double";
  }
  void evaluate(Points<const double> x, Points<double> out, Wanted /*wanted*/) const override {
    const auto points = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), x);
    const auto values = Kokkos::create_mirror_view(out);
    for (std::size_t i = 0; i < points.extent(0); ++i) values(i, 0) = points(i, 0) > 0 ? std::nan("") : 0;
    Kokkos::deep_copy(out, values);
  }
};

TEST(Sampler, MarksParticlesWhoseEnergyIsNoNumberAsFailed) {
  const TwoModes problem;
  const HalfPlane target;
  const Sampler sampler(Communicator(MPI_COMM_SELF),
                        {std::make_shared<test::MixtureVelocity>(problem.flow), target, *problem.latent, horizon, 0, {}, {}}, {}, 3);
  const auto particles = sampler.draw(100);
  int failed = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(particles.status[i], particles.x(i)[0] > 0 ? ParticleStatus::nonfinite : ParticleStatus::finished);
    failed += !particles.finished(i);
    EXPECT_EQ(std::isfinite(particles.log_weight[i]), particles.finished(i));
  }
  EXPECT_GT(failed, 10);
  EXPECT_LT(failed, 90);
}

// Untrained networks give no flow to speak of, but a particle follows from them all the same.
TEST(Sampler, TakesParametersAndSeedOfAModel) {
  const Communicator self(MPI_COMM_SELF);
  ModelSettings settings;
  settings.target_name = "gaussian-mixture";
  settings.target_values = {{"mode", {"1 | 1 -1 | 0.5"}}};
  settings.network.width = 16;
  settings.collocation.points = 256;
  settings.pilot.particles = 256;
  settings.seed = 5;
  const Model model = build_model(self, settings);
  const auto particles = Sampler(self, model, {}).draw(64);
  EXPECT_EQ(particles.position, Sampler(self, flow_of(model, model.parameters), {}, 5).draw(64).position);
  EXPECT_NE(particles.position, Sampler(self, flow_of(model, model.parameters), {}, 6).draw(64).position);
  // In the target's own coordinates, but for the rounding of the way there.
  const auto energy = energies_of(*model.target, particles.position);
  for (std::size_t i = 0; i < energy.size(); ++i) EXPECT_NEAR(particles.energy[i], energy[i], 1e-12 * (1 + std::fabs(energy[i])));
}

}  // namespace
}  // namespace boltzcurve

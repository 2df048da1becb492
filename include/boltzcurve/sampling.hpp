#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/model.hpp>
#include <boltzcurve/particles.hpp>
#include <boltzcurve/sampling_settings.hpp>
#include <boltzcurve/scale_map.hpp>
#include <boltzcurve/stop.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace boltzcurve {

class VelocityField;
class PathDensity;

/// What carries particles: a velocity field between the ends of a curve, in coordinates of its own.
struct Flow {
  std::shared_ptr<const VelocityField> velocity;  ///< null: nothing carries them
  const Energy& target;                           ///< in the coordinates of the velocity; both energies must outlive all that uses the flow
  const Energy& latent;
  double latent_time = 0, target_time = 1;
  ScaleMap coordinates;          ///< from those of the velocity and the energies to those in which particles and points are given
  std::optional<Domain> domain;  ///< that particles must not leave, in the coordinates of the velocity
  std::shared_ptr<const PathDensity> density{};  ///< along the velocity, where known: what legs and moves need
};

/// The flow of a model's curve whose networks have the given parameters. The model must outlive all that uses the flow.
Flow flow_of(const Model& model, std::span<const double> parameters);

/// No flow at all, only a law to start from: the normal laws fitted to the pilot's population, somewhat wider, from which legs of no length
/// lead to the target. Throws ConfigError for a model without a population. The model must outlive all that uses it.
Flow start_of(const Model& model);

/// That of these which is meant.
Flow flow_of(const Model& model, std::span<const double> parameters, SamplingMethod method);

/// A density between the legs of a flow, or between its end and the target, and the HMC moves there.
struct SamplingStage {
  double time = 0, blend = 0;       ///< of exp(-(1-b) f_t - b f_D)
  double step = 0;                  ///< of a leapfrog, in units of the metric
  int leaps = 1;                    ///< of a move
  std::vector<double> metric = {};  ///< its factor L [D][D], lower triangle
};

/// What a dry run has decided: no stages where the flow alone is left as it is.
struct SamplingPlan {
  int legs = 1;                         ///< 0: no flow
  std::optional<double> flow_ess = {};  ///< of the flow alone, by few particles; none: not asked
  std::vector<SamplingStage> stages = {};
};

/// Evaluations of the target, of its value alone and with its gradient, that drawing takes along curves that do not read it.
struct SamplingWork {
  std::int64_t target_values = 0, target_gradients = 0;
};
/// Of `particles` by a plan, without the dry run.
SamplingWork work_of(const SamplingPlan& plan, const SamplingSettings& settings, std::int64_t particles);

/// What goes along while particles are drawn. Every member does nothing by default. `particles` are all of this rank's.
class SamplingObserver {
 public:
  virtual ~SamplingObserver() = default;

  /// Puts the particles `granule`, whose borders are multiples of particle_granule, in their places and returns true where they have been
  /// drawn before: then they are not drawn again. Asked for each granule of this rank before the first batch.
  virtual bool restore(const Shard& granule, Particles& particles);
  /// Before the first batch: `finished` of this rank's particles are restored. Collective.
  virtual void begin(const Particles& particles, std::int64_t finished);
  /// After every batch that this rank has drawn, which begins at a border of granules. Not collective.
  virtual void drawn(const Shard& batch, const Particles& particles, std::int64_t finished);
  /// A reason that this rank sees to end the drawing early. Not collective.
  virtual Stop interruption();
};

/// Draws particles of a continuous normalizing flow: from the latent density, along the velocity to the target, with their log density by
/// the instantaneous change of variables and their importance weight. A particle is a function of seed and global index: the same bits on
/// any number of ranks, in any batches.
class Sampler {
 public:
  /// With the model's parameters and seed. The model must outlive the sampler.
  Sampler(const Communicator& ranks, const Model& model, const SamplingSettings& settings);
  /// Along any flow. Throws ConfigError for settings that do not fit it.
  Sampler(const Communicator& ranks, Flow flow, const SamplingSettings& settings, std::uint64_t seed);

  /// This rank's part, shard_of(particles, particle_granule, ...), of `particles` on all ranks. Throws ConfigError on settings out of
  /// range. Costs `evaluations` calls of the velocity a particle. Collective.
  Particles draw(std::int64_t particles) const;

  /// Whether there is a flow to carry points back along.
  bool carries() const { return flow_.velocity != nullptr; }

  struct Drawn {
    Particles particles;           ///< where it was interrupted, those that are neither restored nor drawn hold zeros
    std::int64_t finished = 0;     ///< of this rank's
    Stop interruption = Stop::no;  ///< why it ended early, the last reason of all ranks by that list
    SamplingPlan plan{};
  };
  /// The same in batches of a fraction of a second, with an observer.
  Drawn draw(std::int64_t particles, SamplingObserver& observer) const;

  /// log q(x) [n] that the flow gives to each of this rank's `points` [n][D], row after row: carried from the target to the latent density,
  /// which is known. NaN where a point does not get there. Not collective.
  std::vector<double> log_density(std::vector<double> points) const;

 private:
  Drawn draw(std::int64_t particles, SamplingObserver& observer, std::int64_t first_batch) const;
  SamplingPlan make_plan() const;
  void draw_batch(const Shard& batch, Drawn& drawn) const;

  Communicator ranks_;
  Flow flow_;
  SamplingSettings settings_;
  std::uint64_t seed_;
};

/// When frames are taken, from the latent end on [settings.frames].
std::vector<double> frame_times(const SamplingSettings& settings, double latent_time, double target_time);

/// f(x) [n] of `points` [n][D], evaluated in double. Not collective.
std::vector<double> energies_of(const Energy& energy, std::span<const double> points);

/// Fills the column energy, where the particles of a file have none, from their positions. Not collective.
void evaluate_energies(const Energy& target, Particles& particles);

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/model.hpp>
#include <boltzcurve/reduction.hpp>
#include <boltzcurve/stop.hpp>
#include <boltzcurve/training_settings.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace boltzcurve {

class BatchLoss;
class Trainer;
struct TrainingState;

/// How a curve is trained; where, and with which normalizer, is the model's.
struct TrainerSettings {
  TrainingSettings training;
  OptimizerSettings optimizer;
  Reduction reduction = Reduction::reproducible;
};

/// The steps since the row of the log before.
struct TrainingRow {
  std::int64_t step = 0;  ///< steps done
  double loss = 0;        ///< mean over those that had one [squared unit of the residual], else NaN
  double gradient_norm = 0, learning_rate = 0;
  double points_per_second = 0, seconds = 0;
  std::int64_t skipped_steps = 0, left_out_points = 0;  ///< of all steps so far
};

/// Whoever looks on while a Trainer works. Every function does nothing by default and is called on every rank, in the order in which
/// observers were added.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;

  virtual void begin(Trainer& trainer) { (void)trainer; }
  virtual void after_step(Trainer& trainer) { (void)trainer; }
  /// Every log_every steps and after the last; also where training is interrupted in between.
  virtual void row(Trainer& trainer, const TrainingRow& row) { (void)trainer, (void)row; }
  /// A state to be kept, complete on rank 0; `ends`: why training ends with it, if it does.
  enum class Occasion { due, end };
  virtual void keep(Trainer& trainer, const TrainingState& state, Occasion occasion, Stop ends) {
    (void)trainer, (void)state, (void)occasion, (void)ends;
  }
  /// Points were left out, where the target's energy is not finite: said once.
  virtual void warn(Trainer& trainer, const std::string& text) { (void)trainer, (void)text; }
};

/// What may be done where points of an earlier state do not fit: they are of another number, or of another target.
enum class UnfitPoints { refuse, begin_anew };

/// Learns a model's curve: minimizes the mean loss of the residual over collocation points that all ranks share (Chemseddine et al., arXiv
/// 2410.03282, section 4; Mate and Fleuret, arXiv 2301.07388, for the linear and the learned curve). The same settings and seed give the
/// same bits on any number of ranks.
///
///     Trainer trainer(world, model, settings);
///     trainer.observe(observer);
///     trainer.run();                              // from here on model.parameters are the running mean of the trained ones
class Trainer {
 public:
  /// Begins with the model's parameters. The model must outlive the trainer. Collective, as is all that changes it.
  Trainer(const Communicator& world, Model& model, const TrainerSettings& settings);
  /// Goes on from a state, to the same bits as if it had never been left. Throws InputError where it is of other points.
  Trainer(const Communicator& world, Model& model, const TrainerSettings& settings, const TrainingState& from,
          UnfitPoints unfit = UnfitPoints::refuse);
  Trainer(Trainer&&) noexcept;
  ~Trainer();

  /// The observer must outlive the trainer.
  void observe(TrainingObserver& observer);

  /// Steps until all are done, or until `at_border`, which is asked after every step and must answer the same on all ranks, says to stop:
  /// by default when max_seconds are over. Returns why training was interrupted, if it was. Throws NumericalError where too many steps in a
  /// row had no finite loss.
  Stop run(const std::function<StepDecision()>& at_border = {});

  /// Points, loss, reduction over ranks, update, average. Costs `collocation.points` evaluations of the target's energy, gradient and
  /// Laplacian over all ranks.
  void one_step();

  /// The state with all that it takes to go on from it, which counts as one more checkpoint: chains and trajectories are on rank 0.
  /// Collective.
  TrainingState snapshot();

  const Communicator& world() const;
  const Model& model() const;
  const TrainerSettings& settings() const;
  std::int64_t steps_done() const;
  /// Mean loss of the present window of the log, or, where it has none, of the one before.
  double recent_loss() const;
  /// The time that is left of max_seconds, the earlier parts of a training that goes on counted.
  double seconds_left() const;
  /// Whether run() will make steps.
  bool has_steps_left() const;
  bool row_is_due() const;
  /// As it stands after the last step; its `loss` as of the last snapshot.
  const TrainingState& state() const;
  BatchLoss& loss();

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace boltzcurve

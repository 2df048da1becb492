#pragma once

#include "core/stop.hpp"
#include "model/model.hpp"
#include "training/batch_loss.hpp"
#include "training/optimizer.hpp"
#include "training/training_state.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace boltzcurve {

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

class Trainer;

/// Whoever looks on while a Trainer works. Every function is called on every rank, in the order in which observers were added.
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
  /// Once for each kind: gradients that explode, points that were left out.
  virtual void warn(Trainer& trainer, const std::string& text) { (void)trainer, (void)text; }
};

/// What may be done where points of an earlier state do not fit: they are of another number, or of another target.
enum class UnfitPoints { refuse, begin_anew };

/// Learns a model's curve: minimizes the mean loss of the residual over collocation points that all ranks share (method.md sections 2-4;
/// Chemseddine et al., arXiv 2410.03282). The same settings and seed give the same bits on any number of ranks.
///
///     Trainer trainer(world, model, settings);
///     trainer.observe(progress);
///     trainer.run();                              // model.parameters are the running mean of the parameters from here on
class Trainer {
 public:
  /// Begins with the model's parameters. The model must outlive the trainer. Collective, as is all that changes it.
  Trainer(const Communicator& world, Model& model, const TrainerSettings& settings);

  /// Goes on from a state, to the same bits as if it had never been left. Throws InputError where it is of other points.
  Trainer(const Communicator& world, Model& model, const TrainerSettings& settings, TrainingState from,
          UnfitPoints unfit = UnfitPoints::refuse);

  /// The observer must outlive the trainer.
  void observe(TrainingObserver& observer) { observers_.push_back(&observer); }

  /// Steps until all are done, or until `at_border`, which is asked after every step and must answer the same on all ranks, says to stop:
  /// by default when max_seconds are over. Returns why training was interrupted, if it was. Throws NumericalError where too many steps in a
  /// row had no finite loss.
  Stop run(const std::function<StepDecision()>& at_border = {});

  /// Points, loss, reduction over ranks, update, average.
  void one_step();

  /// The state with all that it takes to go on from it, which counts as one more checkpoint: chains and trajectories are on rank 0.
  /// Collective.
  TrainingState snapshot();

  const Communicator& world() const { return world_; }
  const Model& model() const { return model_; }
  const TrainerSettings& settings() const { return settings_; }
  /// As it stands after the last step; its `loss` as of the last snapshot.
  const TrainingState& state() const { return state_; }
  const Optimizer& optimizer() const { return *optimizer_; }
  BatchLoss& loss() { return *loss_; }
  /// Mean loss of the present window of the log, or, where it has none, of the one before.
  double recent_loss() const { return state_.window.losses > 0 ? state_.window.mean_loss() : last_loss_; }
  /// Whether run() will make steps.
  bool has_steps_left() const { return state_.step < settings_.training.steps && !time_is_up(); }
  bool row_is_due() const { return window_is_full() || state_.step == settings_.training.steps; }
  /// The time that is left of max_seconds, the earlier parts of a training that goes on counted.
  double seconds_left() const { return settings_.training.max_seconds - state_.seconds; }

 private:
  bool window_is_full() const { return state_.step % settings_.training.log_every == 0; }
  bool time_is_up() const { return settings_.training.max_seconds > 0 && seconds_left() <= 0; }
  StepDecision time_decision() const;
  void log_row();
  void keep(TrainingObserver::Occasion occasion, Stop ends);
  void count_left_out();
  void warn(const std::string& text);
  [[noreturn]] void give_up();

  Communicator world_;
  Model& model_;
  TrainerSettings settings_;
  std::unique_ptr<Optimizer> optimizer_;
  TrainingState state_;
  std::unique_ptr<BatchLoss> loss_;
  LearningRate rate_;
  std::vector<TrainingObserver*> observers_;
  bool left_out_is_known_ = false;
  std::int64_t last_tried_;
  double last_loss_, began_ = 0, seconds_before_ = 0;
};

}  // namespace boltzcurve

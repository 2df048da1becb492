// An observer of one's own: it prints each row of the log, and ends training when the loss has fallen to a hundredth.
#include <boltzcurve/boltzcurve.hpp>

#include <cstdio>

using namespace boltzcurve;

class Watch final : public TrainingObserver {
 public:
  void row(Trainer& trainer, const TrainingRow& row) override {
    if (first_loss == 0) first_loss = row.loss;
    last_loss = row.loss;
    if (trainer.world().is_root()) std::printf("step %lld: loss %.4f\n", static_cast<long long>(row.step), row.loss);
  }
  /// Losses are the same on all ranks, so all say the same.
  bool is_content() const { return last_loss < 0.01 * first_loss; }

 private:
  double first_loss = 0, last_loss = 0;
};

int main(int argc, char* argv[]) {
  const MpiSession mpi(argc, argv);
  const KokkosSession kokkos(argc, argv);
  ModelSettings settings;
  settings.target_name = "gaussian-mixture";
  settings.target_values = {{"preset", {"two"}}};
  settings.curve.form = CurveForm::contracted;  // trained by a residual that can vanish; matching has noise that stays
  Model model = build_model(mpi.world(), settings);

  TrainerSettings how;
  how.training.steps = 2000;
  how.training.log_every = 20;
  Trainer trainer(mpi.world(), model, how);
  Watch watch;
  trainer.observe(watch);
  trainer.run([&] { return StepDecision{watch.is_content() ? Stop::time_limit : Stop::no}; });
  if (mpi.world().is_root()) std::printf("ended after %lld steps\n", static_cast<long long>(trainer.steps_done()));
  return watch.is_content() && trainer.steps_done() < how.training.steps ? 0 : 1;
}

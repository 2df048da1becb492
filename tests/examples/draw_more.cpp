// A checkpoint is written, read again, trained on, and particles are drawn from it into an H5MD file.
#include <boltzcurve/boltzcurve.hpp>

#include <cstdio>

using namespace boltzcurve;

int main(int argc, char* argv[]) {
  const MpiSession mpi(argc, argv);
  const KokkosSession kokkos(argc, argv);
  ModelSettings settings;
  settings.target_name = "gaussian-mixture";
  settings.target_values = {{"preset", {"two"}}};
  TrainerSettings how;
  how.training.steps = 100;
  {
    Model model = build_model(mpi.world(), settings);
    Trainer trainer(mpi.world(), model, how);
    trainer.run();
    write_checkpoint("example.checkpoint.h5", trainer);
  }

  Model model = read_model(mpi.world(), settings, "example.checkpoint.h5");
  how.training.steps = 300;
  Trainer trainer = resume_training(mpi.world(), model, how, "example.checkpoint.h5");
  const auto resumed_at = trainer.steps_done();
  trainer.run();

  SamplingSettings sampling;
  sampling.frames = 5;
  const Particles particles = Sampler(mpi.world(), model, sampling).draw(2000);
  write_particles(mpi.world(), "example.samples.h5md", particles);
  const Particles read = read_particles("example.samples.h5md", particles.shard);
  const Evaluation found = evaluate(mpi.world(), model, read);
  if (mpi.world().is_root())
    std::printf("resumed at step %lld; %lld particles, ESS %.3f\n", static_cast<long long>(resumed_at),
                static_cast<long long>(found.particles), found.ess);
  return resumed_at == 100 && read.position == particles.position && found.ess > 0.9 ? 0 : 1;
}

#include <boltzcurve/files.hpp>
#include "io/provenance.hpp"
#include "io/samples_file.hpp"
#include "io/target_identity.hpp"
#include "io/training_checkpoint.hpp"
#include "network/networks.hpp"
#include "training/training_state.hpp"

namespace boltzcurve {

void write_particles(const Communicator& ranks, const std::filesystem::path& path, const Particles& particles) {
  SamplesDescription description;
  description.particles = ranks.sum(particles.shard.count);
  description.dimension = particles.dimension;
  SamplesFile file(ranks, path, description, provenance_of_this_process(ranks));
  for (std::size_t f = 0; f < particles.frames.size(); ++f)
    file.write_frame(static_cast<std::int64_t>(f), particles.frame_times[f], particles.shard, particles.frames[f]);
  file.write_samples(particles);
  file.close();
}

Particles read_particles(const std::filesystem::path& path, const std::optional<Shard>& part) { return read_samples(path, part); }

void write_checkpoint(const std::filesystem::path& path, Trainer& trainer) {
  const auto state = trainer.snapshot();
  const auto provenance = provenance_of_this_process(trainer.world());
  on_root(trainer.world(), [&] {
    auto checkpoint = to_checkpoint(state, trainer.model().networks(), provenance);
    put_identity(checkpoint, *trainer.model().target);
    write_checkpoint(path, checkpoint);
  });
}

Model read_model(const Communicator& world, const ModelSettings& settings, const std::filesystem::path& path) {
  const auto checkpoint = read_checkpoint(world, path);
  auto model = build_model(world, settings, pilot_summary_of(checkpoint));
  require_identity(checkpoint, *model.target);
  model.parameters = averaged_parameters(checkpoint, model.networks());
  return model;
}

Trainer resume_training(const Communicator& world, Model& model, const TrainerSettings& settings, const std::filesystem::path& path) {
  const auto& networks = model.networks();
  return {world, model, settings,
          from_checkpoint(read_checkpoint(world, path), networks, *make_optimizer(settings.optimizer, networks.tensors()))};
}

}  // namespace boltzcurve

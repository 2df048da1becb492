#include <boltzcurve/files.hpp>
#include "io/provenance.hpp"
#include "io/samples_file.hpp"

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

}  // namespace boltzcurve

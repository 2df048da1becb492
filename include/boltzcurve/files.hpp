#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/particles.hpp>

#include <filesystem>
#include <optional>

namespace boltzcurve {

/// Writes the particles of all ranks, whose shards cover [0, N) once, and their frames as an H5MD 1.1 file (tools/FORMATS.md), ordered by
/// id, the same data on any number of ranks. A file that was there stays until this one is complete. Throws InputError with the system's
/// reason (disk full) on every rank. Collective.
void write_particles(const Communicator& ranks, const std::filesystem::path& path, const Particles& particles);

/// The particles of such a file, or the part [first, first + count) of them, without frames and with an empty column of energies (see
/// evaluate_energies()). Throws InputError, naming file and dataset. Any rank on its own.
Particles read_particles(const std::filesystem::path& path, const std::optional<Shard>& part = {});

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/particles.hpp>
#include <boltzcurve/training.hpp>

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

/// Writes what a training has come to as a checkpoint (tools/FORMATS.md), from which it goes on to the same bits. A file that was there
/// stays until this one is on the disk, and after that as checkpoint.previous.h5. Throws InputError with the system's reason on every rank.
/// Collective.
void write_checkpoint(const std::filesystem::path& path, Trainer& trainer);

/// The model of a checkpoint, with the trained parameters. `settings`: those that it was trained with. Throws InputError, naming file and
/// dataset, where the checkpoint is damaged or of another model. Collective.
Model read_model(const Communicator& world, const ModelSettings& settings, const std::filesystem::path& path);

/// Goes on with the training of a checkpoint, of which `model` is what read_model() gives. Throws InputError. Collective.
Trainer resume_training(const Communicator& world, Model& model, const TrainerSettings& settings, const std::filesystem::path& path);

}  // namespace boltzcurve

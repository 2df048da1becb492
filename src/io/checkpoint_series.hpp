#pragma once

#include <boltzcurve/communicator.hpp>
#include "io/checkpoint.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace boltzcurve {

// The checkpoints that a run leaves beside `path`, "checkpoint.h5": that one, the one before it under previous_path(path), and those that
// were to be kept.

/// "checkpoint.step1200.h5": a checkpoint that stays, by this second name (see add_name()).
std::filesystem::path kept_path(const std::filesystem::path& path, std::int64_t step);

/// The newest checkpoint that can be trusted, and what is wrong with newer ones.
struct NewestCheckpoint {
  std::optional<Checkpoint> checkpoint;  ///< none: there is no valid one
  std::vector<std::string> damages;      ///< the error of reading each, which names it; newest first
};

/// Looks at `path`, then the previous one, then the kept ones from the latest step on, and takes the first that is whole. Rank 0 reads.
/// Throws InputError at one that the system would not read or that a newer program wrote (see NotDamaged). Collective; the same on every
/// rank.
NewestCheckpoint newest_checkpoint(const Communicator& ranks, const std::filesystem::path& path);

/// A checkpoint that is out of the way.
struct PutAside {
  std::filesystem::path path;
  bool damaged = false;
};

/// Takes `file`, one of the checkpoints of `path`, out of the way of a run that does not go on from it: to "checkpoint.earlier1.h5" or the
/// next number that is free, or to damaged_path(path) if it is damaged; one of step 0 holds nothing and is removed. Returns the new
/// name where there is one. For rank 0. Throws InputError.
std::optional<PutAside> put_checkpoint_aside(const std::filesystem::path& file, const std::filesystem::path& path);

/// Takes the kept checkpoints of `path` for which `stays` is false out of the way likewise; damaged ones stay, which no run goes on from.
/// Returns the new names. For rank 0. Throws InputError.
std::vector<std::filesystem::path> put_kept_aside(const std::filesystem::path& path, const std::function<bool(const Checkpoint&)>& stays);

}  // namespace boltzcurve

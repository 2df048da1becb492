#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/error.hpp>

#include <functional>
#include <string>

namespace boltzcurve {

/// How a piece of work ended.
struct Ending {
  ExitCode code = ExitCode::done;
  bool failed = false;
  std::string reason = {};  ///< of the failure
};

/// Does `work` on every rank and returns how it ended, the same on all ranks: as on the lowest rank that failed, else with the largest
/// code. A failure is told once on stderr. Where the job has to be aborted (see exit_code_of()), the rank that does it calls `before_abort`
/// first. Collective.
Ending ending_of(const Communicator& ranks, const std::function<ExitCode()>& work, double patience_seconds = 2,
                 const std::function<void(const Ending&)>& before_abort = {});

/// Does `work` on every rank and returns the exit code of the process, the same on all ranks: that of the lowest rank that failed, else
/// that of `work`. A failure is told once on stderr ("boltzcurve: error: ...") by the lowest rank that failed.
/// A rank that fails while others do not (they may wait for it in a collective, for ever) waits `patience_seconds` for them, then tells
/// its error and ends the job by MPI_Abort with its exit code. So does the lowest rank that failed if any rank's HDF5 still has a file
/// open, as after a write that failed: MPI could not end in order. Collective.
int exit_code_of(const Communicator& world, const std::function<ExitCode()>& work, double patience_seconds = 2);

/// Throws ConfigError on every rank, naming the lowest rank that differs and the first line that does, unless `text` is the same on all.
/// `what` says what is compared ("request"). Collective.
void require_same(const Communicator& world, const std::string& what, const std::string& text);

}  // namespace boltzcurve

#pragma once

#include "app/process/run.hpp"

namespace boltzcurve {

/// Works on the rows of a manifest that are not done: groups of ranks take one at a time until none is left or time is short. What goes
/// wrong in a row is told in its folder and does not concern the others. Returns `stopped_resumable` if interrupted, else the code of the
/// first row that failed, else `done`. Collective.
ExitCode run_rows_of_sweep(Run& sweep);

}  // namespace boltzcurve

#pragma once

#include <array>

namespace boltzcurve {

/// Why a piece of work ends before it is done; of several reasons the last of this list counts. All but the first two interrupt the work,
/// to be resumed later.
enum class Stop {
  no,
  time_limit,   ///< the budget of this piece of work is used up: it ends in good order
  others,       ///< other runs of a sweep are better
  walltime,     ///< --max-walltime
  file,         ///< a file named STOP in the output folder
  interrupt,    ///< SIGINT
  terminate,    ///< SIGTERM
  user_signal,  ///< SIGUSR1
};
constexpr bool is_interruption(Stop stop) { return stop > Stop::time_limit; }
inline constexpr std::array all_interruptions = {Stop::others,    Stop::walltime,  Stop::file,
                                                 Stop::interrupt, Stop::terminate, Stop::user_signal};

/// What all ranks do after a step of their work.
struct StepDecision {
  Stop stop = Stop::no;
  bool checkpoint = false;  ///< one is to be written now
};

}  // namespace boltzcurve

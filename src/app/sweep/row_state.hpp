#pragma once

#include <boltzcurve/choice.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace boltzcurve {

/// What has become of a run of a sweep.
enum class RowState { pending, running, done, stopped, killed, failed, ended_early };
template <>
inline constexpr auto choices<RowState> = std::to_array<Choice<RowState>>({
    {RowState::pending, "pending", "not begun"},
    {RowState::running, "running", "at work now"},
    {RowState::done, "done", "trained, sampled and evaluated"},
    {RowState::stopped, "stopped", "interrupted in good order; goes on when the sweep is run again"},
    {RowState::killed, "killed", "ended without a word; goes on from its last checkpoint when the sweep is run again"},
    {RowState::failed, "failed", "left alone until it is planned again (sweep plan --failed)"},
    {RowState::ended_early, "ended-early", "worse than the median of the others"},
});

/// True for those that running the sweep works on.
constexpr bool is_to_be_run(RowState state) {
  return state == RowState::pending || state == RowState::stopped || state == RowState::killed;
}

struct RowStatus {
  RowState state = RowState::pending;
  std::string detail;  ///< who is at work, why it stopped or failed
};

/// How a run of a sweep ended: outcome.json in its folder.
struct RowOutcome {
  RowState state = RowState::pending;
  int exit_code = 0;
  std::string detail;
  double seconds = 0;  ///< wall time of the last attempt
  int ranks = 0;
};

inline constexpr const char* outcome_name = "outcome.json";

/// For one process. Throws InputError.
void write_outcome(const std::filesystem::path& folder, const RowOutcome& outcome);

/// From the run's own files: who holds the lock of the folder, outcome.json, the state in metrics.h5, evaluation.json. Also of runs that
/// were started by hand in that folder.
RowStatus status_of(const std::filesystem::path& folder);

}  // namespace boltzcurve

#include "app/commands/quick_history.hpp"

namespace boltzcurve {
namespace {

constexpr auto before_last_name = "quick_ess_before_last", last_name = "quick_ess_last", values_name = "quick_target_values";

}  // namespace

void QuickHistory::put_into(Checkpoint& checkpoint) const {
  if (target_values == 0) return;
  checkpoint.scalars[before_last_name] = before_last;
  checkpoint.scalars[last_name] = last;
  checkpoint.scalars[values_name] = target_values;
}

QuickHistory QuickHistory::of(const std::optional<Checkpoint>& checkpoint) {
  QuickHistory history;
  if (!checkpoint || !checkpoint->scalars.contains(values_name)) return history;
  history.before_last = checkpoint->scalar<double>(before_last_name);
  history.last = checkpoint->scalar<double>(last_name);
  history.target_values = checkpoint->scalar<std::int64_t>(values_name);
  return history;
}

}  // namespace boltzcurve

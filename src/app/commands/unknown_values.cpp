#include "app/commands/stages.hpp"
#include "app/terminal/print.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace boltzcurve {

void warn_of_unknown_values(const Run& run, const Energy& target) {
  const auto unknown = target.unknown_values();
  const auto count = run.world().sum(unknown.count);
  if (count == 0) return;
  const auto firsts = run.world().all_gather(unknown.first);
  const auto first = std::find_if(firsts.begin(), firsts.end(), [](const std::string& text) { return !text.empty(); });
  warn(run.world(), fmt::format("the target did not say what its density is at {} of the points that it was asked for; it counts as zero "
                                "there; the first: {}",
                                count, *first));
}

}  // namespace boltzcurve

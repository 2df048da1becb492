#include "app/process/busy_time.hpp"
#include "app/process/stop_request.hpp"
#include "core/heartbeat.hpp"
#include "io/host_names.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace boltzcurve {

std::string imbalance_text(std::span<const double> busy_seconds, const std::vector<std::string>& hosts) {
  constexpr double worth_telling = 1.2;
  const auto busiest = std::max_element(busy_seconds.begin(), busy_seconds.end());
  const double mean = std::accumulate(busy_seconds.begin(), busy_seconds.end(), 0.0) / static_cast<double>(busy_seconds.size());
  if (*busiest <= worth_telling * mean) return {};
  const auto rank = static_cast<std::size_t>(busiest - busy_seconds.begin());
  return fmt::format("imbalance: rank {} on {} was busy for {:.3g} s, the {} ranks for {:.3g} s on average: the others waited for it", rank,
                     hosts[rank], *busiest, busy_seconds.size(), mean);
}

BusyTime::BusyTime() : begin_(steady_seconds()), waited_before_(seconds_waited()) {}

std::string BusyTime::imbalance(const Communicator& world) const {
  constexpr double long_enough_to_tell = 10;  // seconds
  const double elapsed = steady_seconds() - begin_, busy[] = {elapsed - (seconds_waited() - waited_before_)};
  if (world.max(elapsed) < long_enough_to_tell) return {};
  return imbalance_text(world.all_gather(busy), host_of_each_rank(world));
}

}  // namespace boltzcurve

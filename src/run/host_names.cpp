#include <boltzcurve/parallel/mpi_check.hpp>
#include <boltzcurve/run/host_names.hpp>

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace boltzcurve {

std::vector<std::string> host_of_each_rank(const Communicator& world) {
  char name[MPI_MAX_PROCESSOR_NAME];
  int length = 0;
  check_mpi(MPI_Get_processor_name(name, &length), "MPI_Get_processor_name");
  return world.all_gather(std::string(name, static_cast<std::size_t>(length)));
}

std::string imbalance_text(std::span<const double> busy_seconds, const std::vector<std::string>& hosts) {
  constexpr double worth_telling = 1.2;
  const auto busiest = std::max_element(busy_seconds.begin(), busy_seconds.end());
  const double mean = std::accumulate(busy_seconds.begin(), busy_seconds.end(), 0.0) / static_cast<double>(busy_seconds.size());
  if (*busiest <= worth_telling * mean) return {};
  const auto rank = static_cast<std::size_t>(busiest - busy_seconds.begin());
  return fmt::format("imbalance: rank {} on {} was busy for {:.3g} s, the {} ranks for {:.3g} s on average: the others waited for it", rank,
                     hosts[rank], *busiest, busy_seconds.size(), mean);
}

}  // namespace boltzcurve

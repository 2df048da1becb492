#include "metrics/carried_back.hpp"
#include "parallel/pieces.hpp"

#include <algorithm>
#include <cstddef>

namespace boltzcurve {
namespace {

constexpr std::size_t points_at_once = 512;  // between looks whether to stop

}  // namespace

Stop carry_back(const Communicator& ranks, const Energy& target, const Sampler& sampler, std::span<const double> points,
                std::vector<double>& log_weight, const std::function<Stop()>& stop) {
  const auto D = static_cast<std::size_t>(target.dimension());
  log_weight.clear();
  if (!sampler.carries()) return Stop::no;
  const auto energy = energies_of(target, points);
  return do_in_pieces(ranks, stop, [&] {
    const auto first = log_weight.size(), taken = std::min(points_at_once, energy.size() - first);
    const auto piece = points.subspan(first * D, taken * D);
    const auto log_density = sampler.log_density({piece.begin(), piece.end()});
    for (std::size_t i = 0; i < taken; ++i) log_weight.push_back(-energy[first + i] - log_density[i]);
    return log_weight.size() < energy.size();
  });
}

}  // namespace boltzcurve

#include "energy/table_law.hpp"

#include <boltzcurve/counter_rng.hpp>

#include <algorithm>
#include <cmath>

namespace boltzcurve {

void TableLaw::normalize() {
  const double top = *std::max_element(weights_.begin(), weights_.end());
  double sum = 0;
  for (double& weight : weights_) sum += weight = std::exp(weight - top);
  log_z_ = top + std::log(sum * spacing_);
  for (double& weight : weights_) weight /= sum;
  cumulative_ = {0};
  for (std::size_t i = 0; i + 1 < weights_.size(); ++i) cumulative_.push_back(cumulative_.back() + (weights_[i] + weights_[i + 1]) / 2);
}

double TableLaw::entropy() const {
  double sum = 0;
  for (const double weight : weights_) sum -= weight > 0 ? weight * std::log(weight / spacing_) : 0;
  return sum;
}

double TableLaw::draw(CounterRng& rng) const {
  const double mass = rng.uniform() * cumulative_.back();
  const auto cell =
      static_cast<std::size_t>(std::upper_bound(cumulative_.begin() + 1, cumulative_.end() - 1, mass) - cumulative_.begin() - 1);
  // the share s of the cell with a s + (b - a) s^2 / 2 = mass left of it, in the form that does not cancel
  const double a = weights_[cell], b = weights_[cell + 1], rest = mass - cumulative_[cell];
  const double s = 2 * rest / (a + std::sqrt(std::max(0.0, a * a + 2 * (b - a) * rest)));
  return node(cell) + spacing_ * std::clamp(s, 0.0, 1.0);
}

}  // namespace boltzcurve

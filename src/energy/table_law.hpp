#pragma once

#include <cstddef>
#include <vector>

namespace boltzcurve {

class CounterRng;

/// A density on an interval, at whose ends it vanishes, by its unnormalized values at equally spaced nodes. Sums are trapezoid sums, which
/// have no error but rounding for a smooth density that the nodes resolve; draws take it as linear between nodes, which adds h^2/6 to
/// variances.
class TableLaw {
 public:
  /// `log_density` is called at lower, lower + h, ..., upper, h = (upper - lower)/cells.
  template <class LogDensity>
  TableLaw(double lower, double upper, std::size_t cells, const LogDensity& log_density)
      : lower_(lower), spacing_((upper - lower) / static_cast<double>(cells)) {
    for (std::size_t i = 0; i <= cells; ++i) weights_.push_back(log_density(node(i)));
    normalize();
  }

  /// log of the integral of the density as it was given.
  double log_z() const { return log_z_; }

  /// Differential entropy [nats].
  double entropy() const;

  /// E g(u).
  template <class Function>
  double mean(const Function& g) const {
    double sum = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) sum += weights_[i] * g(node(i));
    return sum;
  }

  double draw(CounterRng& rng) const;

 private:
  double node(std::size_t i) const { return lower_ + spacing_ * static_cast<double>(i); }
  void normalize();

  double lower_, spacing_, log_z_ = 0;
  std::vector<double> weights_;     // share of each node, summing to one
  std::vector<double> cumulative_;  // mass of the cells left of each node
};

}  // namespace boltzcurve

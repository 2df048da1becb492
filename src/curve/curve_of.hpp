#pragma once

#include "curve/curve.hpp"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

// What the files of the curves share.
namespace boltzcurve::detail {

/// A Curve made of its functor and of how to make its energies.
template <CurveFunctor Functor>
class CurveOf : public Curve {
 public:
  CurveOf(const Functor& functor, CurveNetworks networks) : functor_(functor), networks_(std::move(networks)) {}

  int dimension() const override { return functor_.dimension; }
  const CurveNetworks& networks() const override { return networks_; }
  double target_time() const override { return functor_.target_time(); }
  double latent_time() const override { return functor_.latent_time(); }
  double time_at(double clock) const override { return functor_.time_at(clock); }
  ClockReading<double> clock_at(double t) const override { return functor_.clock_at(t); }
  bool has_exact_ends() const override { return Functor::has_exact_ends; }
  void interpolations_at(std::span<const double> clock, std::span<double> t, std::span<Interpolation> interpolations) const override {
    using P = Pack<double>;
    for (std::size_t first = 0; first < clock.size(); first += P::lanes) {
      const int count = static_cast<int>(std::min<std::size_t>(P::lanes, clock.size() - first));
      P s = 0;
      for (int l = 0; l < count; ++l) s.set(l, clock[first + static_cast<std::size_t>(l)]);
      const P times = functor_.time_at(s);
      const InterpolationOf<P> there = functor_.interpolation(times);
      for (int l = 0; l < count; ++l) {
        const std::size_t i = first + static_cast<std::size_t>(l);
        t[i] = times[l];
        interpolations[i] = {there.contraction[l], there.spread[l]};
      }
    }
  }

 protected:
  const Functor& functor() const { return functor_; }

 private:
  void make_kernel(const LossShape& loss, std::unique_ptr<ResidualKernel<float>>& made) const override {
    made = make_residual_kernel<Functor, float>(functor_, networks_, loss);
  }
  void make_kernel(const LossShape& loss, std::unique_ptr<ResidualKernel<double>>& made) const override {
    made = make_residual_kernel<Functor, double>(functor_, networks_, loss);
  }

  Functor functor_;
  CurveNetworks networks_;
};

/// Root mean square of the target's distance from the latent mean, per coordinate.
std::vector<double> about_latent_mean(const CurveInput& input);

/// The hidden part of psi and of the velocity, with the coordinates and the clock as inputs.
NetworkShape space_time_network(const CurveInput& input, int outputs);

/// The networks of the list, then the normalizer where `with_normalizer`, and scales of the inputs by the pilot run. `width`: squared width
/// of the target's modes.
CurveNetworks curve_networks(const CurveInput& input, std::vector<CurveNetwork> list, bool with_normalizer, double width);

/// Where the pilot run says that the target's walls begin.
Taming taming_of(const CurveInput& input);

}  // namespace boltzcurve::detail

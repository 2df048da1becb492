#pragma once

#include <boltzcurve/views.hpp>
#include "curve/flow_parameters.hpp"
#include "energy/normal_mixture.hpp"
#include "simd/pack_math.hpp"

#include <span>
#include <vector>

namespace boltzcurve {

/// The known part f_A of the form `network`: the energy of a mixture of normal laws after time t of the Ornstein-Uhlenbeck diffusion
/// towards N(m, sigma^2). A component w N(mu, R^T diag(c) R) becomes
///
///     w N(m + alpha (mu - m), R^T diag(v) R),    v = alpha^2 c + s^2,    s^2 = sigma^2 (1 - alpha^2),    alpha = exp(-t/sigma^2),
///
/// so f_A, its rate, gradient and Laplacian are known in closed form at all times; with p = R (x - m) - alpha R (mu - m) and q = p/v those
/// of a component's own energy are R^T q, sum 1/v, and alpha <q, R (mu - m)>/sigma^2 - sum v' (q^2 - 1/v)/2, v' = 2 alpha^2 (sigma^2 -
/// c)/sigma^2; of the mixture they are means over the components by their responsibilities. Of a product of such laws of some
/// coordinates each, which diffusion keeps one, energies add. Device data; copies share it.
template <class Real>
class MixtureAnchor {
 public:
  using P = Pack<Real>;

  /// m [D] is the latent mean; factors have every coordinate once.
  MixtureAnchor(const FlowParameters& flow, std::span<const MixtureFactor> factors, std::span<const double> latent_mean);

  /// d_t f_A, its gradient [D] and its Laplacian at points x [n][D], each with its own time, into `rows` [n][D + 2].
  void evaluate(PointScalars<const Real> t, Points<const Real> x, Points<Real> rows) const;

  /// f_A and its gradient at points x [n][D] of one time t, into `rows` [n][D + 1].
  void energies(Real t, Points<const Real> x, Points<Real> rows) const;

  /// For matching: what of the two estimates of grad f_t at x_t = m + alpha (x_0 - m) + s z is the better one, by component. `noise` holds
  /// s z and `slope` grad f_D(x_0), [n][D] both: from z/s, of denoising (Vincent, Neural Computation 23, 2011), and grad f_D(x_0)/alpha, of
  /// the target score identity (De Bortoli et al., arXiv 2402.08667), which have the same mean given x_t,
  ///
  ///     G = sum_k r_k R^T diag(1/v) (R s z + alpha diag(c) R grad f_D(x_0)),
  ///
  /// r_k the responsibilities at x_t: functions of x_t, so that the mean stays what it is; of no variance at all where the target is
  /// normal. `spread` [n] is the squared width of the law around x_t: 1 over the mean of 1/v.
  void combine(PointScalars<const Real> t, Points<const Real> x, Points<const Real> noise, Points<const Real> slope, Points<Real> goal,
               PointScalars<Real> spread) const;

  // The kernels' parts; public because nvcc asks it.
  struct Moments {
    P alpha, noise_variance;
  };
  KOKKOS_FUNCTION Moments moments_at(P t) const;
  struct Factor {
    int dimension, components, coordinates, weights, vectors;  ///< sizes; where its coordinates, weights, means and variances begin
    std::int64_t axes;                                         ///< and its axes
  };
  struct Component {
    const Real *variance, *mean, *axes;
  };
  KOKKOS_FUNCTION void load_from_center(const Factor& factor, const Points<const Real>& x, std::int64_t first, std::int64_t n,
                                        Real* from_center) const;
  template <class Add>
  KOKKOS_FUNCTION P for_each_component(const Factor& factor, const Moments& at, const Real* from_center, Real* q, const Add& add) const;

 private:
  std::int64_t scratch_blocks(std::int64_t n, int rows) const;

  FlowParameters flow_;
  int dimension_;
  Kokkos::View<const Factor*> factors_;
  Kokkos::View<int*> coordinates_;
  Kokkos::View<Real*> center_, log_weight_, mean_, variance_, axes_;  // log w - D/2 log 2 pi; R (mu - m)
  mutable Kokkos::View<Real*> scratch_;                               // grows to the largest batch seen
};

extern template class MixtureAnchor<float>;
extern template class MixtureAnchor<double>;

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/loss_shape.hpp>
#include <boltzcurve/views.hpp>
#include "network/networks.hpp"
#include "parallel/reproducible_sum.hpp"
#include "residual/residual.hpp"

#include <cstdint>
#include <memory>

namespace boltzcurve {

/// Points x at times t and what grad f_t should be there.
template <class Real>
struct MatchingBatch {
  PointScalars<Real> t;       ///< [n]
  Points<Real> x;             ///< [n][D]
  Points<Real> base;          ///< [n][D] grad b, the gradient of what is known of f_t
  Points<Real> goal;          ///< [n][D] G
  PointScalars<Real> spread;  ///< [n] S > 0

  MatchingBatch() = default;
  MatchingBatch(std::int64_t points, int dimension);
  std::int64_t size() const { return static_cast<std::int64_t>(t.extent(0)); }
};

/// How the misfit q of a point counts in the loss: as q, or as 2 w^2 (sqrt(1 + q/w^2) - 1), which is q up to about w^2 and then grows as
/// sqrt(q), so that no few goals rule.
struct MatchingShape {
  LossKind kind = LossKind::pseudo_huber;  ///< this or squared
  double width = 10;                       ///< w, for pseudo_huber
};

/// What a curve f_t = b + tau psi adds to its base, by reverse mode.
template <class Real>
class PsiKernel : public CurveKernel {
 public:
  /// tau psi [n] and tau grad psi [n][D] at points x [n][D], each with its own time t [n]: what is to be added to b and grad b. Two passes
  /// of the network, where the residual's kernel takes D + 2 for velocity and divergence.
  virtual void psi_and_gradient(std::int64_t n, PointScalars<const Real> t, Points<const Real> x, PointScalars<Real> psi,
                                Points<Real> gradient) const = 0;
};

/// Matching of the gradient of f_t = b + tau psi with goals G whose mean at a point is what it should be: denoising score matching (Vincent
/// 2011), target score matching (De Bortoli et al., arXiv 2402.08667) or a combination of both. Misfit of a point
///
///     q = S |e|^2,    e = grad b + tau grad psi - G,
///
/// its loss by MatchingShape, the mean of that over a batch and its gradient by the parameters of psi. No second derivative by coordinates,
/// and a cost that hardly depends on D: grad psi comes by reverse mode; with e frozen, the gradient by the parameters is that of the
/// tangent of psi along d loss/d(grad psi), which needs one more way forward and back (network/mlp_gradient_tile.hpp). Six products of W^2
/// for a point and a hidden layer, where the residual takes 3 (D + 2).
///
/// A fused kernel, as the residual's: what is summed, and in which order, is the same, with zeros as gradient of other networks than psi,
/// so that sums do not depend on how points are shared among teams and ranks. Real (float or double) is the type of the networks'
/// arithmetic.
template <class Real>
class MatchingKernel : public PsiKernel<Real> {
 public:
  /// Adds, for points [0, n) of the batch, whose first global index is a multiple of chunk_points, the sums of the loss / batch_points and
  /// of its gradient, and writes q to `misfit` [n].
  virtual void add_loss_and_gradient(const MatchingBatch<Real>& batch, std::int64_t n, double batch_points, const PartialSums& sums,
                                     PointScalars<Real> misfit) const = 0;

  /// q only.
  virtual void misfit(const MatchingBatch<Real>& batch, std::int64_t n, PointScalars<Real> misfit) const = 0;
};

/// The kernel of a curve f_t = b + tau psi, a CurveFunctor with factors(t).tau and the network of_psi. Defined for GradientFlow in its own
/// file. Throws Error for a loss of another kind.
template <class Curve, class Real>
std::unique_ptr<MatchingKernel<Real>> make_matching_kernel(const Curve& curve, const CurveNetworks& networks,
                                                           const MatchingShape& shape = {});

extern template struct MatchingBatch<float>;
extern template struct MatchingBatch<double>;

}  // namespace boltzcurve

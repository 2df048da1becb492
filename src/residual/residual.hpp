#pragma once

#include <boltzcurve/loss_shape.hpp>
#include <boltzcurve/views.hpp>
#include "network/networks.hpp"
#include "parallel/reproducible_sum.hpp"
#include "simd/pack.hpp"

#include <memory>
#include <span>
#include <vector>

namespace boltzcurve {

/// Points that are always summed together, by global index, before anything is rounded or sent: the unit of work of a team. Fixed, so
/// that no sum depends on the number of ranks or threads.
inline constexpr int chunk_points = 128;

/// Points whose gradients are summed before they are rounded and join a reproducible sum: a chunk or, on a GPU, which has more teams than
/// a batch has chunks, a quarter of one.
inline constexpr int summed_points = threads_abreast == 1 ? chunk_points : 32;
constexpr std::int64_t partial_sums_of(std::int64_t points) { return (points + summed_points - 1) / summed_points; }

/// One batch of collocation points with what does not depend on parameters.
template <class Real>
struct CollocationBatch {
  PointScalars<Real> t;  ///< [n]
  Points<Real> x;        ///< [n][D]
  Points<Real> known;    ///< [n][rows of the curve]: see CurveEnergies

  CollocationBatch() = default;
  CollocationBatch(std::int64_t points, int dimension, int known_rows);
  std::int64_t size() const { return static_cast<std::int64_t>(t.extent(0)); }
};

/// Robust weight of a residual R, as against R^2: half of the loss's derivative over R, R in the unit of the loss. Means with this weight
/// vanish where the loss has its minimum. For `abs+squared` bounded, at 51.
double robust_weight(const LossShape& loss, double residual);

/// What every fused kernel has to do with the networks of its curve: their parameters go in, and sums over points come out, of a loss and
/// of its gradient by all parameters.
class CurveKernel {
 public:
  virtual ~CurveKernel() = default;

  /// Takes over the parameters [parameter_count].
  virtual void set_parameters(std::span<const double> parameters) = 0;

  /// Borders of the segments of the array that is summed: each tensor's packed gradient, then the loss; for ReproducibleSum.
  virtual std::vector<std::int64_t> sum_borders() const = 0;

  /// The sums, in packed order, as loss and gradient [parameter_count].
  virtual double unpack(const std::vector<double>& sums, std::vector<double>& gradient) const = 0;

  /// Bytes of scratch that one team needs for a training step.
  virtual std::int64_t scratch_bytes() const = 0;

  virtual const CurveNetworks& networks() const = 0;
};

/// Residual R of a curve, the mean of its loss, and the gradient of that by the parameters of all its networks, in one fused kernel: a team
/// takes a chunk, walks through it tile by tile (forward passes, residual, reverse sweeps; see network/mlp_tile.hpp) and adds its partial
/// sums. The normalizer C is a network of the clock ("normalizer", nats per unit of the clock) where the curve has one, else 0. Real (float
/// or double) is the type of the networks' arithmetic; parameters and sums are double.
template <class Real>
class ResidualKernel : public CurveKernel {
 public:
  /// Adds, for points [0, n) of the batch, whose first global index is a multiple of chunk_points, the sums of loss(R) / batch_points and
  /// of its gradient, and writes R itself [nats/time] to `residual` [n].
  virtual void add_loss_and_gradient(const CollocationBatch<Real>& batch, std::int64_t n, double batch_points, const PartialSums& sums,
                                     PointScalars<Real> residual) const = 0;

  /// R only.
  virtual void residual(const CollocationBatch<Real>& batch, std::int64_t n, PointScalars<Real> residual) const = 0;

  /// Velocity v [n][D] and divergence [n] at points x [n][D], each with its own time t [n]. `known` [n][rows] as in a batch; where
  /// velocity_needs_energies() is false it is not looked at.
  virtual void velocity(std::int64_t n, PointScalars<const Real> t, Points<const Real> x, Points<const Real> known, Points<Real> velocity,
                        PointScalars<Real> divergence) const = 0;
  virtual bool velocity_needs_energies() const = 0;
};

/// The kernel of a curve, given as the mathematics that kernels copy to the device (GradientFlow, TemperedCurve). Defined for every curve
/// in its own file.
template <class Curve, class Real>
std::unique_ptr<ResidualKernel<Real>> make_residual_kernel(const Curve& curve, const CurveNetworks& networks, const LossShape& loss = {});

extern template struct CollocationBatch<float>;
extern template struct CollocationBatch<double>;

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/core/views.hpp>
#include <boltzcurve/curve/gradient_flow.hpp>
#include <boltzcurve/network/mlp.hpp>
#include <boltzcurve/network/packed_mlp.hpp>
#include <boltzcurve/parallel/reproducible_sum.hpp>

#include <optional>
#include <span>
#include <vector>

namespace boltzcurve {

/// Points that are always summed together, by global index, before anything is rounded or sent: the unit of work of a team. Fixed, so
/// that no sum depends on the number of ranks or threads.
inline constexpr int chunk_points = 128;

/// The networks of a curve and how a point enters them: psi sees ((x - shift) scale, (s - shift) scale) with the curve's clock s in [0, 1],
/// the normaliser C only the last.
struct CurveNetworks {
  MlpShape psi;                                  ///< inputs D + 1: coordinates, then the clock
  std::optional<MlpShape> normaliser;            ///< one input: the clock; absent: C = 0
  std::vector<double> input_shift, input_scale;  ///< [D + 1]

  /// Both networks' parameters as one flat array, psi first, names prefixed "psi/" and "normalizer/".
  std::vector<ParameterTensor> tensors() const;
  std::int64_t parameter_count() const;
};

/// One batch of collocation points with what does not depend on parameters.
template <class Real>
struct CollocationBatch {
  PointScalars<Real> t;       ///< [n]
  Points<Real> x;             ///< [n][D]
  Points<Real> base, latent;  ///< [n][D+2]: rows as GradientFlow describes them

  CollocationBatch() = default;
  CollocationBatch(std::int64_t points, int dimension);
  std::int64_t size() const { return static_cast<std::int64_t>(t.extent(0)); }
};

/// How the residual of a point counts in the loss.
enum class LossKind { mean_square, pseudo_huber };
template <>
inline constexpr auto choices<LossKind> = std::to_array<Choice<LossKind>>({
    {LossKind::pseudo_huber, "pseudo-huber", "2 w^2 (sqrt(1 + (R/w)^2) - 1): R^2 up to about w, then linear, so that no few points rule"},
    {LossKind::mean_square, "mean-square", "R^2"},
});

/// What R is measured in. A particle's log weight is off by the integral of R dt = R (dt/ds) ds along its path: in units of the clock equal
/// residuals do equal harm at all times, and drawing times uniformly in the clock gives all of them equal say.
enum class ResidualUnit { clock, time };
template <>
inline constexpr auto choices<ResidualUnit> = std::to_array<Choice<ResidualUnit>>({
    {ResidualUnit::clock, "clock", "R dt/ds: nats per unit of the clock"},
    {ResidualUnit::time, "time", "R: nats per unit of time"},
});

struct LossShape {
  LossKind kind = LossKind::pseudo_huber;
  double width = 1;  ///< w, for pseudo_huber, in the unit of the residual
  ResidualUnit unit = ResidualUnit::clock;
};

/// Residual R of the gradient-flow curve, the mean of its loss, and the gradient of that by the parameters, in one fused kernel: a team
/// takes a chunk, walks through it tile by tile (forward pass, residual, reverse sweep; see network/tile.hpp) and adds its partial sums.
/// Real (float or double) is the type of the network's arithmetic; parameters and sums are double.
template <class Real>
class ResidualKernel {
 public:
  ResidualKernel(const GradientFlow& curve, const CurveNetworks& networks, const LossShape& loss = {});

  /// Takes over the parameters [parameter_count].
  void set_parameters(std::span<const double> parameters);

  /// Borders of the segments of the array that is summed: each tensor's packed gradient, then the loss; for ReproducibleSum.
  std::vector<std::int64_t> sum_borders() const;

  /// Adds, for points [0, n) of the batch, whose first global index is a multiple of chunk_points, the sums of loss(R) / batch_points and
  /// of its gradient, and writes R itself [nats/time] to `residual` [n].
  void add_loss_and_gradient(const CollocationBatch<Real>& batch, std::int64_t n, double batch_points, const PartialSums& sums,
                             PointScalars<Real> residual) const;

  /// The sums, in packed order, as loss and gradient [parameter_count].
  double unpack(const std::vector<double>& sums, std::vector<double>& gradient) const;

  /// R only.
  void residual(const CollocationBatch<Real>& batch, std::int64_t n, PointScalars<Real> residual) const;

  /// Velocity v [n][D] and divergence [n] at points x [n][D], each with its own time t [n]. `base` and `latent` as in a batch.
  void velocity(std::int64_t n, PointScalars<const Real> t, Points<const Real> x, Points<const Real> base, Points<const Real> latent,
                Points<Real> velocity, PointScalars<Real> divergence) const;

  /// Bytes of scratch that one team needs for a training step.
  std::int64_t scratch_bytes() const;

  const CurveNetworks& networks() const { return networks_; }

 private:
  template <class Body>
  auto with_packs(const Body& body) const;
  template <bool with_gradient>
  void launch(const CollocationBatch<Real>& batch, std::int64_t n, double batch_points, const PartialSums& sums,
              PointScalars<Real> residual) const;

  GradientFlow curve_;
  CurveNetworks networks_;
  LossShape loss_;
  int packs_;  // vectors of points in a tile: 1 or 2
  PackedLayout psi_, normaliser_;
  Kokkos::View<double*> parameters_;
  Kokkos::View<Real*> psi_weights_, normaliser_weights_;
  Kokkos::View<Real*> input_shift_, input_scale_;
};

extern template struct CollocationBatch<float>;
extern template struct CollocationBatch<double>;
extern template class ResidualKernel<float>;
extern template class ResidualKernel<double>;

}  // namespace boltzcurve

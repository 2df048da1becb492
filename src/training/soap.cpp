#include "training/small_matrices.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "training/adam.hpp"
#include "training/weighted_mean.hpp"

namespace boltzcurve {
namespace {

/// A side longer than this keeps its own coordinates: its basis would cost more than it gives.
constexpr std::int64_t max_preconditioner = 2048;

/// Rounds of orthogonal iteration that take the bases from the identity to the eigenvectors of the first factors, in which directions of
/// equal weight need not be told apart.
constexpr int first_rounds = 10;

MatrixView view(const OptimizerState::Array& array) {
  const auto rows = static_cast<std::size_t>(array.rows), columns = static_cast<std::size_t>(array.columns);
  return {array.values.data(), rows, columns, columns, 1};
}

double trace(const MatrixView& square) {
  double sum = 0;
  for (std::size_t i = 0; i < square.rows; ++i) sum += square(i, i);
  return sum;
}

/// SOAP (Vyas et al., arXiv 2409.11321, Algorithm 3): Adam in a basis in which the entries of a matrix' gradient G are nearly uncorrelated.
///     L <- b L + (1-b) G G^T,  R <- b R + (1-b) G^T G,  with orthonormal Q_L, Q_R near their eigenvectors;
///     G' = Q_L^T G Q_R;  Adam turns G' and its moments into a step X';  X <- X + Q_L X' Q_R^T.
/// The bases are renewed by a round of orthogonal iteration, Q <- qr(L Q), every `precondition_every` updates. A first gradient only
/// chooses bases, so that no gradient is seen in a basis of its own. Both moments are kept in the bases: the first is turned with them,
/// which is the same as to keep it in the weights' own coordinates and to turn it every time; the second follows their order. Biases, and
/// sides of one entry or more than max_preconditioner, keep their own coordinates.
class Soap final : public Optimizer {
 public:
  Soap(const OptimizerSettings& settings, std::vector<ParameterTensor> tensors)
      : Optimizer(settings, std::move(tensors)), initial_{zero_moments(tensors_), 0}, sides_(tensors_.size()) {
    for (std::size_t k = 0; k < tensors_.size(); ++k) {
      if (tensors_[k].is_bias) continue;
      sides_[k].left = add_side("left", tensors_[k].name, tensors_[k].rows);
      sides_[k].right = add_side("right", tensors_[k].name, tensors_[k].columns);
    }
  }

  OptimizerState initial_state() const override { return initial_; }

 private:
  using Array = OptimizerState::Array;

  /// Where a side's arrays stand in the state.
  struct Side {
    std::size_t factor, basis;
  };
  struct Sides {
    std::optional<Side> left, right;
    bool any() const { return left || right; }
  };

  std::optional<Side> add_side(const std::string& name, const std::string& tensor, std::int64_t size) {
    if (size < 2 || size > max_preconditioner) return std::nullopt;
    const auto n = static_cast<std::size_t>(size);
    const Side side{initial_.arrays.size(), initial_.arrays.size() + 1};
    initial_.arrays.push_back({name + "_factor/" + tensor, size, size, Matrix(n, n).values});
    initial_.arrays.push_back({name + "_basis/" + tensor, size, size, identity_matrix(n).values});
    return side;
  }

  void step(OptimizerState& state, std::span<double> parameters, std::span<const double> gradient, double scale,
            double rate) const override {
    const AdamStep adam(settings_, state.updates, rate);
    for (std::size_t k = 0; k < tensors_.size(); ++k) {
      const auto offset = static_cast<std::size_t>(tensors_[k].offset), size = static_cast<std::size_t>(tensors_[k].size());
      const auto x = parameters.subspan(offset, size);
      const auto g = gradient.subspan(offset, size);
      if (sides_[k].any())
        step_matrix(state, k, x, g, scale, adam);
      else
        adam(state.arrays[k].values, state.arrays[tensors_.size() + k].values, g, scale, x);
    }
  }

  void step_matrix(OptimizerState& state, std::size_t k, std::span<double> x, std::span<const double> unscaled, double scale,
                   const AdamStep& adam) const {
    const auto& [left, right] = sides_[k];
    const auto basis = [&](const Side& side) { return view(state.arrays[side.basis]); };
    Matrix g(static_cast<std::size_t>(tensors_[k].rows), static_cast<std::size_t>(tensors_[k].columns));
    for (std::size_t i = 0; i < x.size(); ++i) g.values[i] = scale * unscaled[i];

    // 1. Adam's step in the bases, from gradients before this one.
    const bool first = trace(view(state.arrays[(left ? left : right)->factor])) == 0;
    if (!first) {
      Matrix turned = g, move(g.rows, g.columns);
      if (left) turned = product(basis(*left).transposed(), turned);
      if (right) turned = product(turned, basis(*right));
      adam(state.arrays[k].values, state.arrays[tensors_.size() + k].values, turned.values, 1, move.values);
      if (left) move = product(basis(*left), move);
      if (right) move = product(move, basis(*right).transposed());
      for (std::size_t i = 0; i < x.size(); ++i) x[i] += move.values[i];
    }

    // 2. What this gradient says of the bases: nothing, if it is zero or its square is out of range.
    double squares = 0;
    for (const double entry : g.values) squares += entry * entry;
    if (!(squares > 0) || !std::isfinite(squares)) return;
    if (left) add_to_factor(state.arrays[left->factor], gram(g));
    if (right) add_to_factor(state.arrays[right->factor], gram(g.transposed()));

    // 3. New bases, when it is time.
    const int rounds = first ? first_rounds : state.updates % settings_.precondition_every == 0 ? 1 : 0;
    for (int round = 0; round < rounds; ++round) renew_bases(state, k);
  }

  void add_to_factor(Array& factor, const Matrix& latest) const {
    const double keep = settings_.preconditioner_decay;
    for (std::size_t i = 0; i < factor.values.size(); ++i) factor.values[i] = weighted_mean(keep, factor.values[i], latest.values[i]);
  }

  /// A round of orthogonal iteration for both bases, and the moments in the new ones.
  void renew_bases(OptimizerState& state, std::size_t k) const {
    auto& m = state.arrays[k];
    auto& v = state.arrays[tensors_.size() + k];
    if (const auto& side = sides_[k].left) {
      const auto [turn, order] = renew(state.arrays[side->factor], state.arrays[side->basis]);
      m.values = product(turn, view(m)).values;
      const auto columns = static_cast<std::size_t>(v.columns);
      const auto before = v.values;
      for (std::size_t i = 0; i < order.size(); ++i)
        std::copy_n(before.data() + order[i] * columns, columns, v.values.data() + i * columns);
    }
    if (const auto& side = sides_[k].right) {
      const auto [turn, order] = renew(state.arrays[side->factor], state.arrays[side->basis]);
      m.values = product(view(m), turn.transposed()).values;
      const auto before = v.values;
      for (std::size_t row = 0; row < v.values.size(); row += order.size())
        for (std::size_t j = 0; j < order.size(); ++j) v.values[row + j] = before[row + order[j]];
    }
  }

  struct Renewal {
    Matrix turn;                     ///< from coordinates in the old basis to such in the new one
    std::vector<std::size_t> order;  ///< new vector i comes from old vector order[i]
  };

  /// Q <- orthogonal factor of L Q, the columns of Q ordered before by their Rayleigh quotients, largest first.
  static Renewal renew(const Array& factor, Array& basis) {
    const Matrix image = product(view(factor), view(basis));
    const std::size_t n = image.rows;
    std::vector<double> quotients(n, 0.0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) quotients[j] += basis.values[i * n + j] * image(i, j);
    Renewal renewal;
    renewal.order.resize(n);
    std::iota(renewal.order.begin(), renewal.order.end(), std::size_t{0});
    std::stable_sort(renewal.order.begin(), renewal.order.end(), [&](std::size_t a, std::size_t b) { return quotients[a] > quotients[b]; });
    Matrix ordered(n, n);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) ordered(i, j) = image(i, renewal.order[j]);
    Matrix renewed = orthogonal_factor(ordered);
    renewal.turn = product(renewed.transposed(), view(basis));
    basis.values = std::move(renewed.values);
    return renewal;
  }

  OptimizerState initial_;
  std::vector<Sides> sides_;  ///< of every tensor
};

}  // namespace

std::unique_ptr<Optimizer> make_soap(const OptimizerSettings& settings, std::vector<ParameterTensor> tensors) {
  return std::make_unique<Soap>(settings, std::move(tensors));
}

}  // namespace boltzcurve

#include "training/sum_loss.hpp"

#include <algorithm>
#include <utility>

namespace boltzcurve {
namespace {

class SumLoss final : public BatchLoss {
 public:
  SumLoss(std::unique_ptr<BatchLoss> a, std::unique_ptr<BatchLoss> b, double weight)
      : a_(std::move(a)), b_(std::move(b)), weight_(weight) {}

  const Result& evaluate(const std::vector<double>& parameters, std::int64_t step) override {
    const auto& a = a_->evaluate(parameters, step);
    const auto& b = b_->evaluate(parameters, step);
    result_.finite = a.finite && b.finite;
    if (!result_.finite) return result_;
    result_.loss = a.loss + weight_ * b.loss;
    result_.gradient.resize(a.gradient.size());
    for (std::size_t i = 0; i < a.gradient.size(); ++i) result_.gradient[i] = a.gradient[i] + weight_ * b.gradient[i];
    return result_;
  }

  LeftOut take_left_out() override { return a_->take_left_out(); }
  WorstPoint worst_point(const std::vector<double>& parameters, std::int64_t step) override { return a_->worst_point(parameters, step); }
  const TimeBins& time_bins() const override { return a_->time_bins(); }
  std::int64_t memory_bytes() const override { return a_->memory_bytes() + b_->memory_bytes(); }

  /// Exponents of a, then those of b; arrays of both, which have names of their own.
  LossState state() const override {
    auto state = a_->state();
    auto other = b_->state();
    state.sum_exponents.insert(state.sum_exponents.end(), other.sum_exponents.begin(), other.sum_exponents.end());
    std::move(other.collocation.begin(), other.collocation.end(), std::back_inserter(state.collocation));
    return state;
  }

  bool restore(const LossState& state, bool points_must_fit) override {
    const auto half = static_cast<std::ptrdiff_t>(state.sum_exponents.size() / 2);  // both are sums over the same networks
    auto first = state, second = state;
    first.sum_exponents.assign(state.sum_exponents.begin(), state.sum_exponents.begin() + half);
    second.sum_exponents.assign(state.sum_exponents.begin() + half, state.sum_exponents.end());
    const bool fits = a_->restore(first, points_must_fit);
    return b_->restore(second, points_must_fit) && fits;
  }

 private:
  std::unique_ptr<BatchLoss> a_, b_;
  double weight_;
  Result result_;
};

}  // namespace

std::unique_ptr<BatchLoss> make_sum_loss(std::unique_ptr<BatchLoss> a, std::unique_ptr<BatchLoss> b, double weight) {
  return std::make_unique<SumLoss>(std::move(a), std::move(b), weight);
}

}  // namespace boltzcurve

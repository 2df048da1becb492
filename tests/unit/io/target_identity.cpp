#include "io/target_identity.hpp"

#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "energy/host_energy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <utility>

namespace boltzcurve {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// f = stretch x^2 where x > border, else "cannot say".
class Parabola final : public HostEnergy {
 public:
  Parabola(double stretch, double border, std::string digest)
      : HostEnergy({.dimension = 1, .digest = std::move(digest)}), stretch_(stretch), border_(border) {}

 private:
  void evaluate_rows(std::span<const double> x, std::span<double> value, std::span<double>) const override {
    for (std::size_t i = 0; i < x.size(); ++i) value[i] = x[i] > border_ ? stretch_ * x[i] * x[i] : std::nan("");
  }
  double stretch_, border_;
};

Checkpoint checkpoint_of(const Energy& target) {
  Checkpoint checkpoint;
  checkpoint.source = "here.h5";
  put_identity(checkpoint, target);
  return checkpoint;
}

TEST(TargetIdentity, FileBuiltAgainIsTheSameTargetIfItsValuesAgree) {
  const auto checkpoint = checkpoint_of(Parabola(2, -0.2, "old"));
  EXPECT_NO_THROW(require_identity(checkpoint, Parabola(2 + 1e-12, -0.2, "new")));
}

TEST(TargetIdentity, RefusesOtherValues) {
  const auto checkpoint = checkpoint_of(Parabola(2, -10, "old"));
  EXPECT_THAT([&] { require_identity(checkpoint, Parabola(2.001, -10, "new")); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("here.h5 was made with another target"), HasSubstr("its file: old; now: new"))));
  EXPECT_THROW(require_identity(checkpoint, Parabola(2, 10, "old")), InputError) << "numbers became NaN";
  EXPECT_THROW(require_identity(checkpoint_of(Parabola(2, 10, "old")), Parabola(2, -10, "old")), InputError) << "NaN became numbers";
}

TEST(TargetIdentity, IsNoMatterOfTheLibrarysOwnTargets) {
  const auto target = make_target("banana");
  EXPECT_TRUE(checkpoint_of(*target).datasets.empty());
  EXPECT_NO_THROW(require_identity({}, *target));
}

}  // namespace
}  // namespace boltzcurve

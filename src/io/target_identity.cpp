#include "io/target_identity.hpp"

#include <boltzcurve/error.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr auto values_name = "target/values", digest_name = "target_digest";
constexpr double tolerance = 1e-6;  // of an energy and 1: other compilers and float stay within, other data or formulas do not

bool are_alike(double a, double b) {
  if (!std::isfinite(a) || !std::isfinite(b)) return a == b || (std::isnan(a) && std::isnan(b));
  return std::fabs(a - b) <= tolerance * (1 + std::fabs(a));
}

}  // namespace

void put_identity(Checkpoint& checkpoint, const Energy& target) {
  const auto identity = target.identity();
  if (!identity) return;
  checkpoint.datasets.push_back({values_name, {static_cast<std::int64_t>(identity->values.size())}, identity->values});
  checkpoint.scalars[digest_name] = identity->digest;
}

void require_identity(const Checkpoint& checkpoint, const Energy& target) {
  const auto identity = target.identity();
  if (!identity || !checkpoint.find(values_name)) return;
  const auto& before = checkpoint.values<double>(values_name, {static_cast<std::int64_t>(identity->values.size())});
  const auto [was, is] = std::mismatch(before.begin(), before.end(), identity->values.begin(), are_alike);
  if (was == before.end()) return;
  throw InputError(
      fmt::format("{} was made with another target than this: of its energy at three points, and of where these are, {:.10g} is now "
                  "{:.10g} (its file: {}; "
                  "now: {}); take the file and the data that it was made with, or train anew",
                  checkpoint.source.string(), *was, *is, checkpoint.scalar<std::string>(digest_name), identity->digest));
}

}  // namespace boltzcurve

#include "energy/host_energy.hpp"

#include <boltzcurve/energy_of.hpp>
#include "core/clock.hpp"
#include "core/heartbeat.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr std::size_t chunk_points = 4096;  // that are on the host at once
constexpr std::int64_t first_call_points = 16;
constexpr double short_call = 0.1, long_call = 1;  // seconds
constexpr double difference_step = 0.005;          // standard deviations: the error is 1e-5 and less, what rounding leaves 1e-10
constexpr double deviations_of_side = 16;          // domains reach eight to either side
constexpr std::size_t shown_coordinates = 8, identity_points = 3;

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

std::string place_text(std::span<const double> x) {
  std::string text;
  for (std::size_t k = 0; k < std::min(x.size(), shown_coordinates); ++k) text += fmt::format("{}{:.6g}", k == 0 ? "" : ", ", x[k]);
  return fmt::format("x = ({}{}) while {}", text, x.size() > shown_coordinates ? ", ..." : "", read_heartbeat().phase);
}

}  // namespace

HostEnergy::HostEnergy(Facts facts)
    : facts_(std::move(facts)), points_of_call_(facts_.exact_batches ? facts_.batch : std::min(facts_.batch, first_call_points)) {
  const auto D = static_cast<std::size_t>(facts_.dimension);
  auto& [lower, upper] = facts_.domain;
  if (lower.empty()) lower.assign(D, -infinity), upper.assign(D, infinity);
  for (std::size_t k = 0; k < D; ++k) {
    const double side = upper[k] - lower[k];
    step_.push_back(difference_step * (std::isfinite(side) ? side / deviations_of_side : 1));
  }
}

std::optional<EnergyIdentity> HostEnergy::identity() const {
  if (!identity_) {
    const auto& [lower, upper] = facts_.domain;
    std::vector<double> x;
    for (std::size_t i = 0; i < identity_points; ++i)
      for (std::size_t k = 0; k < lower.size(); ++k) {
        double whole;  // fractions of multiples of the powers of the plastic number fill the square
        const double u =
            std::modf(static_cast<double>(i + 1) * 0.7548776662466927 + static_cast<double>(k + 1) * 0.5698402909980532, &whole);
        const bool from_below = std::isfinite(lower[k]), from_above = std::isfinite(upper[k]);
        x.push_back(from_below && from_above ? lower[k] + (upper[k] - lower[k]) * (1 + 2 * u) / 4
                    : from_below             ? lower[k] + 2 * u
                    : from_above             ? upper[k] - 2 * u
                                             : 2 * u - 1);
      }
    std::vector<double> value(identity_points);
    call_in_batches(x, value, {});
    // With the points, which follow from a domain that may be another one.
    EnergyIdentity found{value, facts_.digest};
    found.values.insert(found.values.end(), x.begin(), x.end());
    identity_ = std::move(found);
  }
  return identity_;
}

template <class Real>
void HostEnergy::evaluate_as(Points<const Real> x, Points<Real> out, Wanted wanted) const {
  detail::require_shapes({x.extent(0), x.extent(1)}, {out.extent(0), out.extent(1)}, static_cast<std::size_t>(dimension()), wanted);
  for (std::size_t first = 0; first < x.extent(0); first += chunk_points)
    evaluate_chunk<Real>(x, out, first, std::min(chunk_points, x.extent(0) - first), wanted);
}

template <class Real>
void HostEnergy::evaluate_chunk(Points<const Real> x, Points<Real> out, std::size_t first, std::size_t n, Wanted wanted) const {
  const std::size_t D = x.extent(1), columns = result_columns(wanted, D);
  const Points<double> point("boltzcurve::host_points", n, D), results("boltzcurve::host_results", n, columns);
  Kokkos::parallel_for(
      "boltzcurve::host_inputs", n, KOKKOS_LAMBDA(const std::size_t i) {
        for (std::size_t k = 0; k < D; ++k) point(i, k) = static_cast<double>(x(first + i, k));
      });
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), point);

  std::vector<double> rows;
  std::vector<std::size_t> place;  // of a row in the chunk
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < D; ++k) rows.push_back(host(i, k));
    if (std::all_of(rows.end() - static_cast<std::ptrdiff_t>(D), rows.end(), [](double a) { return std::isfinite(a); }))
      place.push_back(i);
    else
      rows.resize(rows.size() - D);
  }
  std::vector<double> value(place.size()), gradient(wanted == Wanted::value ? 0 : rows.size()), laplacian;
  ask(rows, value, gradient);
  if (wanted == Wanted::laplacian) laplacian = laplacians(std::move(rows), value);

  const auto found = Kokkos::create_mirror_view(results);
  Kokkos::deep_copy(found, nan);
  for (std::size_t i = 0; i < place.size(); ++i) {
    found(place[i], 0) = value[i];
    for (std::size_t k = 0; k < D && wanted != Wanted::value; ++k) found(place[i], k + 1) = gradient[i * D + k];
    if (wanted == Wanted::laplacian) found(place[i], D + 1) = laplacian[i];
  }
  Kokkos::deep_copy(results, found);
  Kokkos::parallel_for(
      "boltzcurve::host_outputs", n, KOKKOS_LAMBDA(const std::size_t i) {
        for (std::size_t k = 0; k < columns; ++k) out(first + i, k) = static_cast<Real>(results(i, k));
      });
}

void HostEnergy::ask(std::span<const double> x, std::span<double> value, std::span<double> gradient) const {
  const auto D = static_cast<std::size_t>(dimension());
  call_in_batches(x, value, gradient);
  for (std::size_t i = 0; i < value.size(); ++i)
    settle(x.subspan(i * D, D), value[i], gradient.empty() ? gradient : gradient.subspan(i * D, D));
}

void HostEnergy::call_in_batches(std::span<const double> x, std::span<double> value, std::span<double> gradient) const {
  const auto D = static_cast<std::size_t>(dimension());
  for (std::size_t first = 0; first < value.size();) {
    const std::size_t n = std::min(static_cast<std::size_t>(points_of_call_), value.size() - first);
    const double begin = steady_seconds();
    call(x.subspan(first * D, n * D), value.subspan(first, n), gradient.empty() ? gradient : gradient.subspan(first * D, n * D));
    heartbeat();
    if (!facts_.exact_batches) {
      const double seconds = steady_seconds() - begin;
      if (seconds < short_call) points_of_call_ = std::min(2 * points_of_call_, facts_.batch);
      if (seconds > long_call) points_of_call_ = std::max<std::int64_t>(points_of_call_ / 2, 1);
    }
    first += n;
  }
}

/// One call, of exactly as many points as are asked for where that is so.
void HostEnergy::call(std::span<const double> x, std::span<double> value, std::span<double> gradient) const {
  if (!facts_.exact_batches || std::cmp_equal(value.size(), facts_.batch)) return evaluate_rows(x, value, gradient);
  const auto D = static_cast<std::size_t>(dimension()), n = static_cast<std::size_t>(facts_.batch);
  std::vector<double> filled(x.begin(), x.end()), values(n), gradients(gradient.empty() ? 0 : n * D);
  for (std::size_t i = value.size(); i < n; ++i) filled.insert(filled.end(), x.end() - static_cast<std::ptrdiff_t>(D), x.end());
  evaluate_rows(filled, values, gradients);
  std::copy_n(values.begin(), value.size(), value.begin());
  std::copy_n(gradients.begin(), gradient.size(), gradient.begin());
}

/// Makes of one point's results what the class promises.
void HostEnergy::settle(std::span<const double> x, double& value, std::span<double> gradient) const {
  const auto bad_slope = value == infinity
                             ? gradient.end()
                             : std::find_if(gradient.begin(), gradient.end(), [](double slope) { return !std::isfinite(slope); });
  if (std::isnan(value) || value == -infinity || bad_slope != gradient.end()) {
    if (unknown_.count++ == 0) {
      const bool is_value = !std::isfinite(value);
      unknown_.first = fmt::format("{} = {} at {}", is_value ? "f" : fmt::format("df/dx{}", bad_slope - gradient.begin() + 1),
                                   std::isnan(is_value ? value : *bad_slope) ? nan
                                   : is_value                                ? value
                                                                             : *bad_slope,
                                   place_text(x));
    }
    value = infinity;
  }
  if (value == infinity) std::fill(gradient.begin(), gradient.end(), nan);
}

std::vector<double> HostEnergy::laplacians(std::vector<double> x, std::span<const double> value) const {
  const auto D = static_cast<std::size_t>(dimension());
  std::vector<double> sum(value.size(), 0), moved(value.size()), slopes(facts_.single_precision ? x.size() : 0);
  for (std::size_t k = 0; k < D; ++k) {
    std::vector<double> at(value.size());
    for (std::size_t i = 0; i < at.size(); ++i) at[i] = x[i * D + k];
    for (const double step : {step_[k], -step_[k]}) {
      for (std::size_t i = 0; i < at.size(); ++i) x[i * D + k] = at[i] + step;
      ask(x, moved, slopes);
      for (std::size_t i = 0; i < at.size(); ++i)
        sum[i] += slopes.empty() ? (moved[i] - value[i]) / (step * step) : slopes[i * D + k] / (2 * step);
    }
    for (std::size_t i = 0; i < at.size(); ++i) x[i * D + k] = at[i];
  }
  for (std::size_t i = 0; i < sum.size(); ++i)
    if (!std::isfinite(sum[i]) || !std::isfinite(value[i])) sum[i] = nan;
  return sum;
}

}  // namespace boltzcurve

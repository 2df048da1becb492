#include <boltzcurve/rescaled.hpp>
#include "core/to_device.hpp"

#include <algorithm>
#include <cmath>

namespace boltzcurve {

bool ScaleMap::is_driven(std::size_t k) const {
  const std::size_t D = center.size();
  const auto has = [&](const std::vector<double>& rows) {
    return !rows.empty() && std::any_of(rows.begin() + static_cast<std::ptrdiff_t>(k * D),
                                        rows.begin() + static_cast<std::ptrdiff_t>((k + 1) * D), [](double b) { return b != 0; });
  };
  return has(slope) || has(linear) || has(square);
}

double ScaleMap::log_scale(std::size_t k, const double* x) const {
  const std::size_t D = center.size();
  double s = offset[k];
  for (std::size_t j = 0; j < D; ++j)
    if (const double b = slope[k * D + j]; b != 0) s += b * (x[j] - center[j]);
  return s;
}

double ScaleMap::place(std::size_t k, const double* x) const {
  const std::size_t D = center.size();
  double sum = center[k];
  for (std::size_t j = 0; j < D && moves_places(); ++j) {
    const double from_center = x[j] - center[j];
    if (linear[k * D + j] != 0) sum += linear[k * D + j] * from_center;
    if (square[k * D + j] != 0) sum += square[k * D + j] * from_center * from_center;
  }
  return sum;
}

std::size_t ScaleMap::at(std::size_t place) const { return order.empty() ? place : static_cast<std::size_t>(order[place]); }

void ScaleMap::color(double* y) const {
  const std::size_t D = shift.size();
  for (std::size_t k = D; k-- > 0;) {
    double sum = shift[k];
    for (std::size_t j = 0; j <= k; ++j) sum += factor[k * D + j] * y[j];
    y[k] = sum;
  }
}

double ScaleMap::drive(double* z) const {
  double log_volume = 0;
  for (std::size_t i = 0; i < center.size(); ++i) {
    const std::size_t k = at(i);
    if (!is_driven(k)) continue;
    const double s = log_scale(k, z);
    log_volume += s;
    z[k] = place(k, z) + z[k] * std::exp(s);
  }
  return log_volume;
}

void ScaleMap::to_x(double* y) const {
  color(y);
  drive(y);
}

void ScaleMap::to_z(double* x) const {
  for (std::size_t i = center.size(); i-- > 0;)
    if (const std::size_t k = at(i); is_driven(k)) x[k] = (x[k] - place(k, x)) * std::exp(-log_scale(k, x));
  const std::size_t D = shift.size();
  for (std::size_t k = 0; k < D; ++k) {
    double sum = x[k] - shift[k];
    for (std::size_t j = 0; j < k; ++j) sum -= factor[k * D + j] * x[j];
    x[k] = sum / factor[k * D + k];
  }
}

void ScaleMap::to_x(std::span<double> y) const {
  for (std::size_t at = 0; at < y.size() && !is_identity(); at += dimension()) to_x(&y[at]);
}

void ScaleMap::to_z(std::span<double> x) const {
  for (std::size_t at = 0; at < x.size() && !is_identity(); at += dimension()) to_z(&x[at]);
}

double ScaleMap::log_volume(const double* y) const {
  std::vector<double> z(y, y + dimension());
  color(z.data());
  double sum = drive(z.data());
  for (std::size_t k = 0; k < shift.size(); ++k) sum += std::log(factor[k * shift.size() + k]);
  return sum;
}

detail::DeviceScaleMap::DeviceScaleMap(const ScaleMap& map) {
  const std::size_t D = map.center.size();
  std::vector<int> driven_list, driver_list, place_list(D, -1);
  for (std::size_t k = 0; k < D; ++k) {
    if (map.is_driven(k)) {
      place_list[k] = static_cast<int>(driven_list.size());
      driven_list.push_back(static_cast<int>(k));
    }
    for (std::size_t l = 0; l < D; ++l)
      if (map.slope[l * D + k] != 0) {
        driver_list.push_back(static_cast<int>(k));
        break;
      }
  }
  std::vector<double> offset_list, slope_list;
  for (const int k : driven_list) {
    offset_list.push_back(map.offset[static_cast<std::size_t>(k)]);
    for (const int j : driver_list) slope_list.push_back(map.slope[static_cast<std::size_t>(k) * D + static_cast<std::size_t>(j)]);
  }
  driven = to_device<int>("boltzcurve::scale_map_driven", driven_list);
  drivers = to_device<int>("boltzcurve::scale_map_drivers", driver_list);
  place = to_device<int>("boltzcurve::scale_map_place", place_list);
  center = to_device<double>("boltzcurve::scale_map_center", map.center);
  offset = to_device<double>("boltzcurve::scale_map_offset", offset_list);
  slopes = to_device<double>("boltzcurve::scale_map_slopes", slope_list);
}

}  // namespace boltzcurve

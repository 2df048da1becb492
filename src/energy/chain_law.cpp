#include "energy/chain_law.hpp"

#include <boltzcurve/counter_rng.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace boltzcurve {
namespace {

/// Below this a density counts as zero; finite, so that interpolation stays a number.
constexpr double log_of_zero = -1e4;

double safe_log(double x) { return x > 0 ? std::log(x) : log_of_zero; }

}  // namespace

ChainLaw::Nodes ChainLaw::Nodes::between(double lower, double upper, double spacing) {
  const auto cells = static_cast<std::size_t>(std::ceil((upper - lower) / spacing));
  return {lower, (upper - lower) / static_cast<double>(cells), cells + 1};
}

ChainLaw::ChainLaw(std::size_t sites, Nodes nodes, const Site& first, Bond bond, const Site& last)
    : sites_(sites), nodes_(nodes), first_(first), bond_(std::move(bond)), ring_(false), logs_(sites) {
  const std::size_t M = nodes_.count;
  const auto rows = transfer_matrix();

  double scale = 0;  // log of what `sums` was divided by so far
  std::vector<double> sums(M);
  for (std::size_t k = 0; k < M; ++k) sums[k] = std::exp(-last(nodes_.at(k)));
  for (std::size_t i = sites; i-- > 0;) {
    if (i + 1 < sites) {
      std::vector<double> next(M);
      for (std::size_t k = 0; k < M; ++k)
        for (std::size_t l = 0; l < rows[k].size(); ++l) next[k] += rows[k][l] * sums[windows_[k].begin + l];
      sums = std::move(next);
    }
    const double top = *std::max_element(sums.begin(), sums.end());
    scale += std::log(top);
    for (double& sum : sums) sum /= top;
    for (const double sum : sums) logs_[i].push_back(safe_log(sum));
  }
  double sum = 0;
  for (std::size_t k = 0; k < M; ++k) sum += sums[k] * std::exp(-first_(nodes_.at(k)));
  log_z_ = std::log(sum * nodes_.spacing) + scale;
}

ChainLaw::ChainLaw(std::size_t sites, Nodes nodes, Bond bond) : sites_(sites), nodes_(nodes), bond_(std::move(bond)), ring_(true) {
  const std::size_t M = nodes_.count;
  const auto rows = transfer_matrix();
  std::vector<double> power(M * M), product(M * M);
  for (std::size_t k = 0; k < M; ++k) std::copy(rows[k].begin(), rows[k].end(), &power[k * M + windows_[k].begin]);
  double scale = 0;
  for (std::size_t p = 1; p <= sites; ++p) {
    if (p > 1) {
      std::fill(product.begin(), product.end(), 0.0);
      for (std::size_t k = 0; k < M; ++k)
        for (std::size_t m = 0; m < M; ++m) {
          const double factor = power[k * M + m];
          if (factor < 1e-60) continue;
          double* const to = &product[k * M + windows_[m].begin];
          for (std::size_t l = 0; l < rows[m].size(); ++l) to[l] += factor * rows[m][l];
        }
      power.swap(product);
    }
    const double top = *std::max_element(power.begin(), power.end());
    scale += std::log(top);
    for (double& entry : power) entry /= top;
    Logs logs;
    for (const double entry : power) logs.push_back(safe_log(entry));
    logs_.push_back(std::move(logs));
  }
  double trace = 0;
  for (std::size_t k = 0; k < M; ++k) trace += power[k * M + k];
  log_z_ = std::log(trace) + scale;
}

std::vector<std::vector<double>> ChainLaw::transfer_matrix() {
  const std::size_t M = nodes_.count;
  std::vector<std::vector<double>> rows;
  for (std::size_t k = 0; k < M; ++k) {
    std::vector<double> weights(M);
    for (std::size_t l = 0; l < M; ++l) weights[l] = std::exp(-bond_(nodes_.at(k), nodes_.at(l))) * nodes_.spacing;
    const double least = 1e-60 * *std::max_element(weights.begin(), weights.end());
    std::size_t begin = 0, end = M;
    while (begin < end && weights[begin] <= least) ++begin;
    while (begin < end && weights[end - 1] <= least) --end;
    windows_.push_back({begin, end});
    rows.emplace_back(weights.begin() + static_cast<std::ptrdiff_t>(begin), weights.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return rows;
}

double ChainLaw::probability_above_zero(std::size_t site) const {
  const std::size_t M = nodes_.count;
  std::vector<double> density(M);
  if (ring_) {
    for (std::size_t k = 0; k < M; ++k) density[k] = std::exp(logs_.back()[k * M + k]);
  } else {
    // from the first site forward
    for (std::size_t k = 0; k < M; ++k) density[k] = std::exp(-first_(nodes_.at(k)));
    for (std::size_t i = 0; i < site; ++i) {
      std::vector<double> next(M);
      for (std::size_t k = 0; k < M; ++k) {
        if (density[k] < 1e-60) continue;
        for (std::size_t l = windows_[k].begin; l < windows_[k].end; ++l)
          next[l] += density[k] * std::exp(-bond_(nodes_.at(k), nodes_.at(l)));
      }
      const double top = *std::max_element(next.begin(), next.end());
      for (std::size_t k = 0; k < M; ++k) density[k] = next[k] / top;
    }
    for (std::size_t k = 0; k < M; ++k) density[k] *= std::exp(logs_[site][k]);
  }
  // Simpson's weights would have to end at 0; a node there counts half
  double above = 0, all = 0;
  for (std::size_t k = 0; k < M; ++k) {
    all += density[k];
    const double x = nodes_.at(k) / nodes_.spacing;
    above += density[k] * std::clamp(x + 0.5, 0.0, 1.0);
  }
  return above / all;
}

double ChainLaw::interpolated(const double* logs, double x) const {
  // Lagrange's cubic through the four nodes around x. It must not swing above them next to a node without mass.
  const double place = (x - nodes_.lower) / nodes_.spacing;
  const double base = std::clamp(std::floor(place), 1.0, static_cast<double>(nodes_.count) - 3);
  const double s = place - base;
  const double* at = logs + static_cast<std::size_t>(base);
  const double cubic = -at[-1] * s * (s - 1) * (s - 2) / 6 + at[0] * (s + 1) * (s - 1) * (s - 2) / 2 - at[1] * (s + 1) * s * (s - 2) / 2 +
                       at[2] * (s + 1) * s * (s - 1) / 6;
  return std::min(cubic, std::max(at[0], at[1]) + 0.1);
}

double ChainLaw::draw_from(CounterRng& rng, const std::function<double(double)>& energy, const double* logs, Window cells) const {
  const double shift = rng.uniform() * nodes_.spacing;
  std::vector<double> exponents(cells.end - cells.begin);
  double top = std::numeric_limits<double>::lowest();
  for (std::size_t k = 0; k < exponents.size(); ++k) {
    const double x = nodes_.at(cells.begin + k) + shift;
    top = std::max(top, exponents[k] = interpolated(logs, x) - energy(x));
  }
  double sum = 0;
  for (double& number : exponents) {
    sum += number > top - 60 ? std::exp(number - top) : 0;
    number = sum;
  }
  const double mass = rng.uniform() * sum;
  const auto place = std::upper_bound(exponents.begin(), exponents.end() - 1, mass) - exponents.begin();
  return nodes_.at(cells.begin + static_cast<std::size_t>(place)) + shift;
}

void ChainLaw::draw(CounterRng& rng, double* x) const {
  const std::size_t M = nodes_.count;
  const Window all{0, M - 1};
  const auto bond_from = [this](double before) { return [this, before](double y) { return bond_(before, y); }; };
  if (!ring_) {
    x[0] = draw_from(rng, first_, logs_[0].data(), all);
    for (std::size_t i = 1; i < sites_; ++i) {
      // cells that matter to either node beside x[i - 1], and one more each way
      const auto before = std::min(static_cast<std::size_t>((x[i - 1] - nodes_.lower) / nodes_.spacing), M - 2);
      const Window a = windows_[before], b = windows_[before + 1];
      const std::size_t begin = std::min(a.begin, b.begin), end = std::max(a.end, b.end);
      x[i] = draw_from(rng, bond_from(x[i - 1]), logs_[i].data(), {begin - (begin > 0 ? 1 : 0), std::min(end, M - 1)});
    }
    return;
  }
  Logs logs(M);
  for (std::size_t k = 0; k < M; ++k) logs[k] = logs_.back()[k * M + k];
  x[0] = draw_from(
      rng, [](double) { return 0.0; }, logs.data(), all);
  for (std::size_t i = 1; i < sites_; ++i) {
    // what is left of the ring from each node back to x[0]
    const Logs& rest = logs_[sites_ - i - 1];
    for (std::size_t k = 0; k < M; ++k) logs[k] = interpolated(&rest[k * M], x[0]);
    x[i] = draw_from(rng, bond_from(x[i - 1]), logs.data(), all);
  }
}

}  // namespace boltzcurve

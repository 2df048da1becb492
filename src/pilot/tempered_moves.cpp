#include "pilot/tempered_moves.hpp"
#include <boltzcurve/counter_rng.hpp>
#include "core/heartbeat.hpp"
#include "simd/pack.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace boltzcurve {
namespace {

/// Particles that a thread works on at once, their numbers side by side. All tiles are whole, those that fill the last one are nobody's:
/// the same instructions for every particle, so the same bits at every place.
#ifdef BOLTZCURVE_ONE_LANE
constexpr int lanes = 1;
#else
constexpr int lanes = 32;
#endif

// Steps are drawn log-uniformly from [step/4, step], for one particle in four from [step/256, step]: where a target is much stiffer than
// where most of its mass is (the neck of a funnel), those are the ones that move.
constexpr double log_jitter = 1.3862943611198906, log_fine_jitter = 4 * log_jitter, fine_share = 0.25;
constexpr double negligible = -40;  // log of a component's share in a mixture

struct Lanes {
  double at[lanes];

  KOKKOS_FORCEINLINE_FUNCTION void fill(double value) {
    for (int i = 0; i < lanes; ++i) at[i] = value;
  }
  KOKKOS_FORCEINLINE_FUNCTION void add(double factor, const double* x) {
    for (int i = 0; i < lanes; ++i) at[i] += factor * x[i];
  }
};

std::size_t whole_tiles(std::int64_t count) {
  // An odd number: at a distance of a power of two columns would share the same few places of the cache.
  const auto tiles = (count + lanes - 1) / lanes;
  return static_cast<std::size_t>((tiles + (tiles % 2 == 0)) * lanes);
}

/// A lower triangle's inverse; rows one after the other.
std::vector<double> inverse_of_triangle(std::span<const double> L, std::size_t D) {
  std::vector<double> W(D * D, 0.0);
  for (std::size_t j = 0; j < D; ++j) {
    W[j * D + j] = 1 / L[j * D + j];
    for (std::size_t i = j + 1; i < D; ++i) {
      double sum = 0;
      for (std::size_t k = j; k < i; ++k) sum += L[i * D + k] * W[k * D + j];
      W[i * D + j] = -sum / L[i * D + i];
    }
  }
  return W;
}

void upload(const Kokkos::View<double*>& to, std::span<const double> from) {
  const auto host = Kokkos::create_mirror_view(to);
  for (std::size_t i = 0; i < from.size(); ++i) host(i) = from[i];
  Kokkos::deep_copy(to, host);
}

}  // namespace

TemperedMoves::TemperedMoves(const Energy& target, const ReferenceLaw& reference, Shard shard, std::uint64_t seed)
    : target_(&target), shard_(shard), seed_(seed), D_(target.dimension()), components_(static_cast<int>(reference.components())) {
  const auto D = static_cast<std::size_t>(D_), n = whole_tiles(shard.count), C = reference.components();
  auto means = reference.mean;
  means.insert(means.end(), reference.means.begin(), reference.means.end());
  factors_ = reference.factor;
  factors_.insert(factors_.end(), reference.factors.begin(), reference.factors.end());
  std::vector<double> whitening, cumulative(C, 1.0);
  for (std::size_t c = 0; c < C; ++c) {
    const auto W = inverse_of_triangle(std::span(factors_).subspan(c * D * D, D * D), D);
    whitening.insert(whitening.end(), W.begin(), W.end());
  }
  for (std::size_t c = C - 1; c > 0; --c) cumulative[c - 1] = cumulative[c] - reference.weight[c - 1];
  mean_ = Kokkos::View<double*>("boltzcurve::population_mean", C * D);
  factor_ = Kokkos::View<double*>("boltzcurve::population_factor", C * D * D);
  whitening_ = Kokkos::View<double*>("boltzcurve::population_whitening", C * D * D);
  metric_ = Kokkos::View<double*>("boltzcurve::population_metric", C * D * D);
  log_weight_ = Kokkos::View<double*>("boltzcurve::population_weight", C);
  cumulative_ = Kokkos::View<double*>("boltzcurve::population_cumulative", C);
  component_ = Points<double>("boltzcurve::population_component", n, C);
  chosen_ = Kokkos::View<int*>("boltzcurve::population_chosen", n);
  upload(mean_, means);
  upload(factor_, factors_);
  upload(whitening_, whitening);
  upload(log_weight_, reference.log_weights());
  upload(cumulative_, cumulative);
  set_metric(reference.factor);
  position_ = Points<double>("boltzcurve::population", n, D);
  energy_ = Points<double>("boltzcurve::population_energy", n, D + 1);
  momentum_ = Points<double>("boltzcurve::population_momentum", n, D);
  whitened_ = Points<double>("boltzcurve::population_whitened", n, D);
  slope_ = Points<double>("boltzcurve::population_slope", n, D);
  kept_position_ = Points<double>("boltzcurve::population_kept", n, D);
  kept_energy_ = Points<double>("boltzcurve::population_kept_energy", n, D + 1);
  reference_energy_ = PointScalars<double>("boltzcurve::population_reference", n);
  kept_reference_energy_ = PointScalars<double>("boltzcurve::population_kept_reference", n);
  step_ = PointScalars<double>("boltzcurve::population_step", n);
  threshold_ = PointScalars<double>("boltzcurve::population_threshold", n);
  hamiltonian_ = PointScalars<double>("boltzcurve::population_hamiltonian", n);
  lost_ = Kokkos::View<int*>("boltzcurve::population_lost", n);
  accepted_ = Kokkos::View<int*>("boltzcurve::population_accepted", n);
  draw_reference_points(0);  // those that fill the last tile stay where they are
}

void TemperedMoves::draw_reference_points(std::uint64_t stage) {
  const auto n = position_.extent(0), D = position_.extent(1);
  const auto seed = seed_;
  const auto first = static_cast<std::uint64_t>(shard_.first);
  const auto position = position_, z = whitened_;
  const auto mean = mean_, factor = factor_, cumulative = cumulative_;
  const auto C = static_cast<std::size_t>(components_);
  Kokkos::parallel_for(
      "boltzcurve::population_draw", n, KOKKOS_LAMBDA(const std::size_t i) {
        CounterRng rng(seed, RandomStream::population_starts, 1 + stage, first + i);
        std::size_t c = 0;
        if (C > 1)
          for (const double u = rng.uniform(); c + 1 < C && u >= cumulative(c);) ++c;
        for (std::size_t k = 0; k < D; ++k) z(i, k) = rng.normal();
        for (std::size_t k = 0; k < D; ++k) {
          double sum = 0;
          for (std::size_t l = 0; l <= k; ++l) sum += factor((c * D + k) * D + l) * z(i, l);
          position(i, k) = mean(c * D + k) + sum;
        }
      });
}

void TemperedMoves::draw_reference(std::uint64_t stage) {
  draw_reference_points(stage);
  evaluate();
  kick(0, Kick::features, false);
}

void TemperedMoves::place(std::span<const double> x) {
  const auto D = static_cast<std::size_t>(D_);
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), position_);
  for (std::size_t i = 0; i < x.size() / D; ++i)
    for (std::size_t k = 0; k < D; ++k) host(i, k) = x[i * D + k];
  Kokkos::deep_copy(position_, host);
  evaluate();
  kick(0, Kick::features, false);
}

void TemperedMoves::resample(std::span<const std::int64_t> parents) {
  const Kokkos::View<std::int64_t*> parent("boltzcurve::population_parent", position_.extent(0));
  const auto host = Kokkos::create_mirror_view(parent);
  for (std::size_t i = 0; i < host.extent(0); ++i) host(i) = i < parents.size() ? parents[i] : static_cast<std::int64_t>(i);
  Kokkos::deep_copy(parent, host);
  Kokkos::deep_copy(kept_position_, position_);
  Kokkos::deep_copy(kept_energy_, energy_);
  Kokkos::deep_copy(kept_reference_energy_, reference_energy_);
  const auto D = position_.extent(1);
  const auto position = position_, energy = energy_, old_position = kept_position_, old_energy = kept_energy_;
  const auto reference = reference_energy_, old_reference = kept_reference_energy_;
  Kokkos::parallel_for(
      "boltzcurve::population_resample", position_.extent(0), KOKKOS_LAMBDA(const std::size_t i) {
        const std::int64_t from = parent(i);
        for (std::size_t k = 0; k < D; ++k) position(i, k) = old_position(from, k);
        for (std::size_t k = 0; k <= D; ++k) energy(i, k) = old_energy(from, k);
        reference(i) = old_reference(from);
      });
}

void TemperedMoves::set_metric(std::span<const double> factor) {
  std::copy(factor.begin(), factor.end(), factors_.begin());
  upload(metric_, factors_);
}

void TemperedMoves::evaluate() {
  target_->evaluate(position_, energy_, Wanted::gradient);
  evaluations_ += shard_.count;
}

/// From x and the target there: f_0, the slopes of f_b and, unless features alone are wanted, the momenta's and positions' next step.
void TemperedMoves::kick(double b, Kick kick, bool drift) {
  const auto D = static_cast<std::int64_t>(D_);
  const std::int64_t tiles = static_cast<std::int64_t>(position_.extent(0)) / lanes;
  const auto rows = static_cast<std::int64_t>(position_.extent(0));
  double *const x = position_.data(), *const f = energy_.data(), *const p = momentum_.data(), *const w = whitened_.data(),
                *const s = slope_.data(), *const f_0 = reference_energy_.data(), *const step = step_.data();
  int *const lost = lost_.data(), *const chosen = chosen_.data();
  const double *const means = mean_.data(), *const whitenings = whitening_.data(), *const metrics = metric_.data(),
                      *const log_weight = log_weight_.data();
  double* const component = component_.data();
  const std::int64_t C = components_;
  const double share = kick == Kick::half ? 0.5 : kick == Kick::whole ? 1.0 : 0.0;
  Kokkos::parallel_for(
      "boltzcurve::population_kick", Kokkos::RangePolicy<Kokkos::IndexType<std::int64_t>>(0, tiles),
      KOKKOS_LAMBDA(const std::int64_t tile) {
        const std::int64_t first = tile * lanes;
        const auto column = [&](double* of, std::int64_t k) { return of + k * rows + first; };
        Lanes sum, square;
        // w = L_c^-1 (x - m_c), square = |w|^2
        const auto whiten = [&](std::int64_t c) {
          const double *const mean = means + c * D, *const whitening = whitenings + c * D * D;
          square.fill(0);
          for (std::int64_t k = 0; k < D; ++k) {
            sum.fill(0);
            for (std::int64_t l = 0; l <= k; ++l) {
              const double factor = whitening[k * D + l], middle = mean[l];
              const double* const of = column(x, l);
              for (int i = 0; i < lanes; ++i) sum.at[i] += factor * (of[i] - middle);
            }
            double* const to = column(w, k);
            for (int i = 0; i < lanes; ++i) {
              to[i] = sum.at[i];
              square.at[i] += sum.at[i] * sum.at[i];
            }
          }
        };

        // 1. log w_c N(x; c) of all components; f_0 = -log of their sum, from the largest of them.
        Lanes largest;
        largest.fill(-1e308);
        for (std::int64_t c = 0; c < C; ++c) {
          whiten(c);
          double* const to = column(component, c);
          for (int i = 0; i < lanes; ++i) {
            to[i] = log_weight[c] - 0.5 * square.at[i];
            largest.at[i] = to[i] > largest.at[i] ? to[i] : largest.at[i];
          }
        }
        sum.fill(0);
        for (std::int64_t c = 0; c < C && C > 1; ++c)
          for (int i = 0; i < lanes; ++i) {
            const double below = column(component, c)[i] - largest.at[i];
            if (below > negligible) sum.at[i] += std::exp(below);
          }
        for (int i = 0; i < lanes; ++i) f_0[first + i] = -largest.at[i] - (C > 1 ? std::log(sum.at[i]) : 0);

        // 2. grad f_b = b grad f_D + (1 - b) sum_c r_c L_c^-T w; lost where it is not finite.
        square.fill(0);
        const double* const value = column(f, 0);
        for (std::int64_t k = 0; k < D; ++k) {
          const double* const gradient = column(f, k + 1);
          double* const to = column(s, k);
          for (int i = 0; i < lanes; ++i) {
            to[i] = b * gradient[i];
            square.at[i] += std::fabs(gradient[i]);
          }
        }
        const Lanes slopes = square;
        for (std::int64_t c = 0; c < C && b < 1; ++c) {
          Lanes share_of;
          share_of.fill(1 - b);
          if (C > 1) {
            bool any = false;
            for (int i = 0; i < lanes; ++i) {
              const double log_share = column(component, c)[i] + f_0[first + i];
              share_of.at[i] = log_share > negligible ? (1 - b) * std::exp(log_share) : 0;
              any = any || share_of.at[i] > 0;
            }
            if (!any) continue;
            whiten(c);
          }
          const double* const whitening = whitenings + c * D * D;
          for (std::int64_t k = 0; k < D; ++k) {
            sum.fill(0);
            for (std::int64_t l = k; l < D; ++l) sum.add(whitening[l * D + k], column(w, l));
            double* const to = column(s, k);
            for (int i = 0; i < lanes; ++i)
              if (share_of.at[i] > 0) to[i] += share_of.at[i] * sum.at[i];
          }
        }
        Lanes length;
        for (int i = 0; i < lanes; ++i) {
          const bool finite = std::fabs(value[i]) < 1e300 && slopes.at[i] < 1e300;
          if (!finite) lost[first + i] = 1;
          length.at[i] = lost[first + i] ? 0 : step[first + i];
        }

        // 3. Whitened slopes L^T grad f_b; p -= e times those. Features are whitened by the first metric, row k from rows l >= k, so in
        // place.
        const auto rotate = [&](std::int64_t c, std::int64_t k) {
          const double* const L = metrics + c * D * D;
          sum.fill(0);
          for (std::int64_t l = k; l < D; ++l) sum.add(L[l * D + k], column(s, l));
        };
        const auto anyone_has = [&](std::int64_t c) {
          bool any = C == 1;
          for (int i = 0; i < lanes; ++i) any = any || chosen[first + i] == c;
          return any;
        };
        if (share == 0)
          for (std::int64_t k = 0; k < D; ++k) {
            rotate(0, k);
            double* const to = column(s, k);
            for (int i = 0; i < lanes; ++i) to[i] = sum.at[i];
          }
        else
          for (std::int64_t c = 0; c < C; ++c) {
            if (!anyone_has(c)) continue;
            for (std::int64_t k = 0; k < D; ++k) {
              rotate(c, k);
              double* const momentum = column(p, k);
              for (int i = 0; i < lanes; ++i)
                if (length.at[i] > 0 && chosen[first + i] == c) momentum[i] -= share * length.at[i] * sum.at[i];
            }
          }

        // 4. x += e L p
        for (std::int64_t c = 0; c < C && drift; ++c) {
          if (!anyone_has(c)) continue;
          const double* const L = metrics + c * D * D;
          for (std::int64_t k = 0; k < D; ++k) {
            sum.fill(0);
            for (std::int64_t l = 0; l <= k; ++l) sum.add(L[k * D + l], column(p, l));
            double* const to = column(x, k);
            for (int i = 0; i < lanes; ++i)
              if (chosen[first + i] == c) to[i] += length.at[i] * sum.at[i];
          }
        }
      });
}

void TemperedMoves::begin_move(double b, double step, std::uint64_t stage) {
  Kokkos::deep_copy(kept_position_, position_);
  Kokkos::deep_copy(kept_energy_, energy_);
  Kokkos::deep_copy(kept_reference_energy_, reference_energy_);
  const auto D = position_.extent(1);
  const auto count = static_cast<std::size_t>(shard_.count);
  const auto seed = seed_;
  const auto first = static_cast<std::uint64_t>(shard_.first);
  const auto momentum = momentum_, energy = energy_;
  const auto reference = reference_energy_, own_step = step_, threshold = threshold_, hamiltonian = hamiltonian_;
  const auto lost = lost_, chosen = chosen_;
  const auto component = component_;
  const int C = components_;
  Kokkos::parallel_for(
      "boltzcurve::population_momenta", position_.extent(0), KOKKOS_LAMBDA(const std::size_t i) {
        CounterRng rng(seed, RandomStream::population_moves, stage, first + i);
        const double jitter = (rng.uniform() < fine_share ? log_fine_jitter : log_jitter) * rng.uniform();
        threshold(i) = std::log(rng.uniform());
        int c = 0;
        double log_share = 0;
        if (C > 1) {
          double left = rng.uniform();
          for (;; ++c) {
            log_share = component(i, c) + reference(i);
            left -= std::exp(log_share);
            if (left < 0 || c + 1 == C) break;
          }
        }
        chosen(i) = c;
        own_step(i) = i < count ? step * std::exp(-jitter) : 0;
        double square = 0;
        for (std::size_t k = 0; k < D; ++k) {
          const double p = rng.normal();
          momentum(i, k) = p;
          square += p * p;
        }
        hamiltonian(i) = b * energy(i, 0) + (1 - b) * reference(i) + 0.5 * square - log_share;
        lost(i) = !(std::fabs(energy(i, 0)) < 1e300);
      });
}

std::int64_t TemperedMoves::end_move(double b) {
  const auto D = position_.extent(1);
  const auto position = position_, energy = energy_, momentum = momentum_, old_position = kept_position_, old_energy = kept_energy_;
  const auto reference = reference_energy_, old_reference = kept_reference_energy_, threshold = threshold_, hamiltonian = hamiltonian_;
  const auto lost = lost_, accepted = accepted_, chosen = chosen_;
  const auto component = component_;
  const bool mixture = components_ > 1;
  Kokkos::parallel_for(
      "boltzcurve::population_accept", position_.extent(0), KOKKOS_LAMBDA(const std::size_t i) {
        double square = 0;
        for (std::size_t k = 0; k < D; ++k) square += momentum(i, k) * momentum(i, k);
        const double log_share = mixture ? component(i, chosen(i)) + reference(i) : 0;
        const double end = b * energy(i, 0) + (1 - b) * reference(i) + 0.5 * square - log_share;
        accepted(i) = !lost(i) && threshold(i) < hamiltonian(i) - end;  // false of NaN
        if (accepted(i)) return;
        for (std::size_t k = 0; k < D; ++k) position(i, k) = old_position(i, k);
        for (std::size_t k = 0; k <= D; ++k) energy(i, k) = old_energy(i, k);
        reference(i) = old_reference(i);
      });
  std::int64_t sum = 0;
  Kokkos::parallel_reduce(
      "boltzcurve::population_accepted", static_cast<std::size_t>(shard_.count),
      KOKKOS_LAMBDA(const std::size_t i, std::int64_t& yes) { yes += accepted(i); }, sum);
  return sum;
}

std::int64_t TemperedMoves::move(double b, double step, int leaps, std::uint64_t stage) {
  if (components_ > 1) kick(b, Kick::features, false);  // the components' densities where the particles are now
  begin_move(b, step, stage);
  for (int leap = 0; leap < leaps; ++leap) {
    kick(b, leap == 0 ? Kick::half : Kick::whole, true);
    evaluate();
  }
  kick(b, Kick::half, false);
  return end_move(b);
}

std::vector<double> TemperedMoves::features(double b) {
  Kokkos::deep_copy(lost_, 0);
  kick(b, Kick::features, false);
  const auto D = static_cast<std::size_t>(D_);
  const auto slope = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), slope_);
  const auto energy = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), energy_);
  const auto reference = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), reference_energy_);
  std::vector<double> features(static_cast<std::size_t>(shard_.count) * (D + 1), 0.0);
  for (std::size_t i = 0; i < static_cast<std::size_t>(shard_.count); ++i) {
    if (!std::isfinite(energy(i, 0))) continue;
    double* const to = &features[i * (D + 1)];
    for (std::size_t k = 0; k < D; ++k) to[k] = slope(i, k) / std::sqrt(1 + slope(i, k) * slope(i, k));
    to[D] = b * energy(i, 0) + (1 - b) * reference(i);
  }
  return features;
}

std::vector<double> TemperedMoves::rows(const Points<double>& from, std::size_t first_column, std::size_t columns) const {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), from);
  std::vector<double> values(static_cast<std::size_t>(shard_.count) * columns);
  for (std::size_t i = 0; i < static_cast<std::size_t>(shard_.count); ++i)
    for (std::size_t k = 0; k < columns; ++k) values[i * columns + k] = host(i, first_column + k);
  return values;
}

std::vector<double> TemperedMoves::position() const { return rows(position_, 0, static_cast<std::size_t>(D_)); }
std::vector<double> TemperedMoves::gradient() const { return rows(energy_, 1, static_cast<std::size_t>(D_)); }
std::vector<double> TemperedMoves::energy() const { return rows(energy_, 0, 1); }

std::vector<double> TemperedMoves::whitened() const {
  const auto D = static_cast<std::size_t>(D_);
  const auto mean = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), mean_);
  const auto whitening = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), whitening_);
  const auto x = position();
  std::vector<double> w(x.size());
  for (std::size_t i = 0; i < x.size() / D; ++i)
    for (std::size_t k = 0; k < D; ++k) {
      double sum = 0;
      for (std::size_t l = 0; l <= k; ++l) sum += whitening(k * D + l) * (x[i * D + l] - mean(l));
      w[i * D + k] = sum;
    }
  return w;
}

std::vector<double> TemperedMoves::log_ratio() const {
  const auto energy = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), energy_);
  const auto reference = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), reference_energy_);
  std::vector<double> ratio(static_cast<std::size_t>(shard_.count));
  for (std::size_t i = 0; i < ratio.size(); ++i) {
    const bool finite = std::fabs(energy(i, 0)) < 1e300;
    ratio[i] = finite ? reference(i) - energy(i, 0) : -std::numeric_limits<double>::infinity();
  }
  return ratio;
}

Moved moved_at_target(const Communicator& ranks, const Energy& target, std::span<const double> x, std::int64_t first,
                      const std::vector<double>& metric, double step, int leaps, int rounds, std::uint64_t seed, std::uint64_t stage) {
  const auto D = static_cast<std::size_t>(target.dimension());
  auto shard = shard_of(static_cast<std::int64_t>(x.size() / D), 1, ranks.rank(), ranks.size());
  const auto mine = x.subspan(static_cast<std::size_t>(shard.first) * D, static_cast<std::size_t>(shard.count) * D);
  shard.first += first;
  TemperedMoves moves(target, {std::vector<double>(D, 0.0), metric}, shard, seed);
  moves.place(mine);
  for (int round = 0; round < rounds; ++round) {
    moves.move(1, step, leaps, stage + static_cast<std::uint64_t>(round));
    heartbeat();
  }
  const auto gathered = [&](const std::vector<double>& values) { return ranks.all_gather(std::span<const double>(values)); };
  const std::int64_t evaluations = moves.evaluations();
  return {gathered(moves.position()), gathered(moves.gradient()), gathered(moves.energy()), ranks.sum(evaluations)};
}

}  // namespace boltzcurve

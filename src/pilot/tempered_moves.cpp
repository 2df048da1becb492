#include "pilot/tempered_moves.hpp"
#include <boltzcurve/counter_rng.hpp>
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
std::vector<double> inverse_of_triangle(const std::vector<double>& L, std::size_t D) {
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
    : target_(&target), shard_(shard), seed_(seed), D_(target.dimension()), log_normalizer_(reference.log_normalizer()) {
  const auto D = static_cast<std::size_t>(D_), n = whole_tiles(shard.count);
  mean_ = Kokkos::View<double*>("boltzcurve::population_mean", D);
  factor_ = Kokkos::View<double*>("boltzcurve::population_factor", D * D);
  whitening_ = Kokkos::View<double*>("boltzcurve::population_whitening", D * D);
  metric_ = Kokkos::View<double*>("boltzcurve::population_metric", D * D);
  upload(mean_, reference.mean);
  upload(factor_, reference.factor);
  upload(whitening_, inverse_of_triangle(reference.factor, D));
  upload(metric_, reference.factor);
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
  const auto mean = mean_, factor = factor_;
  Kokkos::parallel_for(
      "boltzcurve::population_draw", n, KOKKOS_LAMBDA(const std::size_t i) {
        CounterRng rng(seed, RandomStream::population_starts, 1 + stage, first + i);
        for (std::size_t k = 0; k < D; ++k) z(i, k) = rng.normal();
        for (std::size_t k = 0; k < D; ++k) {
          double sum = 0;
          for (std::size_t l = 0; l <= k; ++l) sum += factor(k * D + l) * z(i, l);
          position(i, k) = mean(k) + sum;
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

void TemperedMoves::set_metric(std::span<const double> factor) { upload(metric_, factor); }

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
  int* const lost = lost_.data();
  const double *const mean = mean_.data(), *const whitening = whitening_.data(), *const metric = metric_.data();
  const double offset = log_normalizer_, share = kick == Kick::half ? 0.5 : kick == Kick::whole ? 1.0 : 0.0;
  Kokkos::parallel_for(
      "boltzcurve::population_kick", Kokkos::RangePolicy<Kokkos::IndexType<std::int64_t>>(0, tiles),
      KOKKOS_LAMBDA(const std::int64_t tile) {
        const std::int64_t first = tile * lanes;
        const auto column = [&](double* of, std::int64_t k) { return of + k * rows + first; };
        Lanes sum, square;
        // 1. w = L_0^-1 (x - m_0), f_0 = |w|^2 / 2 + ...
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
        for (int i = 0; i < lanes; ++i) f_0[first + i] = 0.5 * square.at[i] + offset;

        // 2. grad f_b = b grad f_D + (1 - b) L_0^-T w, in place of w; lost where it is not finite.
        square.fill(0);
        const double* const value = column(f, 0);
        for (std::int64_t k = 0; k < D; ++k) {
          sum.fill(0);
          if (b < 1)
            for (std::int64_t l = k; l < D; ++l) sum.add((1 - b) * whitening[l * D + k], column(w, l));
          const double* const gradient = column(f, k + 1);
          double* const to = column(s, k);
          for (int i = 0; i < lanes; ++i) {
            to[i] = b * gradient[i] + sum.at[i];
            square.at[i] += std::fabs(gradient[i]);
          }
        }
        Lanes length;
        for (int i = 0; i < lanes; ++i) {
          const bool finite = std::fabs(value[i]) < 1e300 && square.at[i] < 1e300;
          if (!finite) lost[first + i] = 1;
          length.at[i] = lost[first + i] ? 0 : step[first + i];
        }

        // 3. Whitened slopes, row k from rows l >= k, so in place; p -= e L^T grad f_b.
        for (std::int64_t k = 0; k < D; ++k) {
          sum.fill(0);
          for (std::int64_t l = k; l < D; ++l) sum.add(metric[l * D + k], column(s, l));
          double *const to = column(s, k), *const momentum = column(p, k);
          for (int i = 0; i < lanes; ++i) {
            to[i] = sum.at[i];
            if (length.at[i] > 0) momentum[i] -= share * length.at[i] * sum.at[i];
          }
        }

        // 4. x += e L p
        if (!drift) return;
        for (std::int64_t k = 0; k < D; ++k) {
          sum.fill(0);
          for (std::int64_t l = 0; l <= k; ++l) sum.add(metric[k * D + l], column(p, l));
          double* const to = column(x, k);
          for (int i = 0; i < lanes; ++i) to[i] += length.at[i] * sum.at[i];
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
  const auto lost = lost_;
  Kokkos::parallel_for(
      "boltzcurve::population_momenta", position_.extent(0), KOKKOS_LAMBDA(const std::size_t i) {
        CounterRng rng(seed, RandomStream::population_moves, stage, first + i);
        const double jitter = (rng.uniform() < fine_share ? log_fine_jitter : log_jitter) * rng.uniform();
        own_step(i) = i < count ? step * std::exp(-jitter) : 0;
        threshold(i) = std::log(rng.uniform());
        double square = 0;
        for (std::size_t k = 0; k < D; ++k) {
          const double p = rng.normal();
          momentum(i, k) = p;
          square += p * p;
        }
        hamiltonian(i) = b * energy(i, 0) + (1 - b) * reference(i) + 0.5 * square;
        lost(i) = !(std::fabs(energy(i, 0)) < 1e300);
      });
}

std::int64_t TemperedMoves::end_move(double b) {
  const auto D = position_.extent(1);
  const auto position = position_, energy = energy_, momentum = momentum_, old_position = kept_position_, old_energy = kept_energy_;
  const auto reference = reference_energy_, old_reference = kept_reference_energy_, threshold = threshold_, hamiltonian = hamiltonian_;
  const auto lost = lost_, accepted = accepted_;
  Kokkos::parallel_for(
      "boltzcurve::population_accept", position_.extent(0), KOKKOS_LAMBDA(const std::size_t i) {
        double square = 0;
        for (std::size_t k = 0; k < D; ++k) square += momentum(i, k) * momentum(i, k);
        const double end = b * energy(i, 0) + (1 - b) * reference(i) + 0.5 * square;
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

}  // namespace boltzcurve

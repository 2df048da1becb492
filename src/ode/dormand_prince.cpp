#include "ode/dormand_prince.hpp"
#include <boltzcurve/error.hpp>
#include "core/to_device.hpp"
#include "simd/pack_math.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

using P = Pack<double>;

constexpr int stage_count = 7;
// Dormand and Prince 1980: times, weights of the earlier stages (the last row is also the order-5 result), weights of the error
// estimate (order 5 minus order 4), and weights of the quartic term of Shampine's continuous extension (Hairer, Norsett, Wanner, II.6).
constexpr double stage_times[stage_count] = {0, 1. / 5, 3. / 10, 4. / 5, 8. / 9, 1, 1};
constexpr double stage_weights[stage_count][6] = {{},
                                                  {1. / 5},
                                                  {3. / 40, 9. / 40},
                                                  {44. / 45, -56. / 15, 32. / 9},
                                                  {19372. / 6561, -25360. / 2187, 64448. / 6561, -212. / 729},
                                                  {9017. / 3168, -355. / 33, 46732. / 5247, 49. / 176, -5103. / 18656},
                                                  {35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84}};
struct StepWeights {
  double result[stage_count] = {35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84, 0};
  double error[stage_count] = {71. / 57600, 0, -71. / 16695, 71. / 1920, -17253. / 339200, 22. / 525, -1. / 40};
  double quartic[stage_count] = {-12715105075. / 11282082432,  0,
                                 87487479700. / 32700410799,   -10690763975. / 1880347072,
                                 701980252875. / 199316789632, -1453857185. / 822651844,
                                 69997945. / 29380423};
};

// Proportional-integral control with the constants of Hairer and Wanner's code for this pair.
struct Controller {
  double integral_exponent = 0.17, proportional_exponent = 0.04;  // 1/5 - 3/4 * 0.04, and 0.04
  double safety = 0.9, smallest_factor = 0.2, largest_factor = 10, factor_of_nonfinite_trial = 0.1;
  double smallest_error = 1e-4;  // of the step before, so that a lucky step has no long memory
};

constexpr std::int32_t running = -1;

// The particles being advanced, a slot each, in the first slots. Room for a pack more than the block: packs may reach past the last.
struct Slots {
  Slots(int slots, int dimension)
      : particle("boltzcurve::ode::particle", slots),
        status("boltzcurve::ode::status", slots),
        accepted("boltzcurve::ode::accepted", slots),
        rejected("boltzcurve::ode::rejected", slots),
        next_frame("boltzcurve::ode::next_frame", slots),
        t("boltzcurve::ode::t", slots),
        h("boltzcurve::ode::h", slots),
        log_density("boltzcurve::ode::log_density", slots),
        action("boltzcurve::ode::action", slots),
        previous_error("boltzcurve::ode::previous_error", slots),
        largest_factor("boltzcurve::ode::largest_factor", slots),
        stage_t("boltzcurve::ode::stage_t", slots),
        x("boltzcurve::ode::x", slots, dimension),
        stage_x("boltzcurve::ode::stage_x", slots, dimension) {
    for (int s = 0; s < stage_count; ++s) {
      velocity[s] = Points<double>("boltzcurve::ode::velocity", slots, dimension);
      divergence[s] = PointScalars<double>("boltzcurve::ode::divergence", slots);
    }
  }

  Kokkos::View<std::int64_t*> particle;  // its row in the caller's arrays
  Kokkos::View<std::int32_t*> status;    // running, or a ParticleStatus
  Kokkos::View<int*> accepted, rejected, next_frame;
  PointScalars<double> t, h, log_density, action, previous_error, largest_factor, stage_t;
  Points<double> x, stage_x;
  Points<double> velocity[stage_count];
  PointScalars<double> divergence[stage_count];
};

// What is the same for all particles, in a form that kernels can take.
struct Setting {
  double t_begin, t_end, direction;
  double relative_tolerance, absolute_tolerance, first_step, longest_step, shortest_step;
  int dimension, max_steps;
  PointScalars<double> lower, upper;  // [D], or empty
  PointScalars<double> frame_times;   // [F]
};

KOKKOS_FUNCTION P at(const PointScalars<double>& view, int slot) { return P::load(&view(slot)); }
KOKKOS_FUNCTION P at(const Points<double>& view, int slot, int d) { return P::load(&view(slot, d)); }

KOKKOS_FUNCTION P power(P base, double exponent) { return exp(P(exponent) * log(base)); }

// 0 where a is finite, else NaN.
KOKKOS_FUNCTION P nan_unless_finite(P a) { return a * P(0); }

KOKKOS_FUNCTION bool is_finite(double a) { return a - a == 0; }

// The step to try next: `length`, or all that is left where that is at most 1 % more.
KOKKOS_FUNCTION double next_step(const Setting& setting, double t, double length) {
  const double rest = setting.t_end - t;
  return 1.01 * length >= rest * setting.direction ? rest : length * setting.direction;
}

KOKKOS_FUNCTION void write_frame(const Slots& slots, const IntegratedParticles& out, int slot, int dimension) {
  const int frame = slots.next_frame(slot);
  for (int d = 0; d < dimension; ++d) out.frames(frame, slots.particle(slot), d) = slots.x(slot, d);
  slots.next_frame(slot) = frame + 1;
}

// Hands the slot's state out; its particle has ended.
KOKKOS_FUNCTION void retire(const Slots& slots, const Setting& setting, const IntegratedParticles& out, int slot) {
  const auto particle = slots.particle(slot);
  for (int d = 0; d < setting.dimension; ++d) out.position(particle, d) = slots.x(slot, d);
  out.log_density(particle) = slots.log_density(slot);
  out.action(particle) = slots.action(slot);
  out.time(particle) = slots.t(slot);
  out.status(particle) = static_cast<ParticleStatus>(slots.status(slot));
  out.accepted_steps(particle) = slots.accepted(slot);
  out.rejected_steps(particle) = slots.rejected(slot);
  out.evaluations(particle) = (setting.first_step > 0 ? 1 : 2) + (stage_count - 1) * (slots.accepted(slot) + slots.rejected(slot));
  while (slots.next_frame(slot) < static_cast<int>(setting.frame_times.extent(0))) write_frame(slots, out, slot, setting.dimension);
}

// Kernels work on whole packs of slots from `first` on, without a remainder loop: every particle goes through the same instructions
// whatever its slot, so its rounding cannot depend on its place. The lanes past the end compute on slots that nobody owns.
template <class Body>
void for_packs(const char* label, int first, int count, const Body& body) {
  Kokkos::parallel_for(
      label, Kokkos::RangePolicy<>(0, (count + P::lanes - 1) / P::lanes), KOKKOS_LAMBDA(const int pack) { body(first + pack * P::lanes); });
}

// Particles first_particle, ... enter the slots first_slot, ...
struct Admit {
  Slots slots;
  Setting setting;
  IntegratedParticles out;
  Points<const double> position;
  PointScalars<const double> log_density;
  int first_slot;
  std::int64_t first_particle;

  KOKKOS_FUNCTION void operator()(const int i) const {
    const int slot = first_slot + i;
    const std::int64_t particle = first_particle + i;
    for (int d = 0; d < setting.dimension; ++d) slots.x(slot, d) = position(particle, d);
    slots.log_density(slot) = log_density(particle);
    slots.particle(slot) = particle;
    slots.status(slot) = running;
    slots.accepted(slot) = slots.rejected(slot) = slots.next_frame(slot) = 0;
    slots.t(slot) = setting.t_begin;
    slots.action(slot) = 0;
    slots.previous_error(slot) = Controller().smallest_error;
    slots.largest_factor(slot) = Controller().largest_factor;
    const int frames = static_cast<int>(setting.frame_times.extent(0));
    while (slots.next_frame(slot) < frames && setting.frame_times(slots.next_frame(slot)) == setting.t_begin)
      write_frame(slots, out, slot, setting.dimension);
  }
};

// A step h0 that changes the state by about 1 % of its size, and Euler's step of that length into stage_x, stage_t.
struct GuessFirstStep {
  Slots slots;
  Setting setting;

  KOKKOS_FUNCTION void operator()(const int slot) const {
    const auto scale = [this](P y) { return P(setting.absolute_tolerance) + P(setting.relative_tolerance) * fabs(y); };
    const P log_q = at(slots.log_density, slot), div = at(slots.divergence[0], slot);
    P state = log_q / scale(log_q), slope = div / scale(log_q);
    state *= state;
    slope *= slope;
    for (int d = 0; d < setting.dimension; ++d) {
      const P y = at(slots.x, slot, d), y_scaled = y / scale(y), v_scaled = at(slots.velocity[0], slot, d) / scale(y);
      state += y_scaled * y_scaled;
      slope += v_scaled * v_scaled;
    }
    const P count = setting.dimension + 1, size = sqrt(state / count), speed = sqrt(slope / count), small = 1e-5;
    P h0 = select((size < small) | (speed < small), P(1e-6), P(0.01) * size / speed);
    h0 = fmin(h0, P(fmin((setting.t_end - setting.t_begin) * setting.direction, setting.longest_step)));
    const P step = h0 * P(setting.direction);
    step.store(&slots.h(slot));
    (at(slots.t, slot) + step).store(&slots.stage_t(slot));
    for (int d = 0; d < setting.dimension; ++d)
      (at(slots.x, slot, d) + step * at(slots.velocity[0], slot, d)).store(&slots.stage_x(slot, d));
    speed.store(&slots.previous_error(slot));  // kept for ChooseFirstStep only
  }
};

// The step whose order-5 term would be about 1 % of the tolerance, from slope and change of slope; at most 100 h0.
struct ChooseFirstStep {
  Slots slots;
  Setting setting;

  KOKKOS_FUNCTION void operator()(const int slot) const {
    const auto scale = [this](P y) { return P(setting.absolute_tolerance) + P(setting.relative_tolerance) * fabs(y); };
    const P h0 = fabs(at(slots.h, slot)), speed = at(slots.previous_error, slot);
    P bend = (at(slots.divergence[1], slot) - at(slots.divergence[0], slot)) / scale(at(slots.log_density, slot));
    bend *= bend;
    for (int d = 0; d < setting.dimension; ++d) {
      const P change = (at(slots.velocity[1], slot, d) - at(slots.velocity[0], slot, d)) / scale(at(slots.x, slot, d));
      bend += change * change;
    }
    const P curvature = sqrt(bend / P(setting.dimension + 1)) / h0, larger = fmax(speed, curvature);
    const P h1 = select(larger <= P(1e-15), fmax(P(1e-6), h0 * P(1e-3)), power(P(0.01) / larger, 0.2));
    const P chosen = fmin(fmin(P(100) * h0, h1), P(setting.longest_step));
    select(nan_unless_finite(curvature) <= P(0), chosen, h0).store(&slots.h(slot));  // Euler's step left the field: stay with h0
    P(Controller().smallest_error).store(&slots.previous_error(slot));
  }
};

// Signs and clips the first step; ends particles that cannot start.
struct Start {
  Slots slots;
  Setting setting;
  IntegratedParticles out;
  int first_slot;

  KOKKOS_FUNCTION void operator()(const int i) const {
    const int slot = first_slot + i;
    double sum = slots.log_density(slot) * 0 + slots.divergence[0](slot) * 0;
    for (int d = 0; d < setting.dimension; ++d) sum += slots.x(slot, d) * 0 + slots.velocity[0](slot, d) * 0;
    const double length = setting.first_step > 0 ? fmin(setting.first_step, setting.longest_step) : slots.h(slot);
    slots.h(slot) = next_step(setting, setting.t_begin, fmax(length, setting.shortest_step));
    if (is_finite(sum)) return;
    slots.status(slot) = static_cast<std::int32_t>(ParticleStatus::nonfinite);
    retire(slots, setting, out, slot);
  }
};

// stage_x = x + h sum_j weight_j velocity_j, stage_t = t + time h.
struct AdvanceToStage {
  Slots slots;
  int dimension, earlier;
  double time, weights[6];

  KOKKOS_FUNCTION void operator()(const int slot) const {
    const P h = at(slots.h, slot);
    (at(slots.t, slot) + P(time) * h).store(&slots.stage_t(slot));
    for (int d = 0; d < dimension; ++d) {
      P sum = P(weights[0]) * at(slots.velocity[0], slot, d);
      for (int j = 1; j < earlier; ++j) sum += P(weights[j]) * at(slots.velocity[j], slot, d);
      (at(slots.x, slot, d) + h * sum).store(&slots.stage_x(slot, d));
    }
  }
};

// Judges the trial step in stage_x, takes it or not, writes the frames that it passes, and sets the next step's length.
struct FinishStep {
  Slots slots;
  Setting setting;
  IntegratedParticles out;
  int active;
  StepWeights weights;
  Controller control;

  KOKKOS_FUNCTION void operator()(const int slot) const {
    // 1. Error norm, new log density and action.
    const P h = at(slots.h, slot), log_q = at(slots.log_density, slot);
    P log_q_change = 0, log_q_error = 0;
    for (int s = 0; s < stage_count; ++s) {
      log_q_change -= P(weights.result[s]) * at(slots.divergence[s], slot);
      log_q_error -= P(weights.error[s]) * at(slots.divergence[s], slot);
    }
    const P log_q_new = log_q + h * log_q_change;
    P sum = squared_error(h * log_q_error, log_q, log_q_new);
    P action_change = 0;
    for (int d = 0; d < setting.dimension; ++d) {
      P error = 0;
      for (int s = 0; s < stage_count; ++s) {
        const P v = at(slots.velocity[s], slot, d);
        error += P(weights.error[s]) * v;
        action_change += P(weights.result[s]) * v * v;
      }
      const P y_new = at(slots.stage_x, slot, d);
      sum += squared_error(h * error, at(slots.x, slot, d), y_new);
    }
    const P action_new = at(slots.action, slot) + fabs(h) * action_change;
    const P norm = sqrt(sum / P(setting.dimension + 1));
    // What is not finite in any stage shows here: its weight may be 0, but 0 times it is NaN. An action overflows before its position does.
    const P bad = nan_unless_finite(log_q_new) + nan_unless_finite(action_new);

    // 2. The controller's factor for the next step.
    const P proposed = P(control.safety) * power(norm, -control.integral_exponent);
    const P factor_if_accepted =
        fmin(proposed * power(at(slots.previous_error, slot), control.proportional_exponent), at(slots.largest_factor, slot));
    const P factor_if_rejected = select(bad <= P(0), fmax(P(control.smallest_factor), proposed), P(control.factor_of_nonfinite_trial));

    // 3. What becomes of each particle.
    P taken = 0;
    for (int lane = 0; lane < P::lanes; ++lane) {
      const int mine = slot + lane;
      if (mine >= active) continue;
      const bool accepted = bad[lane] == 0 && norm[lane] <= 1;
      const double step = h[lane], t = slots.t(mine);
      if (accepted) {
        const bool arrived = step == setting.t_end - t;
        const double t_new = arrived ? setting.t_end : t + step;
        write_frames_inside(mine, t, t_new);
        ++slots.accepted(mine);
        slots.t(mine) = t_new;
        slots.previous_error(mine) = fmax(norm[lane], control.smallest_error);
        slots.largest_factor(mine) = control.largest_factor;
        slots.status(mine) = left_domain(mine) ? static_cast<std::int32_t>(ParticleStatus::escaped)
                             : arrived         ? static_cast<std::int32_t>(ParticleStatus::finished)
                                               : running;
        taken.set(lane, 1);
      } else {
        ++slots.rejected(mine);
        slots.largest_factor(mine) = 1;  // no growth right after a rejection
      }
      const double length = fmin(fabs(step) * (accepted ? factor_if_accepted[lane] : factor_if_rejected[lane]), setting.longest_step);
      if (slots.status(mine) != running) continue;
      if (length < setting.shortest_step)
        slots.status(mine) = static_cast<std::int32_t>(bad[lane] == 0 ? ParticleStatus::step_underflow : ParticleStatus::nonfinite);
      else if (slots.accepted(mine) + slots.rejected(mine) >= setting.max_steps)
        slots.status(mine) = static_cast<std::int32_t>(ParticleStatus::max_steps);
      slots.h(mine) = next_step(setting, slots.t(mine), length);
    }

    // 4. The new state; the last stage is the first of the next step.
    const auto accepted = taken > P(0);
    select(accepted, log_q_new, log_q).store(&slots.log_density(slot));
    select(accepted, action_new, at(slots.action, slot)).store(&slots.action(slot));
    select(accepted, at(slots.divergence[stage_count - 1], slot), at(slots.divergence[0], slot)).store(&slots.divergence[0](slot));
    for (int d = 0; d < setting.dimension; ++d) {
      select(accepted, at(slots.stage_x, slot, d), at(slots.x, slot, d)).store(&slots.x(slot, d));
      select(accepted, at(slots.velocity[stage_count - 1], slot, d), at(slots.velocity[0], slot, d)).store(&slots.velocity[0](slot, d));
    }
    for (int mine = slot; mine < slot + P::lanes && mine < active; ++mine)
      if (slots.status(mine) != running) retire(slots, setting, out, mine);
  }

  KOKKOS_FUNCTION P squared_error(P error, P y, P y_new) const {
    const P ratio = error / (P(setting.absolute_tolerance) + P(setting.relative_tolerance) * fmax(fabs(y), fabs(y_new)));
    return ratio * ratio;
  }

  KOKKOS_FUNCTION bool left_domain(int slot) const {
    for (int d = 0; d < static_cast<int>(setting.lower.extent(0)); ++d)
      if (slots.stage_x(slot, d) < setting.lower(d) || slots.stage_x(slot, d) > setting.upper(d)) return true;
    return false;
  }

  // Positions at the frame times in (t, t_new] by the continuous extension; that at t_new is the new state itself.
  KOKKOS_FUNCTION void write_frames_inside(int slot, double t, double t_new) const {
    const int frames = static_cast<int>(setting.frame_times.extent(0));
    const auto particle = slots.particle(slot);
    const double h = slots.h(slot);
    for (int frame = slots.next_frame(slot); frame < frames; slots.next_frame(slot) = ++frame) {
      const double time = setting.frame_times(frame);
      if ((time - t_new) * setting.direction > 0) return;
      const double theta = (time - t) / h, rest = 1 - theta;
      for (int d = 0; d < setting.dimension; ++d) {
        double quartic = 0;
        for (int s = 0; s < stage_count; ++s) quartic += weights.quartic[s] * slots.velocity[s](slot, d);
        const double y = slots.x(slot, d), y_new = slots.stage_x(slot, d), change = y_new - y;
        const double at_start = h * slots.velocity[0](slot, d) - change, at_end = change - h * slots.velocity[stage_count - 1](slot, d);
        const double inside = y + theta * (change + rest * (at_start + theta * (at_end - at_start + rest * h * quartic)));
        out.frames(frame, particle, d) = time == t_new ? y_new : inside;
      }
    }
  }
};

// Slot moves.from(i) into slot moves.to(i): only what outlives a step.
struct MoveSlots {
  Slots slots;
  Kokkos::View<const int* [2]> moves;
  int dimension;

  KOKKOS_FUNCTION void operator()(const int i) const {
    const int from = moves(i, 0), to = moves(i, 1);
    slots.particle(to) = slots.particle(from);
    slots.status(to) = slots.status(from);
    slots.accepted(to) = slots.accepted(from);
    slots.rejected(to) = slots.rejected(from);
    slots.next_frame(to) = slots.next_frame(from);
    slots.t(to) = slots.t(from);
    slots.h(to) = slots.h(from);
    slots.log_density(to) = slots.log_density(from);
    slots.action(to) = slots.action(from);
    slots.previous_error(to) = slots.previous_error(from);
    slots.largest_factor(to) = slots.largest_factor(from);
    slots.divergence[0](to) = slots.divergence[0](from);
    for (int d = 0; d < dimension; ++d) {
      slots.x(to, d) = slots.x(from, d);
      slots.velocity[0](to, d) = slots.velocity[0](from, d);
    }
  }
};

class Integration {
 public:
  Integration(const VelocityField& field, const Setting& setting, int block, Points<const double> position,
              PointScalars<const double> log_density, IntegratedParticles out)
      : field_(field),
        setting_(setting),
        block_(static_cast<int>(std::min<std::int64_t>(block, static_cast<std::int64_t>(position.extent(0))))),
        position_(position),
        log_density_(log_density),
        out_(std::move(out)),
        slots_(block_ + P::lanes, setting.dimension),
        host_status_(Kokkos::create_mirror_view(slots_.status)),
        moves_("boltzcurve::ode::moves", block_),
        host_moves_(Kokkos::create_mirror_view(moves_)) {}

  void run() {
    const auto total = static_cast<std::int64_t>(position_.extent(0));
    while (admitted_ < total || active_ > 0) {
      // A few at a time would be a small batch for the field: wait until a quarter of the block is free.
      if (admitted_ < total && active_ <= block_ - (block_ + 3) / 4) {
        admit(static_cast<int>(std::min<std::int64_t>(block_ - active_, total - admitted_)));
        compact();
      }
      attempt_step();
      compact();
    }
  }

 private:
  void evaluate(int stage, int first, int count, PointScalars<double> t, Points<double> x) const {
    const auto range = Kokkos::make_pair(first, first + count);
    field_.evaluate(Kokkos::subview(t, range), Kokkos::subview(x, range, Kokkos::ALL),
                    Kokkos::subview(slots_.velocity[stage], range, Kokkos::ALL), Kokkos::subview(slots_.divergence[stage], range));
  }

  void admit(int count) {
    const int first = active_;
    Kokkos::parallel_for("boltzcurve::ode::admit", Kokkos::RangePolicy<>(0, count),
                         Admit{slots_, setting_, out_, position_, log_density_, first, admitted_});
    evaluate(0, first, count, slots_.t, slots_.x);
    if (!(setting_.first_step > 0)) {
      for_packs("boltzcurve::ode::guess_first_step", first, count, GuessFirstStep{slots_, setting_});
      evaluate(1, first, count, slots_.stage_t, slots_.stage_x);
      for_packs("boltzcurve::ode::choose_first_step", first, count, ChooseFirstStep{slots_, setting_});
    }
    Kokkos::parallel_for("boltzcurve::ode::start", Kokkos::RangePolicy<>(0, count), Start{slots_, setting_, out_, first});
    active_ += count;
    admitted_ += count;
  }

  void attempt_step() {
    if (active_ == 0) return;
    for (int stage = 1; stage < stage_count; ++stage) {
      AdvanceToStage advance{slots_, setting_.dimension, stage, stage_times[stage], {}};
      std::copy(std::begin(stage_weights[stage]), std::end(stage_weights[stage]), std::begin(advance.weights));
      for_packs("boltzcurve::ode::advance_to_stage", 0, active_, advance);
      evaluate(stage, 0, active_, slots_.stage_t, slots_.stage_x);
    }
    for_packs("boltzcurve::ode::finish_step", 0, active_, FinishStep{slots_, setting_, out_, active_, {}, {}});
  }

  // Fills the slots of ended particles with the last running ones.
  void compact() {
    Kokkos::deep_copy(host_status_, slots_.status);
    int moves = 0;
    for (int slot = 0; slot < active_; ++slot) {
      if (host_status_(slot) == running) continue;
      while (active_ > slot + 1 && host_status_(active_ - 1) != running) --active_;
      --active_;
      if (active_ == slot) break;
      host_moves_(moves, 0) = active_;
      host_moves_(moves++, 1) = slot;
    }
    if (moves == 0) return;
    Kokkos::deep_copy(moves_, host_moves_);
    Kokkos::parallel_for("boltzcurve::ode::compact", Kokkos::RangePolicy<>(0, moves), MoveSlots{slots_, moves_, setting_.dimension});
  }

  const VelocityField& field_;
  Setting setting_;
  int block_, active_ = 0;
  std::int64_t admitted_ = 0;
  Points<const double> position_;
  PointScalars<const double> log_density_;
  IntegratedParticles out_;
  Slots slots_;
  decltype(Kokkos::create_mirror_view(std::declval<Kokkos::View<std::int32_t*>>())) host_status_;
  Kokkos::View<int* [2]> moves_;
  decltype(Kokkos::create_mirror_view(std::declval<Kokkos::View<int* [2]>>())) host_moves_;
};

void check(const IntegrationOptions& options, double t_begin, double t_end, const std::vector<double>& frame_times, int dimension) {
  const auto need_positive = [](const char* key, double value) {
    if (!(value > 0)) throw ConfigError(fmt::format("{} = {}: must be above 0", key, value));
  };
  need_positive("relative-tolerance", options.relative_tolerance);
  need_positive("absolute-tolerance", options.absolute_tolerance);
  need_positive("longest step of the integrator", options.longest_step);
  if (!(options.first_step >= 0))
    throw ConfigError(fmt::format("first step of the integrator = {}: must be 0 or more", options.first_step));
  if (options.max_steps < 1)
    throw ConfigError(fmt::format("maximum number of integrator steps = {}: must be at least 1", options.max_steps));
  if (options.block < 1) throw ConfigError(fmt::format("particles integrated together = {}: must be at least 1", options.block));
  if (!std::isfinite(t_begin) || !std::isfinite(t_end))
    throw ConfigError(fmt::format("integration from t = {} to {}: both must be finite", t_begin, t_end));
  if (options.domain && (options.domain->lower.size() != static_cast<std::size_t>(dimension) ||
                         options.domain->upper.size() != static_cast<std::size_t>(dimension)))
    throw ConfigError(fmt::format("domain with {} lower and {} upper bounds: a field in {} dimensions needs as many of each",
                                  options.domain->lower.size(), options.domain->upper.size(), dimension));
  const double direction = t_end < t_begin ? -1 : 1;
  double last = t_begin;
  for (const double time : frame_times) {
    if (!((time - last) * direction >= 0 && (t_end - time) * direction >= 0))
      throw ConfigError(fmt::format("frame time {}: frame times must go from {} to {} without turning back", time, t_begin, t_end));
    last = time;
  }
}

}  // namespace

IntegratedParticles integrate(const VelocityField& field, double t_begin, double t_end, Points<const double> position,
                              PointScalars<const double> log_density, const IntegrationOptions& options,
                              const std::vector<double>& frame_times) {
  const int dimension = field.dimension();
  check(options, t_begin, t_end, frame_times, dimension);
  const auto particles = position.extent(0);
  if (position.extent(1) != static_cast<std::size_t>(dimension) || log_density.extent(0) != particles)
    throw Error(ExitCode::internal_error, fmt::format("integrate: positions [{}][{}] and log densities [{}] for a field in {} dimensions",
                                                      particles, position.extent(1), log_density.extent(0), dimension));

  IntegratedParticles out;
  out.position = Points<double>("boltzcurve::ode::final_position", particles, position.extent(1));
  out.log_density = PointScalars<double>("boltzcurve::ode::final_log_density", particles);
  out.action = PointScalars<double>("boltzcurve::ode::final_action", particles);
  out.time = PointScalars<double>("boltzcurve::ode::final_time", particles);
  out.status = Kokkos::View<ParticleStatus*>("boltzcurve::ode::final_status", particles);
  out.accepted_steps = Kokkos::View<int*>("boltzcurve::ode::accepted_steps", particles);
  out.rejected_steps = Kokkos::View<int*>("boltzcurve::ode::rejected_steps", particles);
  out.evaluations = Kokkos::View<std::int64_t*>("boltzcurve::ode::evaluations", particles);
  out.frames = Kokkos::View<double***, Kokkos::LayoutRight>("boltzcurve::ode::frames", frame_times.size(), particles, position.extent(1));
  if (particles == 0) return out;

  Setting setting;
  setting.t_begin = t_begin;
  setting.t_end = t_end;
  setting.direction = t_end < t_begin ? -1 : 1;
  setting.relative_tolerance = options.relative_tolerance;
  setting.absolute_tolerance = options.absolute_tolerance;
  setting.first_step = options.first_step;
  setting.longest_step = options.longest_step;
  // Below 16 units in the last place of the largest time, t + c h can no longer tell the stages apart.
  setting.shortest_step = 16 * std::numeric_limits<double>::epsilon() * std::max(std::fabs(t_begin), std::fabs(t_end));
  setting.dimension = dimension;
  setting.max_steps = options.max_steps;
  if (options.domain) {
    setting.lower = detail::to_device<double>("boltzcurve::ode::lower", options.domain->lower);
    setting.upper = detail::to_device<double>("boltzcurve::ode::upper", options.domain->upper);
  }
  setting.frame_times = detail::to_device<double>("boltzcurve::ode::frame_times", frame_times);

  if (t_begin == t_end) {
    Kokkos::deep_copy(out.position, position);
    Kokkos::deep_copy(out.log_density, log_density);
    Kokkos::deep_copy(out.time, t_end);
    for (std::size_t f = 0; f < frame_times.size(); ++f)
      Kokkos::deep_copy(Kokkos::subview(out.frames, f, Kokkos::ALL, Kokkos::ALL), position);
    return out;
  }
  Integration(field, setting, options.block, position, log_density, out).run();
  return out;
}

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/choice_list.hpp>
#include <boltzcurve/setting.hpp>

namespace boltzcurve {

/// The curves, a line each: identifier, name and meaning. Each has its own file in src/curve, which defines make_IDENTIFIER_curve.
#define BOLTZCURVE_CURVES(ENTRY)                                                                                  \
  ENTRY(gradient_flow, "gradient-flow", "energy g(t) f_D + t psi or better (key form), velocity grad(f_t - f_Z)") \
  ENTRY(linear, "linear", "energy (1-t) f_Z + t f_D; learned: the velocity")                                      \
  ENTRY(learned, "learned", "energy (1-t) f_Z + t f_D + t(1-t) psi; learned: psi and the velocity")
BOLTZCURVE_CHOICES(CurveName, BOLTZCURVE_CURVES)

/// Forms of the gradient flow: what stands beside the learned part of the energy f_t, and the factor tau(t) of psi in it. Each has its own
/// file in src/curve/forms.
#define BOLTZCURVE_FORMS(ENTRY)                                                                                                   \
  ENTRY(plain, "plain", "g f_D + t psi")                                                                                          \
  ENTRY(anchored, "anchored", "g f_D + (1 - g) f_Z + t psi: psi need not learn the growth of f_Z")                                \
  ENTRY(contracted, "contracted",                                                                                                 \
        "g f_D(x/alpha) + (1 - g)(f_A + psi), alpha = exp(-t), f_A a normal law as wide as the target after time t of diffusion") \
  ENTRY(network, "network",                                                                                                       \
        "f_A + psi, f_A normal laws fitted to the pilot's population after time t of diffusion: f_D enters by matching and the weights")
#define BOLTZCURVE_FORM_CHOICES(ENTRY)                                                                                  \
  ENTRY(automatic, "auto", "network, which any target can do with; contracted where the loss is of the residual alone") \
  BOLTZCURVE_FORMS(ENTRY)
BOLTZCURVE_CHOICES(CurveForm, BOLTZCURVE_FORM_CHOICES)

/// Schedules, the weight g of the target's energy along the gradient flow, g(0) = 1, g(T) = 0 (diffusion: as good as 0). Each has its own
/// file in src/curve/schedules. Linear, vp and ou keep f_D to the latent end: for the forms plain and anchored. In the contracted form
/// f_D(x/alpha) is by then a wall that psi cannot undo.
#define BOLTZCURVE_SCHEDULES(ENTRY)                                                                                                     \
  ENTRY(linear, "linear", "g(t) = (T - t) / T")                                                                                         \
  ENTRY(diffusion, "diffusion",                                                                                                         \
        "g(t) = (1 + v/c)^-q, v = exp(2t) - 1: f_D fades as diffusion adds to its modes, of squared width c, the variance v")           \
  ENTRY(vp, "vp", "g(t) = 1 - s, s the time of the variance-preserving diffusion with beta from 0.1 to 20: t/T = B(s)/B(1)")            \
  ENTRY(ou, "ou", "g(t) = (exp(-2t) - exp(-2T))/(1 - exp(-2T)): what the Ornstein-Uhlenbeck diffusion leaves of the target's variance") \
  ENTRY(learned, "learned",                                                                                                             \
        "logit g = logit of diffusion - N(s), N a small network of the clock, trained with psi; g(0) = 1, g(T) = 0 always")
BOLTZCURVE_CHOICES(Schedule, BOLTZCURVE_SCHEDULES)

/// Clocks s in place of t, from 0 at the target to 1 at the latent law: what networks see, what times are drawn by and in whose units
/// residuals count. Each has its own file in src/curve/clocks.
#define BOLTZCURVE_CLOCKS(ENTRY)                                                                                                   \
  ENTRY(logarithmic, "logarithmic",                                                                                                \
        "every doubling of a mode's width takes as long: s ~ log(1 + v/c'), v = exp(2t) - 1; linear, learned: 1 - s ~ log(1 + t "  \
        "sigma^2/c')")                                                                                                             \
  ENTRY(square_root, "square-root", "s = sqrt(t/T), or 1 - s = sqrt(t): the fast start of the curve becomes smooth")               \
  ENTRY(vp, "vp", "the time of the variance-preserving diffusion: t/T = B(s)/B(1), or t = B(1 - s)/B(1), B(s) = 0.1 s + 9.95 s^2") \
  ENTRY(linear, "linear", "s = t/T, or 1 - s = t: the time of the Ornstein-Uhlenbeck diffusion itself")
BOLTZCURVE_CHOICES(CurveClock, BOLTZCURVE_CLOCKS)

/// In which coordinates the curve runs.
enum class Coordinates { automatic, given };
template <>
inline constexpr auto choices<Coordinates> = std::to_array<Choice<Coordinates>>({
    {Coordinates::automatic, "auto",
     "those in which no coordinate's scale follows others, where a survey of the target finds some that do"},
    {Coordinates::given, "given", "the target's own"},
});

/// The curve of densities between latent law and target.
struct CurveSettings {
  CurveName name = CurveName::gradient_flow;
  double horizon = 0;  ///< 0: from a pilot run
  Schedule schedule = Schedule::diffusion;
  CurveForm form = CurveForm::automatic;
  double width = 0;  ///< 0: from a pilot run
  double power = 4;
  int schedule_width = 16;
  int schedule_hidden_layers = 1;
  CurveClock clock = CurveClock::logarithmic;
  double clock_width = 0.3;  ///< as a share of width
  Coordinates coordinates = Coordinates::automatic;

  template <class Visit>
  static void describe(const Visit& setting) {
    using S = CurveSettings;
    setting("name", &S::name, "how densities move from latent to target");
    setting("horizon", &S::horizon, Range{0, 50}, "time", "T, the time at the latent end (gradient-flow); 0: from the target's spread");
    setting("schedule", &S::schedule, "g(t), the share of the target's energy, 1 at t = 0 and 0 at t = T");
    setting("form", &S::form, "what stands beside the network in the energy");
    setting("width", &S::width, Range{0, 1e30}, "length^2",
            "c of the schedule diffusion, squared width of a mode; 0: from the target's curvature");
    setting("power", &S::power, Range{0.5, 20}, "", "q of the schedule diffusion");
    setting("schedule-width", &S::schedule_width, Range{1, 8192}, "units", "units of a hidden layer of the schedule learned");
    setting("schedule-hidden-layers", &S::schedule_hidden_layers, Range{1, 64}, "layers", "hidden layers of the schedule learned");
    setting("clock", &S::clock, "what the network sees, and times are drawn by, in place of t");
    setting("clock-width", &S::clock_width, Range{1e-6, 1e6}, "",
            "c' of the logarithmic clock as a multiple of c: smaller, and the target end takes longer");
    setting("coordinates", &S::coordinates, "in which coordinates particles move");
  }
  bool operator==(const CurveSettings&) const = default;
};

/// How C_t = -(d/dt) log Z_t is known.
#define BOLTZCURVE_NORMALIZERS(ENTRY)                                                       \
  ENTRY(automatic, "auto", "none for gradient-flow, which absorbs it in psi, else network") \
  ENTRY(none, "none", "C_t = 0")                                                            \
  ENTRY(network, "network", "C_t is a small network of t alone")                            \
  ENTRY(batch, "batch", "C_t is what the residuals of the batches have in common, in 32 bins of the clock (linear, learned)")
BOLTZCURVE_CHOICES(NormalizerKind, BOLTZCURVE_NORMALIZERS)

struct NormalizerSettings {
  NormalizerKind kind = NormalizerKind::automatic;
  int width = 16;
  int hidden_layers = 1;

  template <class Visit>
  static void describe(const Visit& setting) {
    using S = NormalizerSettings;
    setting("kind", &S::kind, "C_t = -(d/dt) log Z_t");
    setting("width", &S::width, Range{1, 8192}, "units", "units of a hidden layer of C(t)");
    setting("hidden-layers", &S::hidden_layers, Range{1, 64}, "layers", "hidden layers of C(t)");
  }
  bool operator==(const NormalizerSettings&) const = default;
};

}  // namespace boltzcurve

#include "app/options/option_table.hpp"
#include "app/options/option_values.hpp"

#include <boltzcurve/error.hpp>
#include "app/options/options.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

/// Adds keys of one section to the table: member of Options, then member of the section.
template <class SectionOptions>
class Section {
 public:
  Section(std::vector<OptionKey>& keys, std::string name, SectionOptions Options::*section)
      : keys_(keys), name_(std::move(name)), section_(section) {}

  template <class Value>
  void operator()(const std::string& key, Value SectionOptions::*member, const Range& range, const std::string& unit,
                  const std::string& meaning) const {
    OptionKey entry;
    entry.description = {name_, key, "", TextOf<Value>::write(Options().*section_.*member), TextOf<Value>::range(range), unit, meaning};
    entry.set = [section = section_, member, range, name = entry.description.name()](Options& options, const std::string& text) {
      const auto value = TextOf<Value>::read(text, range);
      if (!value) {
        if constexpr (std::is_enum_v<Value>)  // says what is nearest
          throw ConfigError(name + " = " + text + ": " + need_of_choice<Value>(text));
        else
          throw ConfigError(name + " = " + text + ": " + TextOf<Value>::need(range));
      }
      options.*section.*member = *value;
    };
    entry.get = [section = section_, member](const Options& options) { return TextOf<Value>::write(options.*section.*member); };
    keys_.push_back(std::move(entry));
  }

  /// Of a choice between names, yes and no among them.
  template <class Choice>
  void operator()(const std::string& key, Choice SectionOptions::*member, const std::string& meaning) const {
    (*this)(key, member, Range{}, "", meaning);
  }

  /// The keys that change nothing of what training computes: all of the section's, or these.
  void leaves_training_alone(const std::vector<std::string>& keys = {}) const {
    for (auto& entry : keys_)
      if (entry.description.section == name_ && (keys.empty() || std::find(keys.begin(), keys.end(), entry.description.key) != keys.end()))
        entry.decides_training = false;
  }

  /// The name of a target or latent: any text here, looked up when all sources are read.
  void name(std::string SectionOptions::*member, const std::string& range, const std::string& meaning) const {
    keys_.push_back({{name_, "name", "", Options().*section_.*member, range, "", meaning},
                     [section = section_, member](Options& options, const std::string& text) { options.*section.*member = text; },
                     [section = section_, member](const Options& options) { return options.*section.*member; }});
  }

 private:
  std::vector<OptionKey>& keys_;
  std::string name_;
  SectionOptions Options::*section_;
};

std::vector<OptionKey> make_keys() {
  std::vector<OptionKey> keys;

  const Section target(keys, "target", &Options::target);
  target.name(&TargetOptions::name, "boltzcurve list targets", "the law to sample from; must be given");

  const Section latent(keys, "latent", &Options::latent);
  latent.name(&LatentOptions::name, "boltzcurve list latents", "the law that sampling starts from");

  using C = CurveOptions;
  const Section curve(keys, "curve", &Options::curve);
  curve("name", &C::name, "how densities move from latent to target");
  curve("horizon", &C::horizon, {0, 50}, "time", "T, the time at the latent end (gradient-flow); 0: from the target's spread");
  curve("schedule", &C::schedule, "g(t), the share of the target's energy, 1 at t = 0 and 0 at t = T");
  curve("form", &C::form, "what stands beside the network in the energy");
  curve("width", &C::width, {0, 1e30}, "length^2", "c of the schedule diffusion, squared width of a mode; 0: from the target's curvature");
  curve("power", &C::power, {0.5, 20}, "", "q of the schedule diffusion");
  curve("schedule-width", &C::schedule_width, {1, 8192}, "units", "units of a hidden layer of the schedule learned");
  curve("schedule-hidden-layers", &C::schedule_hidden_layers, {1, 64}, "layers", "hidden layers of the schedule learned");
  curve("clock", &C::clock, "what the network sees, and times are drawn by, in place of t");
  curve("clock-width", &C::clock_width, {1e-6, 1e6}, "",
        "c' of the logarithmic clock as a multiple of c: smaller, and the target end takes longer");
  curve("coordinates", &C::coordinates, "in which coordinates particles move");

  using W = NetworkOptions;
  const Section network(keys, "network", &Options::network);
  network("width", &W::width, {1, 8192}, "units", "units of a hidden layer of psi(x, t)");
  network("hidden-layers", &W::hidden_layers, {1, 64}, "layers", "hidden layers of psi(x, t)");
  network("input-range", &W::input_range, {0, 1e6}, "",
          "standard deviations of the target, after scaling, in the network's inputs; 0: by its width");
  network("first-layer", &W::first_layer, "what neurons of the first layer start from");

  using Z = NormalizerOptions;
  const Section normalizer(keys, "normalizer", &Options::normalizer);
  normalizer("kind", &Z::kind, "C_t = -(d/dt) log Z_t");
  normalizer("width", &Z::width, {1, 8192}, "units", "units of a hidden layer of C(t)");
  normalizer("hidden-layers", &Z::hidden_layers, {1, 64}, "layers", "hidden layers of C(t)");

  using P = CollocationOptions;
  const Section collocation(keys, "collocation", &Options::collocation);
  collocation("kind", &P::kind, "where the residual is asked for");
  collocation("points", &P::points, {1, 1 << 30}, "points", "points (x, t) of a training step, over all ranks");
  collocation("box", &P::box, {-1e30, 1e30}, "", "sides of the box for x, every coordinate alike; empty: the target's domain");
  collocation("shares", &P::shares, {0, 1e6}, "", "parts of a mixture as kind:share, ...");
  collocation("times", &P::times, "how times are drawn by the clock");
  collocation("time-power", &P::time_power, {0.5, 8}, "", "p in s = u^p, s the clock and u uniform: more favors the target end");
  collocation("hottest", &P::hottest, {1, 1e6}, "", "temperature of the hottest walkers (langevin); the coolest have 1");
  collocation("refresh-every", &P::refresh_every, {1, many}, "steps", "steps between renewals of trajectories");

  using O = OptimizerOptions;
  const Section optimizer(keys, "optimizer", &Options::optimizer);
  optimizer("name", &O::name, "how a gradient becomes a step");
  optimizer("learning-rate", &O::learning_rate, {1e-12, 10}, "", "learning rate after the warm-up");
  optimizer("decay", &O::decay, "how the learning rate falls");
  optimizer("decay-rate", &O::decay_rate, {1e-6, 1}, "", "factor per decay-steps (exponential)");
  optimizer("decay-steps", &O::decay_steps, {1, many}, "steps", "steps that decay-rate is for (exponential)");
  optimizer("final-learning-rate", &O::final_learning_rate, {0, 10}, "", "learning rate of the last step (cosine)");
  optimizer("warm-up-steps", &O::warm_up_steps, {0, many}, "steps", "the learning rate grows linearly over these first steps");
  optimizer("gradient-clip", &O::gradient_clip, {0, 1e30}, "", "largest norm of the gradient, longer ones are scaled down; 0: off");
  optimizer("beta1", &O::beta1, {0, 1, true}, "per step", "decay of the mean of the gradient");
  optimizer("beta2", &O::beta2, {0, 1, true}, "per step", "decay of the mean of its square");
  optimizer("epsilon", &O::epsilon, {1e-30, 1}, "", "added to the root of that mean");
  optimizer("precondition-every", &O::precondition_every, {1, many}, "steps", "steps between renewals of the bases (soap)");
  optimizer("preconditioner-decay", &O::preconditioner_decay, {0, 1, true}, "per step",
            "decay of the covariances that the bases belong to (soap)");

  using T = TrainingOptions;
  const Section training(keys, "training", &Options::training);
  training("steps", &T::steps, {0, many}, "steps", "optimizer steps");
  training("max-seconds", &T::max_seconds, {0, 1e9}, "s", "wall time of training, which then ends in good order; 0: no limit");
  training("loss", &T::loss, "what a residual R costs");
  training("huber-width", &T::huber_width, {1e-12, 1e12}, "unit of R", "w of the loss pseudo-huber");
  training("residual-unit", &T::residual_unit, "what R is measured in");
  training("average", &T::average, {0, 1, true}, "per step",
           "decay of the running average of weights used for sampling; 0: the last weights");
  training("checkpoint-seconds", &T::checkpoint_seconds, {0, 1e9}, "s", "wall time between checkpoints; 0: only at the end");
  training("checkpoint-steps", &T::checkpoint_steps, {0, many}, "steps", "steps between checkpoints, whatever the time; 0: none by steps");
  training("keep-every", &T::keep_every, {0, many}, "checkpoints", "every such checkpoint stays, as checkpoint.stepN.h5; 0: none");
  training("verify-checkpoints", &T::verify_checkpoints, "read every checkpoint back from the disk before it replaces the one before");
  training("log-every", &T::log_every, {1, many}, "steps", "steps between rows of log and metrics");
  training("evaluate-every", &T::evaluate_every, {0, many}, "steps", "steps between quick measurements of ESS and log Z; 0: none");
  training("max-skipped-steps", &T::max_skipped_steps, {0, 1e9}, "steps", "steps in a row without a finite gradient before giving up");

  training.leaves_training_alone({"max-seconds", "checkpoint-seconds", "checkpoint-steps", "keep-every", "verify-checkpoints", "log-every",
                                  "evaluate-every", "max-skipped-steps"});

  using S = SamplingOptions;
  const Section sampling(keys, "sampling", &Options::sampling);
  sampling("particles", &S::particles, {1, many}, "particles", "particles drawn, over all ranks");
  sampling("relative-tolerance", &S::relative_tolerance, {1e-14, 0.1}, "", "relative error of an integration step");
  sampling("absolute-tolerance", &S::absolute_tolerance, {1e-14, 0.1}, "length", "absolute error of an integration step");
  sampling("frames", &S::frames, {0, 1e6}, "frames", "frames of the trajectory written, from t = T to 0, denser towards 0; 0: none");
  sampling("max-steps", &S::max_steps, {1, 1e9}, "steps", "integration steps of a particle before it counts as failed");
  sampling("block", &S::block, {1, 1 << 20}, "particles", "particles integrated together; changes no result");
  sampling.leaves_training_alone();

  using E = EvaluationOptions;
  const Section evaluation(keys, "evaluation", &Options::evaluation);
  evaluation("exact-samples", &E::exact_samples, {0, many}, "samples", "exact target samples to compare with, where the target has them");
  evaluation("energy-distance-points", &E::energy_distance_points, {2, 1e7}, "points",
             "points of either side in the energy distance, whose cost is their square");
  evaluation.leaves_training_alone();

  using Y = StudyOptions;
  const Section study(keys, "study", &Options::study);
  study("distances", &Y::distances, {0, 1e6}, "length", "distances of modes, for target.distance; empty: the study's or the target's own");
  study("times", &Y::times, {0, 1}, "", "shares of the time from the latent law (0) to the target (1)");
  study("curves", &Y::curves, "curves to compare");
  study("schedules", &Y::schedules, "schedules to compare (ablation); empty: that of curve.schedule");
  study("latents", &Y::latents, {0, 0}, "",
        "latent laws to compare (ablation), each with its keys: gaussian scale=3, gaussian scale=8; empty: that of [latent]");
  study("runs", &Y::runs, {0, 0}, "", "folders of trained runs whose networks to study");
  study("networks", &Y::networks, "train networks for every distance and curve, and study them too");
  study.leaves_training_alone();

  using R = RunOptions;
  const Section run(keys, "run", &Options::run);
  run("seed", &R::seed, {0, std::numeric_limits<double>::infinity()}, "", "seed of every random number");
  run("precision", &R::precision, "numbers of the kernels");
  run("reduction", &R::reduction, "how sums over ranks are made");
  run("watchdog-seconds", &R::watchdog_seconds, {0, 1e9}, "s", "time without progress of a rank after which the job ends; 0: never");
  run.leaves_training_alone({"watchdog-seconds"});
  return keys;
}

std::string range_of(const ParameterSpec& spec) {
  using Kind = ParameterSpec::Kind;
  if (spec.kind == Kind::text) return "text";
  if (spec.kind == Kind::text_lines) return "text, may be repeated";
  const std::string range = std::isinf(spec.lower) && std::isinf(spec.upper)
                                ? "number"
                                : number_text(spec.lower) + " .. " + (std::isinf(spec.upper) ? "" : number_text(spec.upper));
  return spec.kind == Kind::real_list ? fmt::format("list of {}", range) : range;
}

template <class Entry>
void describe_entries(std::vector<OptionDescription>& all, const std::string& section, const std::vector<Entry>& entries) {
  for (const auto& entry : entries)
    for (const auto& spec : entry.parameters)
      all.push_back({section, spec.key, entry.name, spec.default_text, range_of(spec), "", spec.meaning});
}

}  // namespace

const std::vector<OptionKey>& option_keys() {
  static const std::vector<OptionKey> table = make_keys();
  return table;
}

const OptionKey* find_option_key(const std::string& name) {
  static const auto by_name = [] {
    std::map<std::string, const OptionKey*> map;
    for (const auto& key : option_keys()) map[key.description.name()] = &key;
    return map;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

const std::vector<OptionDescription>& option_descriptions() {
  static const auto all = [] {
    std::vector<OptionDescription> descriptions;
    for (const auto& key : option_keys()) {
      descriptions.push_back(key.description);
      if (key.description.name() == "target.name") describe_entries(descriptions, "target", target_entries());
      if (key.description.name() == "latent.name") describe_entries(descriptions, "latent", latent_entries());
    }
    return descriptions;
  }();
  return all;
}

}  // namespace boltzcurve

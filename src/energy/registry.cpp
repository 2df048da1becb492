#include <boltzcurve/energy.hpp>
#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "core/suggestion.hpp"

#include <algorithm>
#include <utility>

// The lists, one line an entry. Each names a function, defined in the entry's own file (targets/, latents/), that returns the entry.
#define BOLTZCURVE_TARGETS(ENTRY)   \
  ENTRY(gaussian_mixture_target)    \
  ENTRY(gmm40_target)               \
  ENTRY(many_well_target)           \
  ENTRY(asymmetric_two_target)      \
  ENTRY(rings_target)               \
  ENTRY(funnel_target)              \
  ENTRY(eight_schools_target)       \
  ENTRY(banana_target)              \
  ENTRY(student_t_target)           \
  ENTRY(phi4_target)                \
  ENTRY(double_well_4_target)       \
  ENTRY(shells_target)              \
  ENTRY(log_gamma_target)           \
  ENTRY(rosenbrock_target)          \
  ENTRY(rastrigin_target)           \
  ENTRY(quantum_ring_target)        \
  ENTRY(logistic_regression_target) \
  ENTRY(python_target)              \
  ENTRY(library_target)             \
  ENTRY(stan_target)

#define BOLTZCURVE_LATENTS(ENTRY)  \
  ENTRY(gaussian_latent)           \
  ENTRY(laplace_latent)            \
  ENTRY(generalized_normal_latent) \
  ENTRY(soft_box_latent)

namespace boltzcurve {

#define BOLTZCURVE_DECLARE_TARGET(name) TargetEntry name();
#define BOLTZCURVE_DECLARE_LATENT(name) LatentEntry name();
#define BOLTZCURVE_CALL(name) name(),

BOLTZCURVE_TARGETS(BOLTZCURVE_DECLARE_TARGET)
BOLTZCURVE_LATENTS(BOLTZCURVE_DECLARE_LATENT)

namespace {

std::vector<TargetEntry>& targets() {
  static std::vector<TargetEntry> entries{BOLTZCURVE_TARGETS(BOLTZCURVE_CALL)};
  return entries;
}

std::vector<LatentEntry>& latents() {
  static std::vector<LatentEntry> entries{BOLTZCURVE_LATENTS(BOLTZCURVE_CALL)};
  return entries;
}

template <class Entry>
void add(std::vector<Entry>& entries, Entry entry, const std::string& kind) {
  const auto refuse = [&](const std::string& why) { throw Error(ExitCode::internal_error, kind + " '" + entry.name + "': " + why); };
  if (entry.name.empty()) refuse("an entry needs a name");
  if (!entry.make) refuse("an entry needs a function that makes it");
  if (std::any_of(entries.begin(), entries.end(), [&](const Entry& other) { return other.name == entry.name; }))
    refuse("the name is taken: choose another one");
  entries.push_back(std::move(entry));
}

template <class Entry>
const Entry& find(const std::vector<Entry>& entries, const std::string& kind, std::string_view name) {
  std::vector<std::string> names;
  for (const Entry& entry : entries) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  throw SettingError(
      {"name", " = " + std::string(name) + ": there is no such " + kind + "; did you mean " + nearest_name(name, names) + "?"});
}

}  // namespace

const std::vector<TargetEntry>& target_entries() { return targets(); }
const std::vector<LatentEntry>& latent_entries() { return latents(); }

void register_target(TargetEntry entry) { add(targets(), std::move(entry), "target"); }
void register_latent(LatentEntry entry) { add(latents(), std::move(entry), "latent"); }

const TargetEntry& find_target(std::string_view name) { return find(targets(), "target", name); }
const LatentEntry& find_latent(std::string_view name) { return find(latents(), "latent", name); }

std::unique_ptr<Energy> make_target(std::string_view name, const Parameters::Values& given) {
  const TargetEntry& entry = find_target(name);
  return entry.make(Parameters(entry.name, entry.parameters, given));
}

std::unique_ptr<Energy> make_latent(std::string_view name, int dimension, const Parameters::Values& given) {
  const LatentEntry& entry = find_latent(name);
  return entry.make(Parameters(entry.name, entry.parameters, given), dimension);
}

}  // namespace boltzcurve

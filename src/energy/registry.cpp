#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "core/suggestion.hpp"

// The lists, one line an entry. Each names a function, defined in the entry's own file (targets/, latents/), that returns the entry.
#define BOLTZCURVE_TARGETS(ENTRY) \
  ENTRY(gaussian_mixture_target)  \
  ENTRY(gmm40_target)             \
  ENTRY(many_well_target)         \
  ENTRY(asymmetric_two_target)    \
  ENTRY(rings_target)             \
  ENTRY(funnel_target)

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

const std::vector<TargetEntry>& target_entries() {
  static const std::vector<TargetEntry> entries{BOLTZCURVE_TARGETS(BOLTZCURVE_CALL)};
  return entries;
}

const std::vector<LatentEntry>& latent_entries() {
  static const std::vector<LatentEntry> entries{BOLTZCURVE_LATENTS(BOLTZCURVE_CALL)};
  return entries;
}

namespace {

template <class Entry>
const Entry& find(const std::vector<Entry>& entries, std::string_view section_name, std::string_view name) {
  std::vector<std::string> names;
  for (const Entry& entry : entries) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  const std::string section(section_name);
  throw ConfigError(section + ".name = " + std::string(name) + ": there is no such " + section + "; did you mean " +
                    nearest_name(name, names) + "?");
}

}  // namespace

const TargetEntry& find_target(std::string_view name) { return find(target_entries(), "target", name); }
const LatentEntry& find_latent(std::string_view name) { return find(latent_entries(), "latent", name); }

}  // namespace boltzcurve

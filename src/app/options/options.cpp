#include "app/options/option_table.hpp"
#include "app/options/option_values.hpp"

#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "app/options/options.hpp"

#include <cmath>
#include <concepts>
#include <map>
#include <set>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

template <class Value>
Value read(const std::string& name, const std::string& text, const Range& range) {
  const auto value = TextOf<Value>::read(text, range);
  if (value) return *value;
  if constexpr (std::is_enum_v<Value>)  // says what is nearest
    throw ConfigError(name + " = " + text + ": " + need_of_choice<Value>(text));
  else
    throw ConfigError(name + " = " + text + ": " + TextOf<Value>::need(range));
}

template <class Value>
OptionKey key_of(OptionDescription description, const Range& range, const std::function<const Value&(const Options&)>& value,
                 const std::function<void(Options&, Value)>& assign) {
  description.default_text = TextOf<Value>::write(value(Options()));
  description.range = TextOf<Value>::range(range);
  return {description,
          [assign, range, name = description.name()](Options& options, const std::string& text) {
            assign(options, read<Value>(name, text, range));
          },
          [value](const Options& options) { return TextOf<Value>::write(value(options)); }};
}

/// Adds the settings of one section to the table of keys.
template <class Settings>
class Section {
 public:
  Section(std::vector<OptionKey>& keys, std::string name, Settings Options::*section)
      : keys_(keys), name_(std::move(name)), section_(section) {}

  template <class Owner, class Value>
  requires std::derived_from<Settings, Owner>
  void operator()(std::string_view key, Value Owner::*member, const Range& range, std::string_view unit, std::string_view meaning) const {
    const auto section = section_;
    keys_.push_back(key_of<Value>(
        {name_, std::string(key), "", "", "", std::string(unit), std::string(meaning)}, range,
        [=](const Options& options) -> const Value& { return options.*section.*member; },
        [=](Options& options, Value value) { options.*section.*member = std::move(value); }));
  }

  /// Of a choice between names, yes and no among them, or of texts.
  template <class Owner, class Value>
  void operator()(std::string_view key, Value Owner::*member, std::string_view meaning) const {
    (*this)(key, member, Range{}, "", meaning);
  }

  /// The name of a target or latent: any text here, looked up when all sources are read.
  void name(const std::string& range, const std::string& meaning) const {
    keys_.push_back({{name_, "name", "", Settings().name, range, "", meaning},
                     [section = section_](Options& options, const std::string& text) { (options.*section).name = text; },
                     [section = section_](const Options& options) { return (options.*section).name; }});
  }

 private:
  std::vector<OptionKey>& keys_;
  std::string name_;
  Settings Options::*section_;
};

std::vector<OptionKey> make_keys() {
  std::vector<OptionKey> keys;
  const auto describe = [&]<class Settings>(const std::string& name, Settings Options::*section) {
    Settings::describe(Section(keys, name, section));
  };
  Section(keys, "target", &Options::target).name("boltzcurve list targets", "the law to sample from; must be given");
  Section(keys, "latent", &Options::latent).name("boltzcurve list latents", "the law that sampling starts from");
  describe("curve", &Options::curve);
  describe("network", &Options::network);
  describe("normalizer", &Options::normalizer);
  describe("pilot", &Options::pilot);
  describe("collocation", &Options::collocation);
  describe("optimizer", &Options::optimizer);
  describe("training", &Options::training);
  describe("sampling", &Options::sampling);
  describe("evaluation", &Options::evaluation);
  describe("output", &Options::output);
  describe("study", &Options::study);
  describe("run", &Options::run);

  const std::set<std::string> sections = {"sampling", "evaluation", "output", "study"};
  const std::set<std::string> names = {"training.max-seconds",    "training.checkpoint-seconds", "training.checkpoint-steps",
                                       "training.keep-every",     "training.verify-checkpoints", "training.log-every",
                                       "training.evaluate-every", "training.until-ess",          "training.max-skipped-steps",
                                       "run.watchdog-seconds"};
  for (auto& key : keys) key.decides_training = !sections.contains(key.description.section) && !names.contains(key.description.name());
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

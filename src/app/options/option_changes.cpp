#include "app/options/option_table.hpp"

#include "app/options/option_changes.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

/// Keys of the resolved text in their order, and what each is.
using Lines = std::vector<std::pair<std::string, std::string>>;

Lines lines_of(const Options& options) {
  Lines lines;
  for (const auto& [key, value, where] : parse_config(resolved_text(options), "options").assignments) {
    if (!lines.empty() && lines.back().first == key)
      lines.back().second += "; " + value;
    else
      lines.emplace_back(key, value);
  }
  return lines;
}

std::string value_in(const Lines& lines, const std::string& key) {
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const auto& line) { return line.first == key; });
  return found == lines.end() ? std::string() : found->second;
}

bool decides_training(const std::string& key, const Options& after) {
  // The number of steps is only where to stop, unless the learning rate is planned over all of them.
  if (key == "training.steps") return after.optimizer.decay == LearningRateDecay::cosine;
  if (key.starts_with("target.") && names_code(after.target, key)) return false;  // values tell whether the target is another
  const auto* known = find_option_key(key);
  return known == nullptr || known->decides_training;  // those of targets and latent laws are not in the table
}

}  // namespace

std::string OptionChange::text() const {
  const auto shown = [](const std::string& value) { return value.empty() ? std::string("nothing") : value; };
  return fmt::format("{} = {} (was {})", key, shown(after), shown(before));
}

std::vector<OptionChange> option_changes(const Options& before, const Options& after) {
  const auto old_lines = lines_of(before), new_lines = lines_of(after);
  std::vector<OptionChange> changes;
  const auto add = [&](const std::string& key) {
    OptionChange change{key, value_in(old_lines, key), value_in(new_lines, key)};
    change.of_training = decides_training(key, after);
    if (change.before != change.after) changes.push_back(std::move(change));
  };
  for (const auto& [key, value] : new_lines) add(key);
  for (const auto& [key, value] : old_lines)
    if (value_in(new_lines, key).empty() && !value.empty() &&
        std::none_of(new_lines.begin(), new_lines.end(), [&, &key = key](const auto& line) { return line.first == key; }))
      add(key);
  return changes;
}

}  // namespace boltzcurve

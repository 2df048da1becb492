#include "app/commands/parameters_summary.hpp"
#include <boltzcurve/error.hpp>

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

namespace boltzcurve {

std::vector<std::string> parameter_names(const Options& options, int dimension, std::vector<std::string> of_target) {
  auto names = options.output.names;
  const auto D = static_cast<std::size_t>(dimension);
  if (names.empty() && !of_target.empty()) return of_target;
  if (names.empty()) {
    for (std::size_t k = 0; k < D; ++k) names.push_back(fmt::format("x{}", k + 1));
    return names;
  }
  const auto refuse = [](const std::string& what) { throw ConfigError("output.names: " + what); };
  if (names.size() != D)
    refuse(fmt::format("{} names for the {} coordinates of target {}: must be one for each", names.size(), D, options.target.name));
  std::set<std::string> taken;
  for (const auto& name : names)
    if (!taken.insert(name).second) refuse(fmt::format("{} is given twice: every coordinate needs a name of its own", name));
  return names;
}

Table summary_table(const std::vector<std::string>& names, std::span<const ParameterSummary> summaries) {
  Table table{"summary",
              {{"parameter", "text", Texts()},
               {"mean", "length"},
               {"sd", "length"},
               {"mcse", "length"},
               {"q5", "length"},
               {"q50", "length"},
               {"q95", "length"},
               {"ess", "1"}}};
  for (std::size_t k = 0; k < summaries.size(); ++k) {
    const auto& [mean, deviation, standard_error, quantiles, effective_size] = summaries[k];
    table.add({names[k], mean, deviation, standard_error, quantiles[0], quantiles[1], quantiles[2], effective_size});
  }
  return table;
}

std::string summary_text(const std::vector<std::string>& names, std::span<const ParameterSummary> summaries) {
  constexpr std::size_t all_up_to = 12, else_first = 10;
  const std::size_t shown = summaries.size() <= all_up_to ? summaries.size() : else_first;
  std::size_t width = std::string_view("parameter").size();
  for (std::size_t k = 0; k < shown; ++k) width = std::max(width, names[k].size());
  const auto number = [](double value, int digits) { return std::isnan(value) ? std::string() : fmt::format("{:.{}g}", value, digits); };
  std::string text = fmt::format("{:<{}} {:>12} {:>12} {:>10} {:>12} {:>12} {:>12} {:>9}\n", "parameter", width, "mean", "sd", "mcse",
                                 "5 %", "50 %", "95 %", "ess");
  for (std::size_t k = 0; k < shown; ++k) {
    const auto& [mean, deviation, standard_error, quantiles, effective_size] = summaries[k];
    text += fmt::format("{:<{}} {:>12} {:>12} {:>10}", names[k], width, number(mean, 6), number(deviation, 6), number(standard_error, 2));
    for (const double quantile : quantiles) text += fmt::format(" {:>12}", number(quantile, 6));
    text += fmt::format(" {:>9}\n", std::isnan(effective_size) ? std::string() : fmt::format("{:.0f}", effective_size));
  }
  if (shown < summaries.size()) text += fmt::format("and {} more in {}\n", summaries.size() - shown, summary_name);
  return text;
}

}  // namespace boltzcurve

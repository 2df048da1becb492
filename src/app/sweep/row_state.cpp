#include "app/sweep/row_state.hpp"
#include <boltzcurve/error.hpp>
#include "app/process/stop_request.hpp"
#include "io/durable_file.hpp"
#include "io/folder_lock.hpp"
#include "io/metrics_file.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace boltzcurve {
namespace {

constexpr std::string_view stopped_prefix = "stopped: ";

std::optional<RowStatus> from_outcome(const std::filesystem::path& file) {
  std::error_code missing;
  if (!std::filesystem::exists(file, missing)) return std::nullopt;
  const auto json = nlohmann::json::parse(read_text(file), nullptr, false);
  if (!json.is_object() || !json.contains("state") || !json["state"].is_string()) return std::nullopt;
  const auto name = json["state"].get<std::string>();
  const auto choice = std::find_if(choices<RowState>.begin(), choices<RowState>.end(), [&](const auto& c) { return c.name == name; });
  if (choice == choices<RowState>.end()) return std::nullopt;
  const auto detail = json.find("detail");
  return RowStatus{choice->value, detail != json.end() && detail->is_string() ? detail->get<std::string>() : ""};
}

/// What the attribute `state` of the run's files says, "running", "finished" or "stopped: " and why.
RowStatus from_run_state(const std::string& state, bool is_evaluated) {
  if (state == "finished") return is_evaluated ? RowStatus{RowState::done, ""} : RowStatus{RowState::stopped, "trained, not evaluated"};
  if (!state.starts_with(stopped_prefix)) return {RowState::killed, ""};
  const auto why = state.substr(stopped_prefix.size());
  for (const auto stop : all_interruptions)
    if (why == name_of(stop)) return {stop == Stop::others ? RowState::ended_early : RowState::stopped, why};
  return {RowState::failed, why};
}

}  // namespace

void write_outcome(const std::filesystem::path& folder, const RowOutcome& outcome) {
  nlohmann::ordered_json json;
  json["state"] = name_of(outcome.state);
  json["exit_code"] = outcome.exit_code;
  json["detail"] = outcome.detail;
  json["seconds"] = outcome.seconds;
  json["ranks"] = outcome.ranks;
  replace_file(folder / outcome_name, json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

RowStatus status_of(const std::filesystem::path& folder) {
  if (const auto holder = holder_of(folder)) return {RowState::running, *holder};
  if (const auto status = from_outcome(folder / outcome_name)) return *status;
  const auto metrics = folder / "metrics.h5";
  std::error_code missing;
  if (!std::filesystem::exists(metrics, missing)) return {};
  try {
    return from_run_state(read_metrics(metrics, "training").state, std::filesystem::exists(folder / "evaluation.json", missing));
  } catch (const InputError& error) {
    return {RowState::killed, error.what()};  // in the middle of writing
  }
}

}  // namespace boltzcurve

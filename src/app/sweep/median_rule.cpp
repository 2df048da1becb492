#include "app/sweep/median_rule.hpp"
#include <boltzcurve/error.hpp>
#include "metrics/likelihood.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace boltzcurve {
namespace {

constexpr const char* trace_name = "trace.csv";

/// In one piece: others may read at any moment, and take a line without its end for none.
void append_line(const std::filesystem::path& file, const std::string& line) {
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  const bool written = descriptor >= 0 && write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  const int error = errno;
  if (descriptor >= 0) close(descriptor);
  if (!written) throw InputError(fmt::format("cannot write {}: {}", file.string(), std::generic_category().message(error)));
}

std::optional<double> value_at(const std::filesystem::path& file, std::int64_t step) {
  std::ifstream lines(file);
  std::string line;
  while (std::getline(lines, line) && !lines.eof()) {
    char* end = nullptr;
    if (std::strtoll(line.c_str(), &end, 10) == step && *end == ',') return std::strtod(end + 1, nullptr);
  }
  return std::nullopt;
}

}  // namespace

MedianRule::MedianRule(const SweepSettings& settings, std::filesystem::path folder, std::vector<std::filesystem::path> others)
    : settings_(settings), folder_(std::move(folder)), others_(std::move(others)) {
  std::erase(others_, folder_);
}

std::optional<std::string> MedianRule::tell(std::int64_t step, double value) {
  append_line(folder_ / trace_name, fmt::format("{},{}\n", step, value));
  if (step < settings_.stop_early_from) return std::nullopt;
  std::vector<double> theirs;
  for (const auto& other : others_)
    if (const auto one = value_at(other / trace_name, step)) theirs.push_back(*one);
  if (static_cast<std::int64_t>(theirs.size()) < settings_.stop_early_rows) return std::nullopt;
  const double middle = median(theirs);
  const bool by_loss = settings_.stop_early == EarlyStop::loss;
  if (by_loss ? !(value > middle) : !(value < middle)) return std::nullopt;
  return fmt::format("{} {:.4g} at step {}, the median of {} others is {:.4g}", by_loss ? "loss" : "ESS", value, step, theirs.size(),
                     middle);
}

}  // namespace boltzcurve

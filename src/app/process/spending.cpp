#include "app/process/spending.hpp"

#include <cmath>
#include <cstdint>

#include <sys/resource.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace boltzcurve {
namespace {

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

Spending::Spending(const Communicator& world) : world_(world), before_(processor_seconds()) {}

void Spending::end(const std::string& part, std::optional<double> values, std::optional<double> gradients) {
  const double now = processor_seconds();
  parts_.push_back({part, values, gradients, 1e-6 * static_cast<double>(world_.sum(static_cast<std::int64_t>(1e6 * (now - before_))))});
  before_ = now;
}

std::string Spending::text() const {
  std::vector<std::string> texts;
  for (const auto& part : parts_) {
    std::vector<std::string> asked;
    if (part.values && *part.values > 0) asked.push_back(fmt::format("{:.0f} values", *part.values));
    if (part.gradients && *part.gradients > 0) asked.push_back(fmt::format("{:.0f} gradients", *part.gradients));
    if (!part.values || !part.gradients) asked.push_back("uncounted");
    if (asked.empty()) asked.push_back("none");
    texts.push_back(fmt::format("{} {}, {:.3g} s", part.name, fmt::join(asked, " and "), part.processor_seconds));
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

}  // namespace boltzcurve

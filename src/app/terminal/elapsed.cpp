#include "app/terminal/elapsed.hpp"
#include "core/clock.hpp"

#include <ostream>
#include <utility>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr std::chrono::milliseconds between_lines(1000), between_rows(30000);

}  // namespace

Elapsed::Elapsed(std::ostream& out, Progress::Style style, std::string what, std::chrono::milliseconds quiet)
    : out_(out), style_(style), what_(std::move(what)), quiet_(quiet) {
  if (style_ != Progress::Style::silent) thread_ = std::thread([this] { tell(); });
}

Elapsed::~Elapsed() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  end_.notify_one();
  thread_.join();
}

void Elapsed::tell() {
  const double start = steady_seconds();
  const bool on_terminal = style_ == Progress::Style::terminal;
  std::string line;
  std::unique_lock lock(mutex_);
  for (auto wait = quiet_; !end_.wait_for(lock, wait, [this] { return ended_; }); wait = on_terminal ? between_lines : between_rows) {
    line = fmt::format("{}: {}", what_, duration_text(steady_seconds() - start));
    out_ << (on_terminal ? "\r" : "") << line << (on_terminal ? "" : "\n") << std::flush;
  }
  if (on_terminal && !line.empty()) out_ << '\r' << std::string(line.size(), ' ') << '\r' << std::flush;
}

}  // namespace boltzcurve

#include "app/terminal/progress.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>

#include <fmt/format.h>
#include <unistd.h>

namespace boltzcurve {
namespace {

constexpr double seconds_between_updates = 0.2;  // of a terminal: faster than that nobody reads
constexpr int cell_width = 11;                   // holds "-1.2345e+00" and "123.4k"

std::string heading(const ProgressColumn& column) { return column.unit.empty() ? column.name : column.name + " [" + column.unit + "]"; }

std::string with_prefix(double number) {
  constexpr const char* prefixes[] = {"", "k", "M", "G", "T"};
  std::size_t prefix = 0;
  for (; number >= 1000 && prefix + 1 < std::size(prefixes); ++prefix) number /= 1000;
  return fmt::format("{:.3g}{}", number, prefixes[prefix]);
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::min(seconds, 1e15)));
  const std::int64_t hours = whole / 3600, minutes = whole / 60 % 60, rest = whole % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, rest) : fmt::format("{}:{:02}", minutes, rest);
}

Progress::Style progress_style(const Communicator& world, bool quiet) {
  if (quiet || !world.is_root()) return Progress::Style::silent;
  return isatty(STDERR_FILENO) ? Progress::Style::terminal : Progress::Style::rows;
}

Progress::Progress(std::ostream& out, Style style, Work work, std::vector<ProgressColumn> columns, WallClock clock)
    : out_(out),
      style_(style),
      work_(std::move(work)),
      columns_(std::move(columns)),
      clock_(std::move(clock)),
      start_(clock_()),
      step_(work_.first_step),
      now_(start_),
      last_shown_(start_) {}

Progress::~Progress() {
  if (line_length_ > 0) out_ << '\n' << std::flush;
}

std::optional<double> Progress::rate() const {
  if (!rate_started_ || step_ <= rate_from_step_ || now_ <= rate_from_) return std::nullopt;
  return work_.units_per_step * static_cast<double>(step_ - rate_from_step_) / (now_ - rate_from_);
}

void Progress::at(std::int64_t step) {
  if (style_ == Style::silent) return;
  step_ = step;
  now_ = clock_();
  if (!rate_started_) {
    rate_started_ = true;
    rate_from_step_ = step_;
    rate_from_ = now_;
  }
  if (!is_due(now_)) return;
  last_shown_ = now_;
  if (style_ == Style::rows) {
    if (!header_shown_) show_header();
    out_ << cells() << '\n' << std::flush;
  } else {
    const std::string line = cells();
    // Blanks wipe what a longer line left behind.
    out_ << '\r' << fmt::format("{:<{}}", line, line_length_) << std::flush;
    line_length_ = line.size();
  }
}

void Progress::note(const std::string& text) {
  if (style_ == Style::silent) return;
  wipe();
  out_ << text << '\n' << std::flush;
}

void Progress::wipe() {
  if (line_length_ > 0) out_ << '\r' << std::string(line_length_, ' ') << '\r' << std::flush;
  line_length_ = 0;
}

bool Progress::is_due(double now) const {
  if (step_ == work_.steps) return true;
  return style_ == Style::terminal ? now - last_shown_ >= seconds_between_updates : step_ % work_.row_every == 0;
}

void Progress::show_header() {
  header_shown_ = true;
  std::string line = fmt::format("{:>{}}", "step", cell_width);
  for (const auto& column : columns_) line += fmt::format("  {:>{}}", heading(column), cell_width);
  line += fmt::format("  {:>{}}  {:>{}}  {:>{}}", work_.unit + "/s", cell_width, "elapsed", cell_width, "left", cell_width);
  out_ << work_.name << '\n' << line << '\n';
}

std::string Progress::cells() const {
  const auto speed = rate();
  const std::string speed_text = speed ? with_prefix(*speed) : "-", elapsed = duration_text(now_ - start_);
  std::string line;
  if (style_ == Style::terminal) {
    line = fmt::format("{} {}/{}", work_.name, step_, work_.steps);
    for (const auto& column : columns_) {
      line += fmt::format("  {} {}", column.name, fmt::format(fmt::runtime(column.format), column.value()));
      if (!column.unit.empty()) line += " " + column.unit;
    }
    return line + fmt::format("  {} {}/s  {} left", speed_text, work_.unit, time_left());
  }
  line = fmt::format("{:>{}}", step_, cell_width);
  for (const auto& column : columns_) {
    const auto width = std::max<std::size_t>(cell_width, heading(column).size());
    line += fmt::format("  {:>{}}", fmt::format(fmt::runtime(column.format), column.value()), width);
  }
  return line + fmt::format("  {:>{}}  {:>{}}  {:>{}}", speed_text, std::max<std::size_t>(cell_width, work_.unit.size() + 2), elapsed,
                            cell_width, time_left(), cell_width);
}

std::string Progress::time_left() const {
  std::optional<double> left;
  if (rate_started_ && step_ > rate_from_step_)
    left = (now_ - rate_from_) / static_cast<double>(step_ - rate_from_step_) * static_cast<double>(work_.steps - step_);
  if (work_.max_seconds > 0) {
    const double of_budget = std::max(0.0, work_.max_seconds - (now_ - start_));
    left = left ? std::min(*left, of_budget) : of_budget;
  }
  return left ? duration_text(*left) : "?";
}

}  // namespace boltzcurve

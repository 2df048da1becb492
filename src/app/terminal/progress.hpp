#pragma once

#include "app/process/stop_request.hpp"

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace boltzcurve {

/// A number that progress shows, declared once: header and rows come from the same line.
struct ProgressColumn {
  std::string name, unit;         ///< `unit` empty where there is none
  std::string format;             ///< of {fmt}, for a double: "{:.3e}"
  std::function<double()> value;  ///< read whenever a row is shown
};

/// Tells how far a piece of work has come: on a terminal one line that is written over, elsewhere (a log file) a header and plain rows.
/// Shows the step, the columns, how many of `unit` a second are done, and the time left. The rate leaves out the first step, which
/// allocates and warms caches.
class Progress {
 public:
  enum class Style { terminal, rows, silent };

  struct Work {
    std::string name;              ///< "training"
    std::int64_t first_step = 0;   ///< steps done before (a resumed run)
    std::int64_t steps = 0;        ///< steps in all
    std::int64_t row_every = 100;  ///< steps between rows
    std::string unit;              ///< "points"
    double units_per_step = 0;
    double max_seconds = 0;  ///< wall time after which the work ends anyway; 0: none
  };

  Progress(std::ostream& out, Style style, Work work, std::vector<ProgressColumn> columns, WallClock clock = steady_seconds);
  ~Progress();  ///< ends the line on a terminal
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `step` steps are done. Call after every step; shows something only when it is time.
  void at(std::int64_t step);

  /// A line of text of its own, without spoiling the progress line.
  void note(const std::string& text);
  /// Takes the progress line away, for what others have to say.
  void wipe();

  /// Units per second since the end of the first step seen; none before the second.
  std::optional<double> rate() const;

 private:
  bool is_due(double now) const;
  void show_header();
  std::string cells() const;
  std::string time_left() const;

  std::ostream& out_;
  Style style_;
  Work work_;
  std::vector<ProgressColumn> columns_;
  WallClock clock_;
  double start_;
  std::int64_t step_, rate_from_step_ = 0;
  double now_, rate_from_ = 0;
  bool rate_started_ = false, header_shown_ = false;
  double last_shown_;
  std::size_t line_length_ = 0;
};

/// Terminal if stderr is one, rows otherwise; silent where asked or on other ranks than 0.
Progress::Style progress_style(const Communicator& world, bool quiet);

/// "1:02:03", "2:03" (minutes and seconds).
std::string duration_text(double seconds);

}  // namespace boltzcurve

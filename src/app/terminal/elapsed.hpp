#pragma once

#include "app/terminal/progress.hpp"

#include <chrono>
#include <condition_variable>
#include <iosfwd>
#include <mutex>
#include <string>
#include <thread>

namespace boltzcurve {

/// Tells that a piece of work whose end is not known goes on: nothing for a few seconds, then how long it has taken, on a terminal in a
/// line that is written over and taken away at the end, elsewhere now and then a row. By a thread of its own, which does nothing else.
class Elapsed {
 public:
  Elapsed(std::ostream& out, Progress::Style style, std::string what, std::chrono::milliseconds quiet = std::chrono::seconds(3));
  ~Elapsed();
  Elapsed(const Elapsed&) = delete;
  Elapsed& operator=(const Elapsed&) = delete;

 private:
  void tell();

  std::ostream& out_;
  Progress::Style style_;
  std::string what_;
  std::chrono::milliseconds quiet_;
  std::mutex mutex_;
  std::condition_variable end_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace boltzcurve

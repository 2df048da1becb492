#include "app/terminal/elapsed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>
#include <thread>

namespace boltzcurve {
namespace {

using std::chrono::milliseconds;

std::string told(Progress::Style style, milliseconds quiet) {
  std::ostringstream out;
  {
    const Elapsed elapsed(out, style, "looking around", quiet);
    std::this_thread::sleep_for(milliseconds(200));
  }
  return out.str();
}

TEST(Elapsed, TellsAfterAWhileAndCleansUp) {
  EXPECT_EQ(told(Progress::Style::rows, milliseconds(20)), "looking around: 0:00\n");
  EXPECT_EQ(told(Progress::Style::terminal, milliseconds(20)), "\rlooking around: 0:00\r                    \r");
  EXPECT_EQ(told(Progress::Style::rows, milliseconds(60000)), "");
  EXPECT_EQ(told(Progress::Style::silent, milliseconds(0)), "");
}

}  // namespace
}  // namespace boltzcurve

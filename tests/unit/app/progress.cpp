#include "app/terminal/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace boltzcurve {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

struct Told : testing::Test {
  double now = 0, loss = 0.5;
  std::ostringstream out;
  Progress::Work work{.name = "training", .steps = 10, .row_every = 4, .unit = "points", .units_per_step = 1000};

  Progress progress(Progress::Style style) {
    return Progress(out, style, work, {{"loss", "nats", "{:.2e}", [this] { return loss; }}}, [this] { return now; });
  }
};

TEST_F(Told, RowsHaveAHeaderOnceAndTheLastStepAlways) {
  {
    auto rows = progress(Progress::Style::rows);
    for (int step = 1; step <= 10; ++step) {
      now += step == 1 ? 100 : 2;  // the first step warms up
      loss = 1.0 / step;
      rows.at(step);
    }
  }
  // After the warm-up 1000 points take 2 s; at step 4 (106 s) six steps, 12 s, are left.
  EXPECT_EQ(out.str(),
            "training\n"
            "       step  loss [nats]     points/s      elapsed         left\n"
            "          4     2.50e-01          500         1:46         0:12\n"
            "          8     1.25e-01          500         1:54         0:04\n"
            "         10     1.00e-01          500         1:58         0:00\n");
}

TEST_F(Told, ATerminalHasOneLineThatIsWrittenOverAtMostFiveTimesASecond) {
  {
    auto line = progress(Progress::Style::terminal);
    now = 1;
    line.at(1);
    now = 1.1;
    line.at(2);  // too soon
    now = 3;
    line.at(3);
  }
  EXPECT_EQ(out.str(),
            "\rtraining 1/10  loss 5.00e-01 nats  - points/s  ? left"
            "\rtraining 3/10  loss 5.00e-01 nats  1k points/s  0:07 left"
            "\n");
}

TEST_F(Told, AShorterLineWipesALongerOne) {
  auto line = progress(Progress::Style::terminal);
  loss = -0.5;
  now = 1;
  line.at(1);
  const auto before = out.str().size();
  loss = 0.5;
  now = 2;
  work.name = "";
  line.at(1);
  EXPECT_THAT(out.str().substr(before), EndsWith("left "));
  EXPECT_EQ(out.str().size(), 2 * before);
}

TEST_F(Told, NotesStandOnLinesOfTheirOwn) {
  auto line = progress(Progress::Style::terminal);
  now = 1;
  line.at(1);
  const auto length = out.str().size() - 1;
  line.note("checkpoint written");
  EXPECT_THAT(out.str(), EndsWith("\r" + std::string(length, ' ') + "\rcheckpoint written\n"));
}

TEST_F(Told, TimeLeftIsBoundedByTheBudget) {
  work.max_seconds = 8;
  auto line = progress(Progress::Style::terminal);
  now = 1;
  line.at(1);
  EXPECT_THAT(out.str(), EndsWith("0:07 left"));
  now = 3;
  line.at(2);  // at 2 s a step 16 s would be left
  EXPECT_THAT(out.str(), EndsWith("0:05 left"));
}

TEST_F(Told, ARateOfAResumedRunCountsOnlyItsOwnSteps) {
  work.first_step = 6;
  auto rows = progress(Progress::Style::rows);
  now = 1;
  rows.at(7);
  EXPECT_FALSE(rows.rate());
  now = 5;
  rows.at(8);
  EXPECT_DOUBLE_EQ(*rows.rate(), 250);
}

TEST_F(Told, SilenceIsSilent) {
  {
    auto nothing = progress(Progress::Style::silent);
    nothing.at(10);
    nothing.note("checkpoint written");
  }
  EXPECT_EQ(out.str(), "");
}

TEST(Duration, HasHoursOnlyWhereThereAreSome) {
  EXPECT_EQ(duration_text(59.4), "0:59");
  EXPECT_EQ(duration_text(59.6), "1:00");
  EXPECT_EQ(duration_text(3599), "59:59");
  EXPECT_EQ(duration_text(3600), "1:00:00");
  EXPECT_EQ(duration_text(360000), "100:00:00");
}

}  // namespace
}  // namespace boltzcurve

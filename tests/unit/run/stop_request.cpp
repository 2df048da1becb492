#include <boltzcurve/run/stop_request.hpp>

#include <gtest/gtest.h>

#include <csignal>

namespace boltzcurve {
namespace {

/// Listens on one rank, with a clock that goes when told.
struct AtStep : testing::Test {
  double now = 1000;
  StopRequest request{Communicator(MPI_COMM_SELF), [this] { return now; }};
};

TEST_F(AtStep, NothingIsAskedAtFirst) {
  request.start_clock(0, 0);
  now += 1e9;
  const auto decision = request.agree();
  EXPECT_EQ(decision.stop, Stop::no);
  EXPECT_FALSE(decision.checkpoint);
}

TEST_F(AtStep, SignalsThatStopStayUntilTheEnd) {
  for (const int signal : {SIGUSR1, SIGTERM, SIGINT}) {
    StopRequest listening(Communicator(MPI_COMM_SELF), [] { return 0.0; });
    EXPECT_EQ(listening.agree().stop, Stop::no) << "what was asked of the one before is forgotten";
    std::raise(signal);
    EXPECT_EQ(listening.agree().stop, Stop::signal) << signal;
    EXPECT_EQ(listening.agree().stop, Stop::signal) << signal;
  }
}

TEST_F(AtStep, ASignalForACheckpointIsUsedUp) {
  std::raise(SIGUSR2);
  const auto decision = request.agree();
  EXPECT_TRUE(decision.checkpoint);
  EXPECT_EQ(decision.stop, Stop::no);
  EXPECT_FALSE(request.agree().checkpoint);
}

TEST_F(AtStep, TimeRunsOutAtTheLimitAndNotBefore) {
  request.start_clock(60, 0);
  now += 59.5;
  EXPECT_EQ(request.agree().stop, Stop::no);
  now += 0.5;
  EXPECT_EQ(request.agree().stop, Stop::time_limit);
  std::raise(SIGUSR1);
  EXPECT_EQ(request.agree().stop, Stop::signal) << "an interruption counts more than the end of the budget";
}

TEST_F(AtStep, CheckpointsAreDuePeriodicallyFromTheLastOneOn) {
  request.start_clock(0, 10);
  now += 9;
  EXPECT_FALSE(request.agree().checkpoint);
  std::raise(SIGUSR2);
  EXPECT_TRUE(request.agree().checkpoint);
  now += 9;
  EXPECT_FALSE(request.agree().checkpoint) << "the period begins with the one that was asked for";
  now += 1;
  EXPECT_TRUE(request.agree().checkpoint);
  EXPECT_FALSE(request.agree().checkpoint);
  EXPECT_EQ(request.elapsed_seconds(), 19);
}

TEST(StopRequest, GivesSignalsBackWhenItEnds) {
  static int heard = 0;
  const auto before = std::signal(SIGUSR1, [](int) { ++heard; });
  {
    const StopRequest request(Communicator(MPI_COMM_SELF));
    std::raise(SIGUSR1);
    EXPECT_EQ(heard, 0);
  }
  std::raise(SIGUSR1);
  EXPECT_EQ(heard, 1);
  std::signal(SIGUSR1, before);
}

}  // namespace
}  // namespace boltzcurve

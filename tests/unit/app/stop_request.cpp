#include "app/process/stop_request.hpp"
#include "io/durable_file.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <utility>

#include "unit/io/scratch_folder.hpp"

namespace boltzcurve {
namespace {

/// Listens on one rank, with a clock that goes when told.
struct AtStep : ::testing::Test {
  double now = 1000;
  StopRequest request{Communicator(MPI_COMM_SELF), {}, [this] { return now; }};
};

TEST_F(AtStep, NothingIsAskedAtFirst) {
  request.start_clock(0, 0);
  now += 1e9;
  const auto decision = request.agree();
  EXPECT_EQ(decision.stop, Stop::no);
  EXPECT_FALSE(decision.checkpoint);
}

TEST_F(AtStep, SignalsThatStopStayUntilTheEnd) {
  for (const auto& [signal, reason] :
       {std::pair(SIGUSR1, Stop::user_signal), std::pair(SIGTERM, Stop::terminate), std::pair(SIGINT, Stop::interrupt)}) {
    StopRequest listening(Communicator(MPI_COMM_SELF), {}, [] { return 0.0; });
    EXPECT_EQ(listening.agree().stop, Stop::no) << "what was asked of the one before is forgotten";
    std::raise(signal);
    EXPECT_EQ(listening.agree().stop, reason) << signal;
    std::raise(signal == SIGUSR1 ? SIGTERM : SIGUSR1);
    EXPECT_EQ(listening.agree().stop, reason) << "the first counts; signal " << signal;
  }
}

TEST_F(AtStep, ASignalToAPartIsHeardByTheWholeAfterIt) {
  StopRequest whole(Communicator(MPI_COMM_SELF), {}, [] { return 0.0; });
  {
    StopLimits limits;
    limits.part_of_another = true;
    StopRequest part(Communicator(MPI_COMM_SELF), limits, [] { return 0.0; });
    std::raise(SIGUSR1);
  }
  EXPECT_EQ(whole.agree().stop, Stop::user_signal);
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
  EXPECT_EQ(request.agree().stop, Stop::user_signal) << "an interruption counts more than the end of the budget";
}

TEST_F(AtStep, WalltimeIsUpInTimeForALastStepAndForWriting) {
  StopRequest limited(Communicator(MPI_COMM_SELF), {1000, {}, now - 100}, [this] { return now; });
  now += 50;  // a step of 50 s: two such must fit behind the end
  EXPECT_EQ(limited.agree().stop, Stop::no);
  for (; now < 1000 + 900 - 101; now += 10) EXPECT_EQ(limited.agree().stop, Stop::no) << now;
  now = 1000 + 900 - 100;
  EXPECT_EQ(limited.agree().stop, Stop::walltime);
  EXPECT_TRUE(is_interruption(limited.agree().stop));
}

TEST_F(AtStep, OneLongStepTakesAQuarterOfTheWalltimeAtMost) {
  StopRequest limited(Communicator(MPI_COMM_SELF), {1000, {}, now}, [this] { return now; });
  now += 600;
  EXPECT_EQ(limited.agree().stop, Stop::no);
  now += 150;
  EXPECT_EQ(limited.agree().stop, Stop::walltime);
}

TEST_F(AtStep, ARequestOfTheProgramCountsLessThanASignal) {
  StopRequest asked(Communicator(MPI_COMM_SELF), {}, [this] { return now; });
  asked.request(Stop::others);
  EXPECT_EQ(asked.agree().stop, Stop::others);
  std::raise(SIGUSR1);
  EXPECT_EQ(asked.agree().stop, Stop::user_signal);
}

TEST_F(AtStep, ASignalHeardByAnInnerPieceOfWorkLastsForTheOuterOne) {
  StopRequest outer(Communicator(MPI_COMM_SELF), {}, [this] { return now; });
  {
    StopRequest inner(Communicator(MPI_COMM_SELF), {.stop_files = {}, .part_of_another = true}, [this] { return now; });
    std::raise(SIGUSR1);
  }
  EXPECT_EQ(outer.agree().stop, Stop::user_signal);
}

TEST_F(AtStep, AStopFileIsLookedForOnceASecondAndCountsOnceSeen) {
  const testing::ScratchFolder folder;
  StopRequest asked(Communicator(MPI_COMM_SELF), {0, {folder / "STOP"}}, [this] { return now; });
  EXPECT_EQ(asked.agree().stop, Stop::no);
  replace_file(folder / "STOP", "");
  now += 0.5;
  EXPECT_EQ(asked.agree().stop, Stop::no);
  now += 0.5;
  EXPECT_EQ(asked.agree().stop, Stop::file);
  remove_file(folder / "STOP");
  EXPECT_EQ(asked.agree().stop, Stop::file);
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

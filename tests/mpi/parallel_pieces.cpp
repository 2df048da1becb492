// Work in pieces: each rank at its own pace, all to one end.
#include <boltzcurve/error.hpp>
#include "app/process/stop_request.hpp"
#include "parallel/pieces.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>

namespace boltzcurve {
namespace {

const Communicator& world() {
  static const Communicator ranks(MPI_COMM_WORLD);
  return ranks;
}
bool is_last() { return world().rank() == world().size() - 1; }

TEST(WorkInPieces, EndsWhenEveryRankHasDoneItsOwnNumber) {
  int done = 0;
  const int mine = 1 + 40 * world().rank();
  EXPECT_EQ(do_in_pieces(
                world(), [] { return Stop::no; }, [&] { return ++done < mine; }),
            Stop::no);
  EXPECT_EQ(done, mine);
}

TEST(WorkInPieces, EndsOnAllRanksWhenOneIsAskedTo) {
  StopRequest request(world());
  int done = 0;
  const auto why = do_in_pieces(
      world(), [&] { return request.seen_here(); },
      [&] {
        if (++done == 5 && is_last()) std::raise(SIGUSR1);
        return true;
      });
  EXPECT_EQ(why, Stop::user_signal);
  world().barrier();  // nothing of it is under way any more
}

TEST(WorkInPieces, FailsOnAllRanksWithTheErrorOfOne) {
  int done = 0;
  const std::string where = world().size() > 1 ? " (on rank " + std::to_string(world().size() - 1) + ")" : "";
  EXPECT_THAT(
      [&] {
        do_in_pieces(
            world(), [] { return Stop::no; },
            [&] {
              if (++done == 3 && is_last()) throw InputError("disk full");
              return is_last() || done < 2;
            });
      },
      testing::ThrowsMessage<Error>(testing::StrEq("disk full" + where)));
}

}  // namespace
}  // namespace boltzcurve

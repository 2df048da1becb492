#include <boltzcurve/error.hpp>
#include "io/checkpoint.hpp"
#include "io/durable_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpi/io_shared_folder.hpp"
#include "unit/io/example_provenance.hpp"

namespace boltzcurve {
namespace {

using ::testing::HasSubstr;
using testing::SharedFolder;
using ::testing::ThrowsMessage;
using testing::world;

TEST(CheckpointOnRanks, IsReadByRankZeroAndHeldByAll) {
  const SharedFolder folder;
  const auto path = folder / "checkpoint.h5";
  Checkpoint checkpoint;
  checkpoint.provenance = testing::example_provenance();
  checkpoint.datasets = {{.name = "parameters/w", .shape = {2, 2}, .values = std::vector<double>{1, 2, 3, 4}}};
  checkpoint.scalars = {{"step", std::int64_t{7}}};
  if (world().is_root()) write_checkpoint(path, checkpoint);
  // A path that only rank 0 can open: the others must not touch the file.
  const auto read = read_checkpoint(world(), world().is_root() ? path : folder / "nowhere.h5");
  EXPECT_EQ(read.datasets, checkpoint.datasets);
  EXPECT_EQ(read.scalars, checkpoint.scalars);
  EXPECT_EQ(read.provenance.options, checkpoint.provenance.options);
}

TEST(CheckpointOnRanks, ThatCannotBeReadIsAnErrorOnAll) {
  const SharedFolder folder;
  const auto path = folder / "checkpoint.h5";
  EXPECT_THAT([&] { read_checkpoint(world(), path); },
              ThrowsMessage<Error>("cannot read " + path.string() + ": No such file or directory"));
  if (world().is_root()) replace_file(path, "no checkpoint");
  EXPECT_THAT([&] { read_checkpoint(world(), path); },
              ThrowsMessage<InputError>(HasSubstr(path.string() + " is not an HDF5 file: its 13 bytes")));
}

}  // namespace
}  // namespace boltzcurve

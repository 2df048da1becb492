#include "app/sweep/row_claims.hpp"
#include "io/folder_lock.hpp"

#include <chrono>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "unit/io/scratch_folder.hpp"

namespace boltzcurve {
namespace {

const Communicator& self() {
  static const Communicator ranks(MPI_COMM_SELF);
  return ranks;
}

/// Claims as another job makes them, last changed so many minutes ago.
std::filesystem::path claims(const std::filesystem::path& sweep, const std::string& name, int minutes) {
  const auto folder = sweep / name;
  std::filesystem::create_directory(folder);
  std::filesystem::last_write_time(folder, std::filesystem::file_time_type::clock::now() - std::chrono::minutes(minutes));
  return folder;
}

TEST(RowClaims, OfOneRowAreForOneOnly) {
  const testing::ScratchFolder sweep;
  RowClaims claims_of_this(self(), sweep.path());
  EXPECT_TRUE(claims_of_this.take(3));
  EXPECT_FALSE(claims_of_this.take(3));
  EXPECT_TRUE(claims_of_this.take(4));
  claims_of_this.remove();
  EXPECT_EQ(sweep.entries(), 0u);
}

TEST(RowClaims, OfKilledJobsAreRemovedAndThoseOfLivingAndOfBeginningOnesStay) {
  const testing::ScratchFolder sweep;
  const auto killed = claims(sweep.path(), ".claims-killed", 10), beginning = claims(sweep.path(), ".claims-begins", 0),
             living = claims(sweep.path(), ".claims-living", 0), not_claims = claims(sweep.path(), "row0001", 10);
  const FolderLock lock(living, "process 1");
  std::filesystem::last_write_time(living, std::filesystem::file_time_type::clock::now() - std::chrono::hours(10));
  RowClaims claims_of_this(self(), sweep.path());
  EXPECT_FALSE(std::filesystem::exists(killed));
  EXPECT_TRUE(std::filesystem::exists(beginning));
  EXPECT_TRUE(std::filesystem::exists(living));
  EXPECT_TRUE(std::filesystem::exists(not_claims));
  claims_of_this.remove();
}

}  // namespace
}  // namespace boltzcurve

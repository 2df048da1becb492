#include <boltzcurve/particles.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace boltzcurve {
namespace {

/// Particles [first, first + count) of the plane with one frame, all numbers different.
Particles numbered(const Shard& shard) {
  auto particles = room_for_particles(shard, 2, {0.5});
  double next = 1;
  const auto fill = [&](auto& values) {
    for (auto& value : values)
      value = static_cast<std::remove_reference_t<decltype(value)>>(++next + 100 * static_cast<double>(shard.first));
  };
  for_each_column(
      [&](const ParticleColumn& column, auto& values) {
        if (std::string(column.name) != "id") fill(values);
      },
      particles);
  fill(particles.frames[0]);
  return particles;
}

TEST(ParticleTable, HasTheColumnsOfTheFormatInOrder) {
  std::vector<std::string> in_files, others;
  const Particles none;
  for_each_column(
      [&](const ParticleColumn& column, const auto& /*values*/) {
        (column.in_files == ParticleColumn::InFiles::never ? others : in_files).emplace_back(column.name);
      },
      none);
  EXPECT_THAT(in_files, testing::ElementsAre("position", "log_density", "log_weight", "action", "time", "status", "evaluations", "id",
                                             "island", "ancestor"));
  EXPECT_THAT(others, testing::ElementsAre("energy"));
}

TEST(ParticleTable, HasRoomForItsShardWithGlobalIds) {
  const auto particles = room_for_particles({64, 3}, 2, {0.0, 1.0});
  for_each_column([&](const ParticleColumn& column,
                      const auto& values) { EXPECT_EQ(static_cast<std::int64_t>(values.size()), 3 * column.numbers(2)) << column.name; },
                  particles);
  EXPECT_THAT(particles.id, testing::ElementsAre(64, 65, 66));
  EXPECT_THAT(particles.ancestor, testing::ElementsAre(64, 65, 66));
  EXPECT_EQ(particles.frames, std::vector(2, std::vector<double>(6, 0.0)));
}

// Of ten particles the three from id 74 on, into a table of others.
TEST(ParticleTable, ComesBackFromBytesInItsPlace) {
  const auto from = numbered({70, 10});
  auto to = room_for_particles({72, 6}, 2, {0.5});
  const auto bytes = to_bytes(from, {74, 3});
  EXPECT_EQ(bytes.size(), 3 * particle_bytes(2, 1));
  from_bytes(bytes, {74, 3}, to);
  for_each_column(
      [&](const ParticleColumn& column, const auto& left, const auto& right) {
        const auto width = static_cast<std::size_t>(column.numbers(2));
        for (std::size_t i = 0; i < 3 * width; ++i) EXPECT_EQ(right[2 * width + i], left[4 * width + i]) << column.name;
      },
      from, to);
  EXPECT_EQ(to.log_density[1], 0) << "particle 73 was not among them";
  EXPECT_EQ(to.log_density[5], 0) << "neither was 77";
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(to.frames[0][4 + i], from.frames[0][8 + i]);
}

TEST(ParticleStatus, HasANamePerFailure) {
  EXPECT_STREQ(name_of(ParticleStatus::finished), "finished");
  EXPECT_STREQ(name_of(ParticleStatus::max_steps), "max_steps");
}

}  // namespace
}  // namespace boltzcurve

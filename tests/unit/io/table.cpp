#include "io/table.hpp"
#include <boltzcurve/error.hpp>
#include "io/hdf5.hpp"

#include <array>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/io/example_provenance.hpp"
#include "unit/io/scratch_folder.hpp"

namespace boltzcurve {
namespace {

using ::testing::ElementsAre;
using ::testing::ThrowsMessage;

Table example() {
  Table table{"results", {{"run", "1", Integers()}, {"ess", "1"}, {"why, if not", "text", Texts()}}};
  table.add({std::int64_t{0}, 0.1, std::string("say \"x\",\ny")});
  table.add({std::int64_t{-1}, std::nan(""), std::string()});
  return table;
}

TEST(Table, IsCsvWithAllDigitsAndQuotesWhereTheyAreNeeded) {
  EXPECT_EQ(example().rows(), 2u);
  EXPECT_EQ(example().csv(), "run,ess,\"why, if not\"\n0,0.1,\"say \"\"x\"\",\ny\"\n-1,,\n");
  EXPECT_EQ((Table{"empty", {{"a", "1"}}}).csv(), "a\n");
}

TEST(Table, ComesBackFromItsCsvRecordByRecord) {
  const auto text = example().csv();
  std::size_t at = 0;
  EXPECT_THAT(csv_record(text, at), ElementsAre("run", "ess", "why, if not"));
  EXPECT_THAT(csv_record(text, at), ElementsAre("0", "0.1", "say \"x\",\ny"));
  EXPECT_THAT(csv_record(text, at), ElementsAre("-1", "", ""));
  EXPECT_EQ(at, text.size());
}

TEST(Table, TakesNoRowThatDoesNotFit) {
  auto table = example();
  const auto refused = ThrowsMessage<Error>("table results: a row does not fit its 3 columns");
  EXPECT_THAT([&] { table.add({std::int64_t{1}, 0.5}); }, refused);
  EXPECT_THAT(([&] { table.add({1.0, 0.5, std::string()}); }), refused);
  EXPECT_EQ(table.csv(), example().csv());
}

TEST(Table, IsWrittenWithUnitsAndTheOrderOfItsColumns) {
  const testing::ScratchFolder folder;
  const auto table = example();
  const std::array tables = {&table};
  write_tables(folder / "results.h5", testing::example_provenance(), "boltzcurve study", tables);
  const auto file = hdf5::open_file(folder / "results.h5", hdf5::Mode::read_only, hdf5::file_access());
  EXPECT_EQ(read_provenance(file, "boltzcurve study", 1).command_line, testing::example_provenance().command_line);
  EXPECT_THAT(hdf5::read_attribute_texts(hdf5::open_group(file, "results"), "columns"), ElementsAre("run", "ess", "why, if not"));
  EXPECT_THAT(hdf5::read_dataset<std::int64_t>(file, "results/run", 1).values, ElementsAre(0, -1));
  EXPECT_TRUE(std::isnan(hdf5::read_dataset<double>(file, "results/ess", 1).values.at(1)));
  EXPECT_THAT(hdf5::read_texts(file, "results/why, if not"), ElementsAre("say \"x\",\ny", ""));
  EXPECT_EQ(hdf5::read_attribute_text(hdf5::open_dataset(file, "results/why, if not"), "unit"), "text");
}

}  // namespace
}  // namespace boltzcurve

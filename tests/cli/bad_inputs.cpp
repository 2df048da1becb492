// Bad input of every kind, through the real executable. The cases stand in bad_inputs.txt, which says how it is read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/process.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

using boltzcurve::testing_support::Outcome;
using boltzcurve::testing_support::run_program;
using boltzcurve::testing_support::TemporaryFolder;

struct BadInput {
  std::string name, set_up, command;
  int exit_code = 0;
  std::string message;
  std::string traceback;  ///< what the lines above the message must hold; empty: there are none
};

void PrintTo(const BadInput& input, std::ostream* out) { *out << input.name; }

std::vector<BadInput> read_table(const std::string& file) {
  std::ifstream lines(file);
  std::vector<BadInput> table;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    const auto word = line.substr(0, line.find(' ')), rest = line.substr(std::min(line.find(' ') + 1, line.size()));
    if (word == "case")
      table.push_back({rest, {}, {}, {}, {}, {}});
    else if (table.empty())
      throw std::runtime_error(file + ": begins with no case");
    else if (word == "!")
      table.back().set_up += rest + "\n";
    else if (word == "$")
      table.back().command = rest;
    else if (word == "<")
      table.back().traceback = rest;
    else if (word.find_first_not_of("0123456789") == std::string::npos)
      table.back().exit_code = std::stoi(word), table.back().message = rest;
    else
      throw std::runtime_error(file + ": cannot read '" + line + "'");
  }
  return table;
}

Outcome run_in(const std::filesystem::path& folder, const std::string& commands) {
  return run_program({"sh", "-c", "B='" BOLTZCURVE_EXECUTABLE "' P='" PYTHON_WITH_NUMPY "' L='" PLUGINS "'\n" + commands}, folder);
}

/// All files of a folder: kind, and size and content of those that have one.
std::map<std::string, std::string> content_of(const std::filesystem::path& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    std::string& what = all[entry.path().string()];
    if (entry.is_symlink())
      what = "link to " + std::filesystem::read_symlink(entry).string();
    else if (entry.is_regular_file())
      what = (std::ostringstream() << std::ifstream(entry.path()).rdbuf()).str();
    else
      what = entry.is_directory() ? "folder" : "other";
  }
  return all;
}

/// `expected` with each {number} replaced by the digits that stand there in `found`, and each {...}, a library's words that differ from one
/// version of it to the next, by what stands there before the text that must follow; if anything does.
std::string filled_from(const std::string& found, std::string expected) {
  for (auto at = expected.find('{'); at < found.size(); at = expected.find('{', at + 1)) {
    const auto end_of_mark = expected.find('}', at) + 1;
    const bool is_number = expected.compare(at, end_of_mark - at, "{number}") == 0;
    const auto next_mark = std::min(expected.find('{', end_of_mark), expected.size());
    const auto end =
        is_number ? found.find_first_not_of("0123456789", at) : found.find(expected.substr(end_of_mark, next_mark - end_of_mark), at);
    if (end != std::string::npos && end > at) expected.replace(at, end_of_mark - at, found.substr(at, end - at));
  }
  return expected;
}

class RefusesBadInput : public testing::TestWithParam<BadInput> {
 protected:
  static void SetUpTestSuite() {
    const Outcome outcome = run_in(trained().path(),
                                   "exec \"$B\" run --output run --target.name=funnel --target.dimension=2 --network.width=4 "
                                   "--network.hidden-layers=1 --pilot.particles=128 --collocation.points=64 --training.steps=2 "
                                   "--sampling.particles=64 --evaluation.exact-samples=64 --quiet");
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }

  /// Holds the folder `run` of a small run that is done.
  static const TemporaryFolder& trained() {
    static const TemporaryFolder folder;
    return folder;
  }
};

TEST_P(RefusesBadInput, WithItsMessageAndCodeAndNothingWritten) {
  const BadInput& input = GetParam();
  if (input.set_up.find("unless root") != std::string::npos && geteuid() == 0) GTEST_SKIP() << "root may do all";
  const bool asks_for_python = (input.set_up + input.command).find("$P") != std::string::npos;
  if (asks_for_python && std::string(PYTHON_WITH_NUMPY).empty()) GTEST_SKIP() << "no Python here has numpy: tools/install_dependencies.sh";
  const TemporaryFolder folder;
  std::filesystem::copy(trained().path(), folder.path(), std::filesystem::copy_options::recursive);
  const Outcome set_up = run_in(folder.path(), "set -e\n" + input.set_up);
  ASSERT_EQ(set_up.exit_code, 0) << set_up.err;
  const auto before = content_of(folder.path());

  const Outcome outcome = run_in(folder.path(), "exec \"$B\" " + input.command);

  EXPECT_EQ(outcome.exit_code, input.exit_code);
  const auto placed = [&](std::string text) {
    for (auto at = text.find("{here}"); at != std::string::npos; at = text.find("{here}")) text.replace(at, 6, folder.path().string());
    return text;
  };
  const auto message = placed(input.message);
  auto found = outcome.err;
  if (!input.traceback.empty()) {
    const auto above = found.substr(0, found.rfind("boltzcurve: error: "));
    EXPECT_THAT(above, testing::HasSubstr(placed(input.traceback)));
    found.erase(0, above.size());
  }
  EXPECT_EQ(filled_from(found, "boltzcurve: error: " + message + "\n"), found);
  constexpr double seconds = 20;  // a second, but of a machine that may be busy
  EXPECT_LT(outcome.seconds, seconds);
  const auto after = content_of(folder.path());
  EXPECT_TRUE(before == after) << "files have changed";
}

INSTANTIATE_TEST_SUITE_P(Table, RefusesBadInput, testing::ValuesIn(read_table(BAD_INPUTS)),
                         [](const auto& test) { return test.param.name; });

TEST(BadInputs, AreManyAndHaveNamesOfTheirOwn) {
  const auto table = read_table(BAD_INPUTS);
  std::map<std::string, int> names;
  for (const auto& input : table) EXPECT_EQ(++names[input.name], 1) << input.name;
  EXPECT_GE(table.size(), 60U);
}

}  // namespace

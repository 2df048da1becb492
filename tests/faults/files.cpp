// Faults of files and disks: full, read-only, deleted, cut short, flipped bits, newer formats, leavings.
#include <boltzcurve/error.hpp>
#include "io/checkpoint.hpp"
#include "io/hdf5.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <sys/mount.h>

#include "faults/tally.hpp"
#include "support/small_run.hpp"
#include "unit/io/small_disk.hpp"

namespace boltzcurve {
namespace {

using ::testing::HasSubstr;
using testing::SmallDisk;
using testing_support::alone;
using testing_support::boltzcurve;
using testing_support::command_on;
using testing_support::difference;
using testing_support::Fault;
using testing_support::Outcome;
using testing_support::Program;
using testing_support::small_config;
using testing_support::TemporaryFolder;
using testing_support::wait_for;

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Files : public ::testing::Test {
 protected:
  Files() {
    folder.write("small.ini", small_config() + "[optimizer]\ndecay = constant\n");
    std::filesystem::create_directory(out());
  }

  std::filesystem::path out() const { return folder.path() / "out"; }

  static std::vector<std::string> command(const std::string& name, const std::string& output, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {name, "--config", "small.ini", "--output", output, "--training.log-every=1000000"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  static std::vector<std::string> endless() {
    return command("train", "out", {"--training.steps=100000000", "--training.checkpoint-steps=20"});
  }

  std::int64_t step() const { return read_checkpoint(out() / "checkpoint.h5").scalar<std::int64_t>("step"); }

  void fill_the_disk() const {
    std::ofstream filler(out() / "filler", std::ios::binary);
    const std::string block(4096, 'x');
    while (filler.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }

  /// The interrupted training, taken some steps further, against one that does them all at once.
  void expect_training_goes_on() const {
    const auto steps = "--training.steps=" + std::to_string(step() + 20);
    const auto rest = boltzcurve(folder, 2, command("train", "out", {"--resume", steps}));
    ASSERT_EQ(rest.exit_code, 0) << rest.err;
    ASSERT_EQ(alone(folder, command("train", "whole", {steps})).exit_code, 0);
    for (const char* object : {"/parameters", "/average", "/optimizer", "/collocation"})
      EXPECT_EQ(difference(folder, "whole/checkpoint.h5", "out/checkpoint.h5", object), "") << object;
  }

  static void expect_input_error(const Outcome& outcome, const std::string& reason) {
    EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("boltzcurve: error: "));
    EXPECT_THAT(outcome.err, HasSubstr(reason));
    EXPECT_EQ(outcome.err.find("boltzcurve: error: "), outcome.err.rfind("boltzcurve: error: ")) << "told once: " << outcome.err;
  }

  const TemporaryFolder folder;
};

TEST_F(Files, OnADiskThatFillsUpWhileTrainingStopItAndItGoesOnWhenThereIsRoom) {
  const SmallDisk disk(out(), 4096);
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a small disk: " << disk.reason();
  const Fault fault;
  Program program(command_on(2, endless()), folder.path());
  ASSERT_TRUE(wait_for([&] { return std::filesystem::exists(out() / "checkpoint.previous.h5"); }));
  fill_the_disk();
  expect_input_error(program.wait(), "No space left on device");
  EXPECT_NO_THROW((void)step());
  std::filesystem::remove(out() / "filler");
  expect_training_goes_on();
}

TEST_F(Files, OnADiskThatFillsUpWhileSamplingStopItAndItGoesOnWhenThereIsRoom) {
  const SmallDisk disk(out(), 8192);
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a small disk: " << disk.reason();
  const Fault fault;
  ASSERT_EQ(alone(folder, command("train", "out")).exit_code, 0);
  const std::vector<std::string> sample = {"sample",
                                           "--output",
                                           "out",
                                           "--resume",
                                           "--sampling.particles=20000",
                                           "--sampling.relative-tolerance=1e-9",
                                           "--sampling.absolute-tolerance=1e-9"};
  Program program(command_on(2, sample), folder.path());
  ASSERT_TRUE(wait_for([&] { return std::filesystem::exists(out() / "samples.unfinished"); }));
  fill_the_disk();
  expect_input_error(program.wait(), "No space left on device");
  std::filesystem::remove(out() / "filler");
  const auto resumed = boltzcurve(folder, 2, sample);
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  ASSERT_EQ(alone(folder, command("train", "whole")).exit_code, 0);
  auto undisturbed = sample;
  undisturbed[2] = "whole";
  ASSERT_EQ(alone(folder, undisturbed).exit_code, 0);
  EXPECT_EQ(difference(folder, "whole/samples.h5md", "out/samples.h5md", "/samples"), "");
}

TEST_F(Files, InAReadOnlyFolderAreLeftAlone) {
  const SmallDisk disk(out(), 4096);
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a small disk: " << disk.reason();
  const Fault fault;
  ASSERT_EQ(alone(folder, command("train", "out")).exit_code, 0);
  const auto before = content_of(out() / "checkpoint.h5");
  ASSERT_EQ(mount("boltzcurve_test", out().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=4096k"), 0);
  for (const auto& arguments : {command("train", "out"), command("run", "out", {"--resume"}), {"sample", "--output", "out"}})
    expect_input_error(boltzcurve(folder, 2, arguments), "cannot use output folder out: no permission to write in it");
  EXPECT_EQ(content_of(out() / "checkpoint.h5"), before);
}

TEST_F(Files, ThatAreDeletedUnderATrainingAreWrittenAgain) {
  const Fault fault;
  Program program(command_on(2, endless()), folder.path());
  ASSERT_TRUE(wait_for([&] { return std::filesystem::exists(out() / "checkpoint.previous.h5"); }));
  for (const char* file : {"checkpoint.h5", "checkpoint.previous.h5", "config.ini"}) std::filesystem::remove(out() / file);
  ASSERT_TRUE(wait_for([&] { return std::filesystem::exists(out() / "checkpoint.previous.h5"); }));
  kill(program.descendants("boltzcurve").back(), SIGUSR1);
  EXPECT_EQ(program.wait().exit_code, 75);
  expect_training_goes_on();
}

TEST_F(Files, WhoseFolderIsDeletedUnderATrainingEndIt) {
  const Fault fault;
  Program program(command_on(2, endless()), folder.path());
  ASSERT_TRUE(wait_for([&] { return std::filesystem::exists(out() / "checkpoint.previous.h5"); }));
  std::filesystem::rename(out(), folder.path() / "gone");
  // As "cannot write" or "cannot replace", by the moment at which it goes.
  expect_input_error(program.wait(), " out/checkpoint.h5: No such file or directory");
}

// In turn every 64th byte flipped, and cut short at every 64th byte: what is read is the checkpoint or an error that names the file.
TEST_F(Files, WithOneFlippedByteOrCutShortAreReadRightOrNotAtAll) {
  ASSERT_EQ(
      alone(folder, command("train", "out", {"--network.width=4", "--collocation.points=64", "--collocation.kind=uniform"})).exit_code, 0);
  const auto path = out() / "checkpoint.h5", damaged = out() / "damaged.h5";
  const auto bytes = content_of(path);
  auto right = read_checkpoint(path);
  const auto is_right_or_refused = [&](const std::string& content) {
    const Fault fault;
    std::ofstream(damaged, std::ios::binary) << content;
    try {
      const auto found = read_checkpoint(damaged);
      return found.datasets == right.datasets && found.scalars == right.scalars && found.provenance.options == right.provenance.options;
    } catch (const Error& error) {
      return std::string(error.what()).find("damaged.h5") != std::string::npos;
    }
  };
  int refused = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 64) {
    auto content = bytes;
    content[at] = static_cast<char>(content[at] ^ 0x55);
    EXPECT_TRUE(is_right_or_refused(content)) << "flipped byte " << at;
    EXPECT_TRUE(is_right_or_refused(bytes.substr(0, at))) << "cut short to " << at;
    ++refused;
  }
  ASSERT_GT(refused, 100) << "a checkpoint of a few KiB";
}

// The executable on a sample of these: it falls back to the checkpoint before, names the damage, and reaches the same bits.
TEST_F(Files, WithDamageMakeTheRunFallBackToTheOnesBefore) {
  ASSERT_EQ(alone(folder, command("train", "out", {"--training.checkpoint-steps=20"})).exit_code, 0);
  ASSERT_EQ(alone(folder, command("train", "whole")).exit_code, 0);
  const auto bytes = content_of(out() / "checkpoint.h5");
  for (const double share : {0.0, 0.02, 0.35, 0.6, 0.9}) {
    const Fault fault;
    const auto at = static_cast<std::size_t>(share * static_cast<double>(bytes.size()));
    std::filesystem::remove_all(folder.path() / "copy");
    std::filesystem::copy(out(), folder.path() / "copy");
    std::ofstream(folder.path() / "copy/checkpoint.h5", std::ios::binary) << bytes.substr(0, at);
    const auto outcome = alone(folder, command("train", "copy", {"--resume"}));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("boltzcurve: warning: "));
    EXPECT_THAT(outcome.err, HasSubstr("copy/checkpoint.h5"));
    EXPECT_THAT(outcome.err, HasSubstr("falling back to copy/checkpoint.previous.h5"));
    EXPECT_EQ(difference(folder, "whole/checkpoint.h5", "copy/checkpoint.h5", "/parameters"), "");
  }
}

TEST_F(Files, OfANewerFormatAreLeftToTheNewerProgram) {
  const Fault fault;
  ASSERT_EQ(alone(folder, command("train", "out")).exit_code, 0);
  {
    auto file = hdf5::open_file(out() / "checkpoint.h5", hdf5::Mode::read_write, hdf5::file_access());
    hdf5::write_attribute(file, "format_version", checkpoint_format_version + 1);
    file.close();
  }
  const auto before = content_of(out() / "checkpoint.h5");
  for (const char* how : {"--resume", "--resume=auto"})
    expect_input_error(boltzcurve(folder, 2, command("train", "out", {how})), "use the newer program that wrote it");
  EXPECT_EQ(content_of(out() / "checkpoint.h5"), before);
}

TEST_F(Files, LeftHalfWrittenByKilledRunsAreRemovedOrIgnored) {
  const Fault fault;
  ASSERT_EQ(alone(folder, command("run", "out")).exit_code, 0);
  folder.write("out/checkpoint.partial-0123456789abcdef.h5", "half");
  folder.write("out/checkpoint.link-0123456789abcdef.h5", "half");
  folder.write("out/samples.unfinished", std::string(100'000, 'x'));
  folder.write("out/.boltzcurve.lock", "a process that is no more");
  const auto outcome = boltzcurve(folder, 2, command("run", "out", {"--resume"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* file : {"checkpoint.partial-0123456789abcdef.h5", "checkpoint.link-0123456789abcdef.h5", "samples.unfinished"})
    EXPECT_FALSE(std::filesystem::exists(out() / file)) << file;
}

}  // namespace
}  // namespace boltzcurve

#include "app/process/run.hpp"
#include <boltzcurve/error.hpp>
#include "app/terminal/print.hpp"
#include "io/durable_file.hpp"

#include <iostream>
#include <random>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

namespace boltzcurve {
namespace {

/// A word that no other training has.
std::string new_training(const Communicator& world) {
  std::string word;
  if (world.is_root()) {
    std::random_device system;
    word = fmt::format("{:08x}{:08x}", system(), system());
  }
  world.broadcast(word);
  return word;
}

Provenance make_provenance(const Communicator& world, const Request& request, const Options& options,
                           const std::optional<Checkpoint>& checkpoint) {
  auto provenance = provenance_of_this_process(world);
  provenance.options = resolved_text(options);
  provenance.command_line = request.command_line;
  provenance.seed = options.run.seed;
  if (checkpoint) provenance.training = checkpoint->provenance.training;
  broadcast(world, provenance);
  if (!checkpoint) provenance.training = new_training(world);
  return provenance;
}

StopLimits limits_of(const Request& request, std::vector<std::filesystem::path> stop_files) {
  const bool is_part = !stop_files.empty();
  stop_files.push_back(request.output / stop_file_name);
  return {.walltime = request.max_walltime, .stop_files = std::move(stop_files), .part_of_another = is_part};
}

}  // namespace

Run::Run(const Communicator& world, Request request, Options options, std::optional<Checkpoint> checkpoint,
         std::vector<std::filesystem::path> stop_files)
    : world_(world),
      request_(std::move(request)),
      options_(std::move(options)),
      checkpoint_(std::move(checkpoint)),
      provenance_(make_provenance(world_, request_, options_, checkpoint_)),
      stop_(world_, limits_of(request_, std::move(stop_files))),
      spending_(world_) {
  if (options_.run.watchdog_seconds > 0) watchdog_.emplace(world_, options_.run.watchdog_seconds);
}

namespace {

Request request_below(Request request, const std::string& folder, bool resumes) {
  request.output /= folder;
  if (resumes) request.resume = ResumeRequest{};
  return request;
}

}  // namespace

Run::Run(const Run& whole, const std::string& folder, Options options, std::optional<Checkpoint> checkpoint)
    : world_(whole.world_),
      request_(request_below(whole.request_, folder, checkpoint.has_value())),
      options_(std::move(options)),
      checkpoint_(std::move(checkpoint)),
      provenance_(make_provenance(world_, request_, options_, checkpoint_)),
      stop_(world_, StopLimits{.walltime = request_.max_walltime, .stop_files = {whole.output(stop_file_name)}, .part_of_another = true}),
      spending_(world_) {}

void Run::take_output_folder() {
  const auto& folder = request_.output;
  const auto fail = [&](const std::string& reason) {
    throw InputError(fmt::format("cannot use output folder {}: {}", folder.string(), reason));
  };
  on_root(world_, [&] {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) fail(error.message());
    if (!std::filesystem::is_directory(folder)) fail("it is a file");
    if (access(folder.c_str(), W_OK | X_OK) != 0) fail("no permission to write in it");
    const auto job = provenance_.job_id.empty() ? std::string() : ", job " + provenance_.job_id;
    lock_.emplace(folder, fmt::format("process {} on {}{}, since {}", getpid(), provenance_.hosts.front(), job, provenance_.start_utc));
    if (!lock_->is_held())
      warn(world_, fmt::format("the file system of {} knows no locks: see to it that no other run works there", folder.string()));
    remove_leftovers(folder);
    if (checkpoint_ && is_same_file(folder_of(checkpoint_->source), folder) && stamp_of(checkpoint_->source) != checkpoint_->stamp)
      fail(fmt::format("another run was at work there and has replaced {} after it was read; start again to go on from what it left",
                       checkpoint_->source.filename().string()));
  });
}

Progress Run::progress(Progress::Work work, std::vector<ProgressColumn> columns) const {
  return Progress(std::cerr, progress_style(world_, request_.quiet), std::move(work), std::move(columns));
}

void Run::say(const std::string& text) const {
  if (!world_.is_root() || request_.quiet) return;
  print(text + "\n");
}

}  // namespace boltzcurve

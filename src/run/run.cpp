#include <boltzcurve/core/error.hpp>
#include <boltzcurve/run/build.hpp>
#include <boltzcurve/run/print.hpp>
#include <boltzcurve/run/run.hpp>
#include <boltzcurve/run/version.hpp>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <system_error>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

namespace boltzcurve {
namespace {

/// Each host once, in the order of its first rank.
std::vector<std::string> host_names(const Communicator& world) {
  char name[MPI_MAX_PROCESSOR_NAME];
  int length = 0;
  MPI_Get_processor_name(name, &length);
  std::vector<std::string> hosts;
  for (const auto& host : world.all_gather(std::string(name, static_cast<std::size_t>(length))))
    if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.push_back(host);
  return hosts;
}

std::string scheduler_job_id() {
  for (const char* variable : {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"})
    if (const char* id = std::getenv(variable)) return id;
  return {};
}

Provenance make_provenance(const Communicator& world, const Request& request, const Options& options) {
  Provenance provenance;
  provenance.program_version = version();
  provenance.git_description = git_description();
  provenance.options = resolved_text(options);
  provenance.command_line = request.command_line;
  provenance.seed = options.run.seed;
  provenance.build = build_text();
  provenance.hosts = host_names(world);
  provenance.job_id = scheduler_job_id();
  provenance.start_utc = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  broadcast(world, provenance);  // clocks and environments differ between hosts
  return provenance;
}

}  // namespace

Run::Run(const Communicator& world, Request request, Options options, std::optional<Checkpoint> checkpoint)
    : world_(world),
      request_(std::move(request)),
      options_(std::move(options)),
      checkpoint_(std::move(checkpoint)),
      provenance_(make_provenance(world_, request_, options_)),
      stop_(world_) {}

void Run::make_output_folder() const {
  std::string problem;
  if (world_.is_root()) {
    std::error_code error;
    std::filesystem::create_directories(request_.output, error);
    if (error)
      problem = error.message();
    else if (!std::filesystem::is_directory(request_.output))
      problem = "it is a file";
    else if (access(request_.output.c_str(), W_OK | X_OK) != 0)
      problem = "no permission to write in it";
    if (!problem.empty()) problem = fmt::format("cannot use output folder {}: {}", request_.output.string(), problem);
  }
  agree_on_error(world_, problem, static_cast<int>(ExitCode::input));
}

Progress Run::progress(Progress::Work work, std::vector<ProgressColumn> columns) const {
  return Progress(std::cerr, progress_style(world_, request_.quiet), std::move(work), std::move(columns));
}

void Run::say(const std::string& text) const {
  if (!world_.is_root() || request_.quiet) return;
  print(text + "\n");
}

}  // namespace boltzcurve

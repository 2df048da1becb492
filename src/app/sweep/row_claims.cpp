#include "app/sweep/row_claims.hpp"
#include <boltzcurve/error.hpp>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace boltzcurve {
namespace {

constexpr const char* prefix = ".claims-";

constexpr std::chrono::minutes time_to_lock(1);  // what a job that has made a folder has to lock it

/// Where locks work: a folder that nobody holds, and that has had the time to be locked, has lost its job.
void remove_those_of_killed_jobs(const std::filesystem::path& sweep_folder) {
  for (const auto& entry : std::filesystem::directory_iterator(sweep_folder)) {
    if (!entry.is_directory() || !entry.path().filename().string().starts_with(prefix) || holder_of(entry.path())) continue;
    std::error_code another_was_faster;
    const auto changed = std::filesystem::last_write_time(entry.path(), another_was_faster);
    if (another_was_faster || std::filesystem::file_time_type::clock::now() - changed < time_to_lock) continue;
    std::filesystem::remove_all(entry.path(), another_was_faster);
  }
}

}  // namespace

RowClaims::RowClaims(const Communicator& world, const std::filesystem::path& sweep_folder) {
  std::string name;
  on_root(world, [&] {
    name = (sweep_folder / (std::string(prefix) + "XXXXXX")).string();
    if (!mkdtemp(name.data())) throw InputError(fmt::format("cannot make {}: {}", name, std::generic_category().message(errno)));
    lock_.emplace(name, fmt::format("process {}", getpid()));
    if (lock_->is_held()) remove_those_of_killed_jobs(sweep_folder);
  });
  world.broadcast(name);
  folder_ = name;
}

bool RowClaims::take(std::int64_t row) const {
  const auto file = folder_ / std::to_string(row);
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0 && errno == EEXIST) return false;
  if (descriptor < 0) throw InputError(fmt::format("cannot make {}: {}", file.string(), std::generic_category().message(errno)));
  close(descriptor);
  return true;
}

void RowClaims::remove() {
  lock_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace boltzcurve

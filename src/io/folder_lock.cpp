#include "io/folder_lock.hpp"
#include <boltzcurve/error.hpp>

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace boltzcurve {
namespace {

constexpr auto lock_name = ".boltzcurve.lock";

// Of the open file where the system has such locks: the older ones, of the process, end when it closes any descriptor of the file.
#ifdef F_OFD_SETLK
constexpr int set_lock = F_OFD_SETLK, get_lock = F_OFD_GETLK;
#else
constexpr int set_lock = F_SETLK, get_lock = F_GETLK;
#endif

struct flock lock_of_whole_file() {
  struct flock whole_file = {};
  whole_file.l_type = F_WRLCK;
  whole_file.l_whence = SEEK_SET;
  return whole_file;
}

/// 0 if the lock was got, else the system's error.
int lock(int descriptor) {
  auto whole_file = lock_of_whole_file();
  return fcntl(descriptor, set_lock, &whole_file) == 0 ? 0 : errno;
}

std::string content_of(int descriptor) {
  std::array<char, 1024> text{};
  const auto length = pread(descriptor, text.data(), text.size(), 0);
  return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : std::string();
}

/// Whether the file is still the one of that name: its last holder may have removed it after we had opened it.
bool is_file_of(const std::filesystem::path& name, int descriptor) {
  struct stat ours {
  }, theirs{};
  return fstat(descriptor, &ours) == 0 && ::stat(name.c_str(), &theirs) == 0 && ours.st_dev == theirs.st_dev &&
         ours.st_ino == theirs.st_ino;
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder, const std::string& holder) : file_(folder / lock_name) {
  const auto fail = [&](const std::string& reason) {
    if (descriptor_ >= 0) close(descriptor_);
    throw InputError(fmt::format("cannot use folder {}: {}", folder.string(), reason));
  };
  do {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = open(file_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail(std::generic_category().message(errno));
    const int error = lock(descriptor_);
    if (error == EAGAIN || error == EACCES)
      fail(fmt::format("another run is at work in it ({}); wait for it, stop it, or choose another --output", content_of(descriptor_)));
    held_ = error == 0;
  } while (held_ && !is_file_of(file_, descriptor_));
  if (held_ && (ftruncate(descriptor_, 0) != 0 || pwrite(descriptor_, holder.data(), holder.size(), 0) < 0))
    fail(std::generic_category().message(errno));
}

FolderLock::~FolderLock() {
  if (held_) unlink(file_.c_str());  // before the lock ends, so that nobody else's file is meant
  close(descriptor_);
}

std::optional<std::string> holder_of(const std::filesystem::path& folder) {
  const int descriptor = open((folder / lock_name).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  auto found = lock_of_whole_file();
  const bool is_held = fcntl(descriptor, get_lock, &found) == 0 && found.l_type != F_UNLCK;
  auto holder = is_held ? std::optional(content_of(descriptor)) : std::nullopt;
  close(descriptor);
  return holder;
}

}  // namespace boltzcurve

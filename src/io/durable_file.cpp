#include "io/durable_file.hpp"
#include <boltzcurve/error.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace boltzcurve {
namespace {

[[noreturn]] void fail(const std::string& action, const std::filesystem::path& path, int code = errno) {
  throw InputError("cannot " + action + " " + path.string() + ": " + std::generic_category().message(code));
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int value() const { return value_; }
  bool is_open() const { return value_ >= 0; }
  bool close() { return ::close(std::exchange(value_, -1)) == 0; }

 private:
  int value_;
};

// Removes a file unless told that it has found its place.
class Temporary {
 public:
  explicit Temporary(std::filesystem::path path) : path_(std::move(path)) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (!kept_) ::unlink(path_.c_str());
  }
  void keep() { kept_ = true; }

 private:
  std::filesystem::path path_;
  bool kept_ = false;
};

// One call moves at most 2 GiB on Linux, and may move less or be interrupted.
constexpr std::size_t max_per_call = std::size_t{1} << 30;

void write_all(const Descriptor& file, std::span<const std::byte> bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const auto written = ::write(file.value(), bytes.data(), std::min(bytes.size(), max_per_call));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void sync_descriptor(const Descriptor& file, const std::filesystem::path& path) {
  // Some file systems cannot synchronize folders and say so by EINVAL: there is nothing more to be done there.
  if (::fsync(file.value()) != 0 && errno != EINVAL) fail("synchronize", path);
}

// NOLINTNEXTLINE(misc-redundant-expression): two of the names are one number on Linux only
bool is_for_lack_of_links(int code) { return code == EPERM || code == ENOTSUP || code == EOPNOTSUPP || code == EMLINK || code == ENOSYS; }

constexpr std::string_view partial_word = "partial-", link_word = "link-";
constexpr std::size_t random_digits = 16;

// A name beside `path` that is not taken and that nobody could foresee.
std::filesystem::path unforeseen_path(const std::filesystem::path& path, std::string_view word) {
  std::random_device entropy;
  const auto number = (static_cast<std::uint64_t>(entropy()) << 32) | entropy();
  return path_with(path, fmt::format("{}{:0{}x}", word, number, random_digits));
}

bool is_leftover(const std::string& name) {
  for (const auto word : {partial_word, link_word}) {
    const auto at = name.find(fmt::format(".{}", word));
    if (at == std::string::npos) continue;
    const auto digits = name.substr(at + 1 + word.size(), random_digits);
    if (digits.size() == random_digits && digits.find_first_not_of("0123456789abcdef") == std::string::npos) return true;
  }
  return false;
}

[[noreturn]] void cannot_be_read_now(const std::filesystem::path& path) {
  throw NotDamaged(fmt::format("cannot read {}: {}", path.string(), std::generic_category().message(errno)));
}

int open_to_read(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor >= 0) return descriptor;
  constexpr std::array no_file = {ENOENT, ENOTDIR, ELOOP, ENXIO, ENAMETOOLONG};
  if (std::find(no_file.begin(), no_file.end(), errno) == no_file.end()) cannot_be_read_now(path);
  fail("read", path);
}

void require_same_bytes(const std::filesystem::path& written, std::span<const std::byte> bytes, const std::filesystem::path& path) {
#ifdef POSIX_FADV_DONTNEED
  if (const Descriptor file(::open(written.c_str(), O_RDONLY | O_CLOEXEC)); file.is_open())
    ::posix_fadvise(file.value(), 0, 0, POSIX_FADV_DONTNEED);  // what is synchronized is then read from the disk itself
#endif
  const auto found = read_file(written);
  const auto [wrong, right] = std::mismatch(found.begin(), found.end(), bytes.begin(), bytes.end());
  if (wrong != found.end() || right != bytes.end())
    throw InputError(fmt::format("cannot write {}: read back, its byte {} of {} differs; the disk or the file system is at fault",
                                 path.string(), wrong - found.begin(), bytes.size()));
}

// Gives `path` the second name `name`, also where a file has it. False where the file system has no hard links.
bool link_over(const std::filesystem::path& path, const std::filesystem::path& name) {
  const auto link = unforeseen_path(path, link_word);
  if (::link(path.c_str(), link.c_str()) != 0) {
    if (is_for_lack_of_links(errno)) return false;
    fail("keep a second name of", path);
  }
  const Temporary remove_link(link);  // renaming between two names of one file does nothing, and leaves both
  rename_file(link, name);
  return true;
}

// Gives the file at `path` its second name, so that renaming the new one over `path` leaves the old one there.
void keep_previous(const std::filesystem::path& path) {
  if (!std::filesystem::exists(std::filesystem::symlink_status(path))) return;  // no file yet
  if (!link_over(path, previous_path(path))) rename_file(path, previous_path(path));
}

}  // namespace

std::filesystem::path folder_of(const std::filesystem::path& path) {
  const auto folder = path.parent_path();
  return folder.empty() ? std::filesystem::path(".") : folder;
}

std::filesystem::path path_with(const std::filesystem::path& path, const std::string& word) {
  auto result = path;
  result.replace_filename(path.stem().string() + "." + word + path.extension().string());
  return result;
}

std::filesystem::path previous_path(const std::filesystem::path& path) { return path_with(path, "previous"); }

std::filesystem::path damaged_path(const std::filesystem::path& path) {
  auto free = path_with(path, "damaged");
  for (int number = 2; std::filesystem::exists(std::filesystem::symlink_status(free)); ++number)
    free = path_with(path, fmt::format("damaged{}", number));
  return free;
}

FileStamp stamp_of(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return {};
  return {found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
}

void require_readable(const std::filesystem::path& path) { const Descriptor file(open_to_read(path)); }

bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code missing;
  return std::filesystem::equivalent(a, b, missing) && !missing;
}

void remove_file(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail("remove", path);
}

void rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) fail("replace", to);
}

void add_name(const std::filesystem::path& path, const std::filesystem::path& name) {
  if (!link_over(path, name)) replace_file(name, read_file(path));
  synchronize(folder_of(name));
}

std::vector<std::byte> read_file(const std::filesystem::path& path) {
  const Descriptor file(open_to_read(path));
  struct stat status {};
  if (::fstat(file.value(), &status) != 0) cannot_be_read_now(path);
  if (!S_ISREG(status.st_mode)) throw InputError("cannot read " + path.string() + ": it is not a regular file");
  std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
  for (std::size_t begin = 0; begin < bytes.size();) {
    const auto read = ::read(file.value(), bytes.data() + begin, std::min(bytes.size() - begin, max_per_call));
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) cannot_be_read_now(path);
    if (read == 0) bytes.resize(begin);  // it shrank meanwhile
    begin += static_cast<std::size_t>(read);
  }
  return bytes;
}

std::string read_text(const std::filesystem::path& path) {
  const auto bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void synchronize(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) fail("open", path);
  sync_descriptor(file, path);
}

void reserve_space(const std::filesystem::path& path, std::int64_t bytes) {
#ifdef FALLOC_FL_KEEP_SIZE
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.is_open()) fail("open", path);
  struct stat status {};
  if (::fstat(file.value(), &status) != 0) fail("open", path);
  int result = 0;
  do result = ::fallocate(file.value(), FALLOC_FL_KEEP_SIZE, status.st_size, bytes);
  while (result != 0 && errno == EINTR);
  if (result != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
    fail("write " + std::to_string(bytes) + " more bytes to", path);
#else
  (void)path, (void)bytes;
#endif
}

EarlyWriteback::EarlyWriteback(const std::filesystem::path& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}

EarlyWriteback::~EarlyWriteback() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void EarlyWriteback::start() const noexcept {
#ifdef SYNC_FILE_RANGE_WRITE
  constexpr off64_t whole_file = 0;
  if (descriptor_ >= 0) ::sync_file_range(descriptor_, 0, whole_file, SYNC_FILE_RANGE_WRITE);
#endif
}

void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes, Previous previous, ReadBack read_back) {
  const auto partial = unforeseen_path(path, partial_word);
  constexpr mode_t all_that_the_umask_leaves = 0666;
  Descriptor file(::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, all_that_the_umask_leaves));
  if (!file.is_open()) fail("write", path);
  Temporary temporary(partial);
  write_all(file, bytes, path);
  // Without this, a machine that crashes after the rename may come up with an empty file under the good name.
  sync_descriptor(file, path);
  if (!file.close()) fail("write", path);
  if (read_back == ReadBack::yes) require_same_bytes(partial, bytes, path);

  if (previous == Previous::keep) keep_previous(path);
  rename_file(partial, path);
  temporary.keep();
  synchronize(folder_of(path));  // makes the renames themselves survive a crash of the machine
}

void replace_file(const std::filesystem::path& path, std::string_view text) { replace_file(path, std::as_bytes(std::span(text))); }

void remove_leftovers(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> leftovers;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (is_leftover(entry.path().filename().string()) && entry.is_regular_file(error)) leftovers.push_back(entry.path());
  for (const auto& leftover : leftovers) remove_file(leftover);
}

void keep_as_previous(const std::filesystem::path& path) {
  if (std::filesystem::exists(path)) rename_file(path, previous_path(path));
}

}  // namespace boltzcurve

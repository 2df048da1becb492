#include "io/record_file.hpp"
#include <boltzcurve/error.hpp>
#include "io/durable_file.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <boost/crc.hpp>

namespace boltzcurve {
namespace {

// Layout: a header of text, padded with zeros; then the records, each its values and the checksum of header, index and values. Bytes as
// the machine has them: a file for the same program on the same machines, gone when the results are in their own file.
constexpr std::size_t header_bytes = 256, checksum_bytes = 8;

// CRC-64 of ECMA-182.
using Crc64 = boost::crc_optimal<64, 0x42F0E1EBA9EA3693, ~std::uint64_t{0}, ~std::uint64_t{0}, true, true>;

std::string header_for(const RecordFile::Layout& layout) {
  Crc64 key;
  key.process_bytes(layout.key.data(), layout.key.size());
  auto header =
      fmt::format("boltzcurve records, version 1\n{} of {} numbers, key {:016x}\n", layout.records, layout.values, key.checksum());
  header.resize(header_bytes, '\0');
  return header;
}

std::uint64_t checksum_of(const std::string& header, std::int64_t record, std::span<const double> values) {
  Crc64 sum;
  sum.process_bytes(header.data(), header.size());
  sum.process_bytes(&record, sizeof record);
  sum.process_bytes(values.data(), values.size_bytes());
  return sum.checksum();
}

// As many bytes as there are, up to those asked for; -1 where the system reports an error.
ssize_t read_up_to(int file, char* bytes, std::size_t size, std::int64_t place) {
  std::size_t done = 0;
  while (done < size) {
    const auto got = ::pread(file, bytes + done, size - done, place + static_cast<std::int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

bool write_whole(int file, const char* bytes, std::size_t size, std::int64_t place) {
  while (size > 0) {
    const auto written = ::pwrite(file, bytes, size, place);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes += written, size -= static_cast<std::size_t>(written), place += written;
  }
  return true;
}

[[noreturn]] void fail(const char* action, const std::filesystem::path& path) {
  throw InputError(fmt::format("cannot {} {}: {}", action, path.string(), std::generic_category().message(errno)));
}

bool has_header(const std::filesystem::path& path, const std::string& header) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0 && (errno == ENOENT || errno == ELOOP)) return false;
  if (file < 0) fail("open", path);
  std::string found(header.size(), '\0');
  const auto length = read_up_to(file, found.data(), found.size(), 0);
  ::close(file);
  return length == static_cast<ssize_t>(header.size()) && found == header;
}

void create(const std::filesystem::path& path, const std::string& header) {
  remove_file(path);
  constexpr mode_t all_that_the_umask_leaves = 0666;
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, all_that_the_umask_leaves);
  if (file < 0) fail("create", path);
  const bool written = write_whole(file, header.data(), header.size(), 0);
  const int reason = errno;
  ::close(file);
  errno = reason;
  if (!written) fail("write", path);
}

}  // namespace

RecordFile::RecordFile(const Communicator& ranks, const std::filesystem::path& path, const Layout& layout, Begin begin)
    : path_(path), header_(header_for(layout)), records_(layout.records), values_(layout.values) {
  on_root(ranks, [&] {
    if (begin == Begin::where_it_was_left && has_header(path, header_)) return;
    std::error_code missing;
    if (begin == Begin::where_it_was_left && std::filesystem::exists(path, missing)) {
      put_aside_ = previous_path(path);
      rename_file(path, put_aside_);
    }
    create(path, header_);
  });
  descriptor_ = ::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  std::string failure;
  if (descriptor_ < 0) failure = fmt::format("cannot open {}: {}", path.string(), std::generic_category().message(errno));
  agree_on_error(ranks, failure, static_cast<int>(ExitCode::input));
}

RecordFile::~RecordFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::int64_t RecordFile::place_of(std::int64_t record) const {
  if (record < 0 || record >= records_)
    throw Error(ExitCode::internal_error, fmt::format("record {} of {}: {} has {}", record, path_.string(), path_.string(), records_));
  return static_cast<std::int64_t>(header_bytes) +
         record * (values_ * static_cast<std::int64_t>(sizeof(double)) + std::int64_t{checksum_bytes});
}

bool RecordFile::read(std::int64_t record, std::span<double> values) const {
  std::vector<char> bytes(values.size_bytes() + checksum_bytes);
  const auto length = read_up_to(descriptor_, bytes.data(), bytes.size(), place_of(record));
  if (length < 0) fail("read", path_);
  if (static_cast<std::size_t>(length) < bytes.size()) return false;
  std::copy_n(bytes.begin(), values.size_bytes(), reinterpret_cast<char*>(values.data()));
  std::uint64_t stored = 0;
  std::copy_n(bytes.end() - checksum_bytes, checksum_bytes, reinterpret_cast<char*>(&stored));
  return stored == checksum_of(header_, record, values);
}

void RecordFile::write(std::int64_t record, std::span<const double> values) {
  std::vector<char> bytes(values.size_bytes() + checksum_bytes);
  const auto sum = checksum_of(header_, record, values);
  std::copy_n(reinterpret_cast<const char*>(values.data()), values.size_bytes(), bytes.begin());
  std::copy_n(reinterpret_cast<const char*>(&sum), checksum_bytes, bytes.end() - checksum_bytes);
  if (!write_whole(descriptor_, bytes.data(), bytes.size(), place_of(record))) fail("write", path_);
}

void RecordFile::synchronize() {
  if (::fsync(descriptor_) != 0 && errno != EINVAL) fail("synchronize", path_);
}

}  // namespace boltzcurve

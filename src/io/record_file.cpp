#include "io/record_file.hpp"
#include <boltzcurve/error.hpp>
#include "io/durable_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <boost/crc.hpp>

namespace boltzcurve {
namespace {

// Layout: a header of text, padded with zeros; then the records, each its bytes and the checksum of header, index and bytes. Bytes as the
// machine has them: a file for the same program on the same machines, gone when the results are in their own file.
constexpr std::size_t header_bytes = 256, checksum_bytes = sizeof(std::uint64_t);

// CRC-64 of ECMA-182.
using Crc64 = boost::crc_optimal<64, 0x42F0E1EBA9EA3693, ~std::uint64_t{0}, ~std::uint64_t{0}, true, true>;

std::string header_for(const RecordFile::Layout& layout) {
  Crc64 key;
  key.process_bytes(layout.key.data(), layout.key.size());
  auto header = fmt::format("boltzcurve records, version 2\n{} of {} bytes, key {:016x}\n", layout.records, layout.bytes, key.checksum());
  header.resize(header_bytes, '\0');
  return header;
}

[[noreturn]] void fail(const char* action, const std::filesystem::path& path) {
  throw InputError(fmt::format("cannot {} {}: {}", action, path.string(), std::generic_category().message(errno)));
}

/// Moves bytes by pread or pwrite, which may move fewer, until all are moved or the file ends; returns how many, or -1 where the system
/// reports an error.
template <class Move, class Byte>
ssize_t move_all(Move move, int file, std::span<Byte> bytes, std::int64_t place) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto moved = move(file, bytes.data() + done, bytes.size() - done, place + static_cast<std::int64_t>(done));
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return -1;
    if (moved == 0) break;
    done += static_cast<std::size_t>(moved);
  }
  return static_cast<ssize_t>(done);
}

bool has_header(const std::filesystem::path& path, const std::string& header) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) fail("open", path);
  std::string found(header.size(), '\0');
  move_all(::pread, file, std::span(found), 0);
  ::close(file);
  return found == header;
}

}  // namespace

RecordFile::RecordFile(const Communicator& ranks, const std::filesystem::path& path, const Layout& layout, Begin begin)
    : path_(path), header_(header_for(layout)), records_(layout.records), bytes_(layout.bytes) {
  on_root(ranks, [&] {
    if (begin == Begin::where_it_was_left && std::filesystem::is_regular_file(std::filesystem::symlink_status(path))) {
      if (has_header(path, header_)) return;
      put_aside_ = previous_path(path);
      rename_file(path, put_aside_);
    }
    replace_file(path, header_);
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
  return static_cast<std::int64_t>(header_bytes) + record * static_cast<std::int64_t>(bytes_ + checksum_bytes);
}

std::uint64_t RecordFile::checksum_of(std::int64_t record, std::span<const std::byte> bytes) const {
  Crc64 sum;
  sum.process_bytes(header_.data(), header_.size());
  sum.process_bytes(&record, sizeof record);
  sum.process_bytes(bytes.data(), bytes.size());
  return sum.checksum();
}

std::vector<std::byte> RecordFile::read(std::int64_t record) const {
  std::vector<std::byte> bytes(bytes_ + checksum_bytes);
  const auto length = move_all(::pread, descriptor_, std::span(bytes), place_of(record));
  if (length < 0) fail("read", path_);
  std::uint64_t stored = 0;
  std::memcpy(&stored, &bytes[bytes_], checksum_bytes);
  const bool cut_short = static_cast<std::size_t>(length) < bytes.size();
  bytes.resize(bytes_);
  if (cut_short || stored != checksum_of(record, bytes)) bytes.clear();
  return bytes;
}

void RecordFile::write(std::int64_t record, std::vector<std::byte> bytes) {
  bytes.resize(bytes_);
  const auto sum = checksum_of(record, bytes);
  bytes.resize(bytes_ + checksum_bytes);
  std::memcpy(&bytes[bytes_], &sum, checksum_bytes);
  const auto written = move_all(::pwrite, descriptor_, std::span<const std::byte>(bytes), place_of(record));
  if (written != static_cast<ssize_t>(bytes.size())) fail("write", path_);
}

void RecordFile::synchronize() const { boltzcurve::synchronize(path_); }

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/communicator.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace boltzcurve {

/// Results that are finished one after another, on any rank, kept so that nobody needs to compute them again when the program is killed:
/// records of equal size by their global index, each with a checksum of its own.
///
/// A record is there as soon as write() has returned, also when the process is killed then; what a crash of the machine spoils is told by
/// its checksum from what is whole. No rank waits for another: each writes its records where they belong, so that any number of ranks
/// can go on from what another number left.
class RecordFile {
 public:
  struct Layout {
    std::string key;           ///< whatever the records follow from: records made with another key are not taken for these
    std::int64_t records = 0;  ///< indices are [0, records)
    std::size_t bytes = 0;     ///< of a record
  };
  enum class Begin { anew, where_it_was_left };

  /// Opens `path`, made anew where that is asked, where there is none and where the file there has another key or layout, which then goes
  /// to previous_path(path). Throws InputError with the system's reason on every rank. Collective; the other members are not.
  RecordFile(const Communicator& ranks, const std::filesystem::path& path, const Layout& layout, Begin begin);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  /// Where such a file of others went, on rank 0; else empty.
  const std::filesystem::path& put_aside() const { return put_aside_; }

  /// The bytes of a record, if it is there and whole; else none. Throws InputError where reading fails.
  std::vector<std::byte> read(std::int64_t record) const;
  /// A record of fewer bytes is read back with zeros behind them. Throws InputError with the system's reason (disk full).
  void write(std::int64_t record, std::vector<std::byte> bytes);
  /// Hands this rank's records to the disk. Throws InputError.
  void synchronize() const;

 private:
  std::int64_t place_of(std::int64_t record) const;
  std::uint64_t checksum_of(std::int64_t record, std::span<const std::byte> bytes) const;

  std::filesystem::path path_, put_aside_;
  std::string header_;
  std::int64_t records_;
  std::size_t bytes_;
  int descriptor_ = -1;
};

}  // namespace boltzcurve

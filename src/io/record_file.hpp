#pragma once

#include <boltzcurve/communicator.hpp>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

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
    std::string key;           ///< whatever the records' values follow from: records made with another key are not taken for these
    std::int64_t records = 0;  ///< indices are [0, records)
    std::int64_t values = 0;   ///< numbers of a record
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

  /// Fills `values` [values] and returns true, if that record is there and whole. Throws InputError where reading fails.
  bool read(std::int64_t record, std::span<double> values) const;
  /// Throws InputError with the system's reason (disk full).
  void write(std::int64_t record, std::span<const double> values);
  /// Hands this rank's records to the disk. Throws InputError.
  void synchronize();

 private:
  std::int64_t place_of(std::int64_t record) const;

  std::filesystem::path path_, put_aside_;
  std::string header_;
  std::int64_t records_, values_;
  int descriptor_ = -1;
};

}  // namespace boltzcurve

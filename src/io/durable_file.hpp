#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boltzcurve {

/// All bytes of a file. Throws InputError with the system's reason, for example
/// "cannot read out/checkpoint.h5: No such file or directory".
std::vector<std::byte> read_file(const std::filesystem::path& path);
std::string read_text(const std::filesystem::path& path);

enum class Previous { keep, drop };
/// Whether to read back what was written, past the system's cache where that can be, before it replaces anything.
enum class ReadBack { yes, no };

/// Makes `bytes` the content of `path` so that a crash at any moment, of the program or of the machine, leaves a whole file there: the
/// old one or the new one. Throws InputError with the system's reason (no such folder, disk full) or where other bytes are read back; then
/// the old file is untouched and no temporary file is left. One process at a time; on a parallel run, one rank.
///
/// Until it is whole, the content stands in a new file beside `path` whose name nobody can guess, so that nobody can have put a link there
/// in a folder that others may write to. A killed process leaves it: see remove_leftovers().
///
/// Previous::keep leaves the replaced file under previous_path(path). Where the file system has no hard links, a crash between two
/// renames can leave only that name and none at `path`.
void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes, Previous previous = Previous::drop,
                  ReadBack read_back = ReadBack::no);
void replace_file(const std::filesystem::path& path, std::string_view text);

/// Removes what killed processes left in a folder before it was whole ("checkpoint.partial-0123456789abcdef.h5"). Nobody else may be
/// replacing files there. Throws InputError.
void remove_leftovers(const std::filesystem::path& folder);
/// "checkpoint.previous.h5" for "checkpoint.h5".
std::filesystem::path previous_path(const std::filesystem::path& path);
/// "checkpoint.damaged.h5", or with a number where that is taken: where a file goes that is damaged, so that nothing takes it for a good
/// one.
std::filesystem::path damaged_path(const std::filesystem::path& path);
/// "checkpoint.WORD.h5", of which the names above are cases.
std::filesystem::path path_with(const std::filesystem::path& path, const std::string& word);

/// Whether both are there and are one file: by two names, links or ways to a folder.
bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b);
/// Throws NotDamaged where the system would not read the file, InputError where there is none.
void require_readable(const std::filesystem::path& path);

/// Tells a file from one that has taken its place since.
struct FileStamp {
  std::uint64_t device = 0, inode = 0;
  std::int64_t size = -1, seconds = 0, nanoseconds = 0;  ///< of the last change of its content

  bool operator==(const FileStamp&) const = default;
};
/// The default where there is no such file.
FileStamp stamp_of(const std::filesystem::path& path);

/// Removes a file if it is there. Throws InputError with the system's reason.
void remove_file(const std::filesystem::path& path);
/// Renames a file, over one that has the new name. Throws InputError with the system's reason.
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to);
/// Gives a file a second name, in place of a file that has it: as a hard link, or as a copy where the file system has none. Throws
/// InputError.
void add_name(const std::filesystem::path& path, const std::filesystem::path& name);

/// Renames a file of an earlier run, if there is one, to previous_path(path), in place of what is there. Throws InputError.
void keep_as_previous(const std::filesystem::path& path);

/// Hands what the operating system holds of a file or of a folder's entries to the disk. Throws InputError.
void synchronize(const std::filesystem::path& path);
/// Has the file system set `bytes` aside for an existing file to grow by, so that a full disk or quota shows here, as an InputError with
/// the system's reason, and not in the middle of a write by HDF5, which cannot close such a file in good order any more. Does nothing
/// where the file system cannot set space aside.
void reserve_space(const std::filesystem::path& path, std::int64_t bytes);
/// Sets the disk to work on what a process has written to a file so far, so that a later synchronization waits for the rest only: else
/// the disk rests while data are handed to the operating system, and the process while the disk works.
///
/// A hint. Does nothing where the system (other than Linux) or the file system knows nothing like it, and never fails: an error of the
/// disk shows in the synchronization.
class EarlyWriteback {
 public:
  EarlyWriteback() = default;
  explicit EarlyWriteback(const std::filesystem::path& path);
  ~EarlyWriteback();
  EarlyWriteback(EarlyWriteback&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  EarlyWriteback& operator=(EarlyWriteback&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  /// Returns at once, unless the disk has more waiting than it can queue.
  void start() const noexcept;

 private:
  int descriptor_ = -1;
};

/// The folder that holds `path`; "." for a bare name.
std::filesystem::path folder_of(const std::filesystem::path& path);

}  // namespace boltzcurve

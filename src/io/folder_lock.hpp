#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace boltzcurve {

/// Keeps a folder for one run, as long as it lives. The lock is the operating system's: it ends with the process, however that ends, so
/// that none is ever left behind. Also between machines, where the file system passes locks on. For one rank (rank 0).
class FolderLock {
 public:
  /// `holder` says who holds it, for those who find it taken. Throws InputError that tells their holder, or the system's reason.
  FolderLock(const std::filesystem::path& folder, const std::string& holder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  /// False where the file system knows no locks: then nothing keeps others out.
  bool is_held() const { return held_; }

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
  bool held_ = false;
};

/// Who holds the lock of a folder now, as that one said; none where nobody does, or where it cannot be told.
std::optional<std::string> holder_of(const std::filesystem::path& folder);

}  // namespace boltzcurve

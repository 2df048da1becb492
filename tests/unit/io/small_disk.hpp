#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include <sys/mount.h>

namespace boltzcurve::testing {

/// A file system of its own of the given size at an existing folder, for as long as the object lives. Needs the right to mount.
class SmallDisk {
 public:
  SmallDisk(const std::filesystem::path& folder, std::size_t kibibytes) : folder_(folder) {
    mounted_ = mount("boltzcurve_test", folder_.c_str(), "tmpfs", 0, ("size=" + std::to_string(kibibytes) + "k").c_str()) == 0;
    if (!mounted_) reason_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  const std::string& reason() const { return reason_; }

 private:
  std::filesystem::path folder_;
  bool mounted_ = false;
  std::string reason_;
};

}  // namespace boltzcurve::testing

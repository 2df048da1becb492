#pragma once

#include <cfenv>
#include <filesystem>
#include <string>

namespace boltzcurve {

/// Keeps the floating-point environment of the thread as it was: a library linked with -ffast-math makes the thread that loads it flush
/// subnormal numbers to zero.
class KeepFloatingPoint {
 public:
  KeepFloatingPoint() { std::fegetenv(&before_); }
  ~KeepFloatingPoint() { std::fesetenv(&before_); }
  KeepFloatingPoint(const KeepFloatingPoint&) = delete;
  KeepFloatingPoint& operator=(const KeepFloatingPoint&) = delete;

 private:
  std::fenv_t before_;
};

/// A shared library (plug-in) that stays loaded until the process ends: unloading what has threads or destructors of its own is not safe.
/// Copies are of the same one.
class SharedLibrary {
 public:
  /// Loads it by its absolute path; nothing is searched for, and its symbols are its own. Throws InputError, naming the path, where it is
  /// no file, others may write to it or put another in its place, or the system cannot load it.
  explicit SharedLibrary(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }

  /// Tells the file from others: checksum and size.
  const std::string& digest() const { return digest_; }

  /// What is exported under a name, or null; Symbol is a function or an object.
  template <class Symbol>
  Symbol* find(const char* name) const {
    return reinterpret_cast<Symbol*>(address(name));
  }
  /// The same of what must be there. Throws InputError, naming library, symbol and the interface that it belongs to.
  template <class Symbol>
  Symbol* get(const char* name, const char* interface) const {
    return reinterpret_cast<Symbol*>(required_address(name, interface));
  }

 private:
  void* address(const char* name) const;
  void* required_address(const char* name, const char* interface) const;

  std::filesystem::path path_;
  std::string digest_;
  void* handle_ = nullptr;
};

}  // namespace boltzcurve

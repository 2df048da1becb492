#include "energy/shared_library.hpp"

#include <boltzcurve/error.hpp>
#include "energy/named_file.hpp"

#include <cstring>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

namespace boltzcurve {
namespace {

/// Of a file that ends early the loader would touch pages that are not there, and the process would die.
void require_whole(const std::filesystem::path& path, const std::vector<char>& content) {
  ElfW(Ehdr) header;
  if (content.size() < sizeof header) return;  // the loader says what it is
  std::memcpy(&header, content.data(), sizeof header);
  const char* const magic = ELFMAG;
  if (std::memcmp(header.e_ident, magic, SELFMAG) != 0 || header.e_phentsize != sizeof(ElfW(Phdr))) return;
  bool is_whole = header.e_phoff <= content.size() && content.size() - header.e_phoff >= header.e_phnum * sizeof(ElfW(Phdr));
  for (std::size_t i = 0; i < header.e_phnum && is_whole; ++i) {
    ElfW(Phdr) part;
    std::memcpy(&part, content.data() + header.e_phoff + i * sizeof part, sizeof part);
    is_whole = part.p_offset <= content.size() && part.p_filesz <= content.size() - part.p_offset;
  }
  if (!is_whole) throw InputError(fmt::format("cannot load {}: the file ends early: copy or build it again", path.string()));
}

}  // namespace

SharedLibrary::SharedLibrary(std::filesystem::path path) : path_(std::move(path)) {
  const auto content = read_code(path_);
  require_whole(path_, content);
  digest_ = digest_of(content);
  const KeepFloatingPoint keep;
  handle_ = dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_) return;
  // The system's words begin with the path, as a rule.
  const char* const error = dlerror();
  std::string reason = error ? error : "unknown reason";
  if (const auto again = path_.string() + ": "; reason.starts_with(again)) reason.erase(0, again.size());
  throw InputError(fmt::format("cannot load {}: {}", path_.string(), reason));
}

void* SharedLibrary::address(const char* name) const { return dlsym(handle_, name); }

void* SharedLibrary::required_address(const char* name, const char* interface) const {
  if (void* const found = address(name)) return found;
  throw InputError(fmt::format("cannot use {} as a target: it has no {}, which is part of {}", path_.string(), name, interface));
}

}  // namespace boltzcurve

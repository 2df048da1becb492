#include "app/terminal/print.hpp"
#include <boltzcurve/error.hpp>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace boltzcurve {

void print(const std::string& text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return;
  throw InputError("cannot write to standard output: " + std::generic_category().message(errno));
}

void warn(const Communicator& world, const std::string& text) {
  if (!world.is_root()) return;
  const std::string line = "boltzcurve: warning: " + text + "\n";  // in one piece
  std::fflush(stdout);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace boltzcurve

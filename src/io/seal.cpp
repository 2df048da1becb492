#include "io/seal.hpp"
#include <boltzcurve/error.hpp>
#include "core/checksum.hpp"
#include "io/durable_file.hpp"

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr std::string_view beginning = "boltzcurve: ";

std::string line_for(std::span<const std::byte> content) {
  return fmt::format("{}{:020} bytes above, CRC-32 {:08x}\n", beginning, content.size(), crc_32(content));
}

}  // namespace

void seal(std::vector<std::byte>& content) {
  const auto line = line_for(content);
  const auto bytes = std::as_bytes(std::span(line));
  content.insert(content.end(), bytes.begin(), bytes.end());
}

std::span<const std::byte> unsealed(const std::filesystem::path& path, std::span<const std::byte> content) {
  if (content.size() < seal_bytes) return content;
  const auto last = content.last(seal_bytes);
  const std::string_view found(reinterpret_cast<const char*>(last.data()), last.size());
  if (!found.starts_with(beginning) || !found.ends_with('\n')) return content;
  const auto above = content.first(content.size() - seal_bytes);
  if (found != line_for(above))
    throw InputError(fmt::format(
        "{} is damaged: its checksum is {:08x} over {} bytes, and its last line says '{}'; use another one, for "
        "example {}",
        path.string(), crc_32(above), above.size(), found.substr(0, found.size() - 1), previous_path(path).filename().string()));
  return above;
}

}  // namespace boltzcurve

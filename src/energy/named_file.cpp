#include "energy/named_file.hpp"

#include <boltzcurve/error.hpp>
#include "core/checksum.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <sys/stat.h>
#include <nlohmann/json.hpp>

namespace boltzcurve {
namespace {

/// What the parser says, without its name for itself and the number of the error.
std::string words_of(const nlohmann::json::parse_error& error) {
  const std::string text = error.what();
  const auto end = text.find("] ");
  return end == std::string::npos ? text : text.substr(end + 2);
}

[[noreturn]] void cannot_load(const std::filesystem::path& path, const std::string& reason) {
  throw InputError(fmt::format("cannot load {}: {}", path.string(), reason));
}

void require_safe(const std::filesystem::path& path) {
  struct stat file {
  }, folder{};
  if (stat(path.c_str(), &file) != 0) cannot_load(path, std::strerror(errno));
  if (!S_ISREG(file.st_mode)) cannot_load(path, S_ISDIR(file.st_mode) ? "it is a folder" : "it is no file");
  if ((file.st_mode & S_IWOTH) != 0)
    cannot_load(path, "everybody may write to this file, so what is in it may be anybody's; take the permission away (chmod o-w)");
  if (stat(path.parent_path().c_str(), &folder) == 0 && (folder.st_mode & S_IWOTH) != 0 && (folder.st_mode & S_ISVTX) == 0)
    cannot_load(path, "everybody may write to its folder, and put another file in its place; take the permission away (chmod o-w)");
}

}  // namespace

std::vector<char> read_code(const std::filesystem::path& path) {
  require_safe(path);
  std::ifstream stream(path, std::ios::binary);
  std::vector<char> content{std::istreambuf_iterator<char>(stream), {}};
  if (!stream) cannot_load(path, std::strerror(errno));
  return content;
}

std::string digest_of(std::span<const char> content) {
  return fmt::format("{} bytes, CRC-32 {:08x}", content.size(), crc_32(std::as_bytes(content)));
}

void make_absolute(Parameters::Values& values, const std::string& key, const std::filesystem::path& folder) {
  const auto given = values.find(key);
  if (given == values.end() || given->second.empty() || given->second[0].empty()) return;
  auto& name = given->second[0];
  name = std::filesystem::absolute(folder / name).lexically_normal().string();
  if (name.find_first_of(";#\n\r") != std::string::npos)
    throw SettingError(
        {key, fmt::format(" = {}: the name of a folder on the way holds ; or #, which begin comments: move the file", name)});
}

std::string read_json(const std::filesystem::path& file) {
  const auto fail = [&](const std::string& reason) { throw InputError(fmt::format("cannot read {}: {}", file.string(), reason)); };
  std::error_code unreadable;
  if (std::filesystem::is_directory(file, unreadable)) fail("it is a folder");
  errno = 0;
  std::ifstream stream(file);
  if (!stream) fail(std::strerror(errno));
  std::string line;
  try {
    line = nlohmann::ordered_json::parse(stream).dump();
  } catch (const nlohmann::json::parse_error& error) {
    fail("it is no JSON: " + words_of(error));
  }
  // They can stand in strings only, where JSON has another way to write them.
  std::string safe;
  for (const char letter : line) {
    if (letter == ';' || letter == '#')
      safe += letter == ';' ? "\\u003b" : "\\u0023";
    else
      safe += letter;
  }
  return safe;
}

void require_json_object(const std::string& key, const std::string& text) {
  try {
    if (nlohmann::json::parse(text).is_object()) return;
  } catch (const nlohmann::json::parse_error& error) {
    throw SettingError({key, fmt::format(" = {}: is no JSON: {}", text, words_of(error))});
  }
  throw SettingError({key, fmt::format(" = {}: must be a JSON object, for example {{\"scale\": 2}}", text)});
}

}  // namespace boltzcurve

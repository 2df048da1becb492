#include "io/checkpoint_series.hpp"
#include <boltzcurve/error.hpp>
#include "core/text.hpp"
#include "io/durable_file.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace boltzcurve {
namespace {

constexpr std::string_view kept_word = "step";

/// The kept ones, latest step first.
std::vector<std::filesystem::path> kept_checkpoints(const std::filesystem::path& path) {
  std::vector<std::pair<std::int64_t, std::filesystem::path>> kept;
  const auto begin = path.stem().string() + "." + std::string(kept_word), end = path.extension().string();
  std::error_code no_such_folder;
  for (const auto& entry : std::filesystem::directory_iterator(folder_of(path), no_such_folder)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(begin) || !name.ends_with(end) || name.size() < begin.size() + end.size()) continue;
    const auto digits = std::string_view(name).substr(begin.size(), name.size() - begin.size() - end.size());
    if (const auto step = number_from<std::int64_t>(digits)) kept.emplace_back(*step, entry.path());
  }
  std::sort(kept.begin(), kept.end(), std::greater<>());
  std::vector<std::filesystem::path> files;
  for (auto& [step, file] : kept) files.push_back(std::move(file));
  return files;
}

}  // namespace

std::filesystem::path kept_path(const std::filesystem::path& path, std::int64_t step) {
  return path_with(path, std::string(kept_word) + std::to_string(step));
}

NewestCheckpoint newest_checkpoint(const Communicator& ranks, const std::filesystem::path& path) {
  std::string valid, damages;
  constexpr char separator = '\0';
  on_root(ranks, [&] {
    auto candidates = kept_checkpoints(path);
    candidates.insert(candidates.begin(), {path, previous_path(path)});
    for (const auto& file : candidates) {
      std::error_code no_such_folder;
      // A link that leads nowhere is there, and is no good.
      if (std::filesystem::symlink_status(file, no_such_folder).type() == std::filesystem::file_type::not_found) continue;
      try {
        (void)read_checkpoint(file);
        valid = file.string();
        return;
      } catch (const NotDamaged&) {
        throw;
      } catch (const InputError& error) {
        damages += error.what();
        damages += separator;
      }
    }
  });
  ranks.broadcast(valid);
  ranks.broadcast(damages);
  NewestCheckpoint newest;
  for (std::size_t begin = 0; begin < damages.size();) {
    const auto end = damages.find(separator, begin);
    newest.damages.push_back(damages.substr(begin, end - begin));
    begin = end + 1;
  }
  if (!valid.empty()) newest.checkpoint = read_checkpoint(ranks, valid);
  return newest;
}

std::optional<PutAside> put_checkpoint_aside(const std::filesystem::path& file, const std::filesystem::path& path) {
  std::error_code no_such_folder;
  if (std::filesystem::symlink_status(file, no_such_folder).type() == std::filesystem::file_type::not_found) return std::nullopt;
  PutAside aside{damaged_path(path), true};
  try {
    const auto checkpoint = read_checkpoint(file);
    if (const auto step = checkpoint.scalars.find("step");
        step != checkpoint.scalars.end() && step->second == Checkpoint::Scalar(std::int64_t{0})) {
      remove_file(file);
      return std::nullopt;
    }
    int number = 1;
    do aside = {path_with(path, "earlier" + std::to_string(number++)), false};
    while (std::filesystem::exists(aside.path));
  } catch (const NotDamaged&) {
    throw;
  } catch (const InputError&) {
    // It keeps the name for damaged ones.
  }
  rename_file(file, aside.path);
  return aside;
}

std::vector<std::filesystem::path> put_kept_aside(const std::filesystem::path& path, const std::function<bool(const Checkpoint&)>& stays) {
  std::vector<std::filesystem::path> names;
  for (const auto& file : kept_checkpoints(path)) {
    try {
      if (stays(read_checkpoint(file))) continue;
    } catch (const NotDamaged&) {
      throw;
    } catch (const InputError&) {
      continue;
    }
    if (auto aside = put_checkpoint_aside(file, path)) names.push_back(std::move(aside->path));
  }
  return names;
}

}  // namespace boltzcurve

#include "io/checkpoint.hpp"
#include <boltzcurve/error.hpp>
#include "io/durable_file.hpp"
#include "io/hdf5.hpp"
#include "io/seal.hpp"

#include <algorithm>
#include <set>
#include <span>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr auto format_name = "boltzcurve checkpoint";

// Layout of the file. Root attributes: provenance and the names of the arrays in their order. Scalars are the attributes of a group of
// their own. After HDF5's last byte the seal, over all of them. Files of versions 1 and 2 have checksums inside, too, which are passed
// over, and the oldest have no seal.
constexpr auto scalars_group = "scalars";
constexpr auto names_attribute = "dataset_names";
constexpr std::int64_t first_version_with_a_seal = 3;

template <class T>
constexpr std::string_view type_title() {
  if constexpr (std::is_same_v<T, float>) return "float32";
  if constexpr (std::is_same_v<T, double>) return "float64";
  if constexpr (std::is_same_v<T, std::int64_t>) return "int64";
  if constexpr (std::is_same_v<T, std::string>) return "text";
}

template <class T>
std::string_view type_title_of(const std::vector<T>&) {
  return type_title<T>();
}

[[noreturn]] void refuse(const std::string& what) { throw Error(ExitCode::internal_error, "cannot write a checkpoint: " + what); }

void require_sensible(const Checkpoint& checkpoint) {
  std::set<std::string_view> names;
  for (const auto& dataset : checkpoint.datasets) {
    const auto& name = dataset.name;
    if (name.empty() || name.front() == '/' || name.back() == '/' || name.find("//") != std::string::npos ||
        name.find('\0') != std::string::npos || name.find('.') != std::string::npos)
      refuse(fmt::format("dataset name \"{}\": must be words joined by single slashes, without dots", name));
    if (name == scalars_group || name.starts_with(std::string(scalars_group) + "/"))
      refuse(fmt::format("dataset name \"{}\": {} is taken", name, scalars_group));
    if (!names.insert(name).second) refuse(fmt::format("two datasets have the name \"{}\"", name));
    const auto size = std::visit([](const auto& values) { return values.size(); }, dataset.values);
    if (dataset.shape.empty() || dataset.shape.size() > 2 || static_cast<std::uint64_t>(hdf5::size_of(dataset.shape)) != size)
      refuse(fmt::format("dataset \"{}\" has the shape {} and {} values; it must have one or two dimensions and as many values", name,
                         hdf5::to_text(dataset.shape), size));
  }
}

std::vector<std::byte> compose(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  auto provenance = checkpoint.provenance;
  provenance.format = format_name;
  provenance.format_version = checkpoint_format_version;

  hdf5::FileInMemory memory(path);
  const auto& file = memory.file();
  write_provenance(file, provenance);

  std::vector<std::string> names;
  for (const auto& dataset : checkpoint.datasets) {
    names.push_back(dataset.name);
    std::visit([&]<class T>(const std::vector<T>& values) { hdf5::write_dataset<T>(file, dataset.name, values, dataset.shape); },
               dataset.values);
  }
  hdf5::write_attribute(file, names_attribute, names);

  auto scalars = hdf5::create_groups(file, scalars_group);
  for (const auto& [name, scalar] : checkpoint.scalars) {
    std::visit(
        [&, &attribute = name]<class T>(const T& value) {
          if constexpr (std::is_same_v<T, std::string>)
            hdf5::write_attribute(scalars, attribute, std::string_view(value));
          else
            hdf5::write_attribute(scalars, attribute, value);
        },
        scalar);
  }
  scalars.close();
  auto content = memory.close();
  seal(content);
  return content;
}

template <class T>
bool read_if(const hdf5::File& file, const std::string& type, CheckpointDataset& dataset) {
  if (type != type_title<T>()) return false;
  auto array = hdf5::read_dataset<T>(file, dataset.name);
  dataset.shape = std::move(array.shape);
  dataset.values = std::move(array.values);
  return true;
}

CheckpointDataset read_array(const hdf5::File& file, const std::string& name) {
  CheckpointDataset dataset{.name = name, .shape = {}, .values = {}};
  const auto handle = hdf5::open_dataset(file, name);
  const auto title = "dataset " + name + " in " + hdf5::file_name(file.id());
  const auto shape = hdf5::shape_of(handle);
  if (shape.empty() || shape.size() > 2)
    throw InputError(fmt::format("{} has the shape {}, expected one or two dimensions", title, hdf5::to_text(shape)));
  const auto type = hdf5::type_name_of(handle);
  const bool is_known = type == type_title<float>() || type == type_title<double>() || type == type_title<std::int64_t>();
  // A file of a few bytes can claim datasets of any size.
  const std::int64_t stored_bytes = static_cast<std::int64_t>(H5Dget_storage_size(handle.id())),
                     element_bytes = type == type_title<float>() ? 4 : 8;
  if (is_known && hdf5::size_of(shape) > stored_bytes / element_bytes)
    throw InputError(fmt::format("{} is damaged: it has the shape {} but {} bytes", title, hdf5::to_text(shape), stored_bytes));
  if (!read_if<float>(file, type, dataset) && !read_if<double>(file, type, dataset) && !read_if<std::int64_t>(file, type, dataset))
    throw InputError(fmt::format("{} is of type {}, expected float32, float64 or int64", title, type));
  return dataset;
}

herr_t append_attribute_name(hid_t, const char* name, const H5A_info_t*, void* data) noexcept {
  try {
    static_cast<std::vector<std::string>*>(data)->emplace_back(name);
    return 0;
  } catch (...) {  // no exception may pass through HDF5
    return -1;
  }
}

void read_scalars(const hdf5::File& file, Checkpoint& checkpoint) {
  const auto group = hdf5::open_group(file, scalars_group);
  std::vector<std::string> names;
  hsize_t position = 0;
  hdf5::check(H5Aiterate2(group.id(), H5_INDEX_NAME, H5_ITER_INC, &position, append_attribute_name, &names),
              {"read the scalars of", file.id()});
  for (const auto& name : names) {
    const auto type = hdf5::attribute_type_name(group, name);
    if (type == "text")
      checkpoint.scalars[name] = hdf5::read_attribute_text(group, name);
    else if (type == "float64")
      checkpoint.scalars[name] = hdf5::read_attribute<double>(group, name);
    else
      checkpoint.scalars[name] = hdf5::read_attribute<std::int64_t>(group, name);
  }
}

}  // namespace

const CheckpointDataset* Checkpoint::find(std::string_view name) const {
  const auto found = std::find_if(datasets.begin(), datasets.end(), [&](const auto& dataset) { return dataset.name == name; });
  return found == datasets.end() ? nullptr : &*found;
}

template <class T>
const std::vector<T>& Checkpoint::values(std::string_view name, const std::vector<std::int64_t>& shape) const {
  const auto title = fmt::format("dataset {} in {}", name, source.string());
  const auto* const found = find(name);
  if (!found) throw InputError(title + " is missing");
  const auto type = std::visit([](const auto& stored) { return type_title_of(stored); }, found->values);
  if (type != type_title<T>()) throw InputError(fmt::format("{} is of type {}, expected {}", title, type, type_title<T>()));
  if (found->shape != shape)
    throw InputError(fmt::format("{} has the shape {}, expected {}", title, hdf5::to_text(found->shape), hdf5::to_text(shape)));
  return std::get<std::vector<T>>(found->values);
}

template const std::vector<float>& Checkpoint::values(std::string_view, const std::vector<std::int64_t>&) const;
template const std::vector<double>& Checkpoint::values(std::string_view, const std::vector<std::int64_t>&) const;
template const std::vector<std::int64_t>& Checkpoint::values(std::string_view, const std::vector<std::int64_t>&) const;

template <class T>
const T& Checkpoint::scalar(const std::string& name) const {
  const auto found = scalars.find(name);
  if (found == scalars.end()) throw InputError(fmt::format("attribute {}/{} in {} is missing", scalars_group, name, source.string()));
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr)
    throw InputError(
        fmt::format("attribute {}/{} in {} is of another type, expected {}", scalars_group, name, source.string(), type_title<T>()));
  return *value;
}

template const std::int64_t& Checkpoint::scalar(const std::string&) const;
template const double& Checkpoint::scalar(const std::string&) const;
template const std::string& Checkpoint::scalar(const std::string&) const;

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint, ReadBack read_back) {
  require_sensible(checkpoint);
  replace_file(path, compose(path, checkpoint), Previous::keep, read_back);
}

Checkpoint parse_checkpoint(const std::filesystem::path& source, std::span<const std::byte> image) {
  const auto content = unsealed(source, image);
  const auto file = hdf5::open_image(source, content);
  Checkpoint checkpoint;
  checkpoint.source = source;
  checkpoint.provenance = read_provenance(file, format_name, checkpoint_format_version);
  if (content.size() == image.size() && checkpoint.provenance.format_version >= first_version_with_a_seal)
    throw InputError(
        fmt::format("{} is damaged: its last line, with the checksum, is not there: the file was cut short, or changed by another program; "
                    "use another checkpoint, for example {}",
                    source.string(), previous_path(source).filename().string()));
  for (const auto& name : hdf5::read_attribute_texts(file, names_attribute)) checkpoint.datasets.push_back(read_array(file, name));
  read_scalars(file, checkpoint);
  return checkpoint;
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  const auto stamp = stamp_of(path);
  auto checkpoint = parse_checkpoint(path, read_file(path));
  checkpoint.stamp = stamp;
  return checkpoint;
}

Checkpoint read_checkpoint(const Communicator& ranks, const std::filesystem::path& path) {
  std::string image;
  FileStamp stamp;
  on_root(ranks, [&] {
    stamp = stamp_of(path);
    image = read_text(path);
  });
  ranks.broadcast(image);
  // All ranks hold the same bytes, so they succeed together or fail together with the same message.
  auto checkpoint = parse_checkpoint(path, std::as_bytes(std::span(image)));
  checkpoint.stamp = stamp;
  return checkpoint;
}

}  // namespace boltzcurve

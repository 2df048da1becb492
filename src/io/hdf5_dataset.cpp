#include "io/hdf5_detail.hpp"

#include <boltzcurve/error.hpp>

#include <fmt/format.h>

namespace boltzcurve::hdf5 {

using namespace detail;

namespace {

Dataspace space_of(const Dataset& dataset) {
  return Dataspace(check(H5Dget_space(dataset.id()), {"find the shape of the dataset", dataset.id()}));
}

Datatype type_of_dataset(const Dataset& dataset) {
  return Datatype(check(H5Dget_type(dataset.id()), {"find the type of the dataset", dataset.id()}));
}

/// Throws InputError unless it is of that type and has so many dimensions (0: any).
Content content_of_kind(const Dataset& dataset, Location location, std::string_view path, const std::string& type, int dimensions) {
  auto content = content_of(space_of(dataset), type_of_dataset(dataset), {"read the dataset", location.id(), path});
  const auto title = "dataset " + object_path(location.id(), path);
  if (content.type != type) wrong_type(location.id(), title, content.type, type);
  if (dimensions > 0 && static_cast<int>(content.shape.size()) != dimensions)
    throw InputError(fmt::format("{} in {} has the shape {}, expected {} dimension{}", title, file_name(location.id()),
                                 to_text(content.shape), dimensions, dimensions == 1 ? "" : "s"));
  return content;
}

Dataset create_typed(Location location, std::string_view path, hid_t type, const Dataspace& space, const PropertyList& properties) {
  if (const auto slash = path.rfind('/'); slash != std::string_view::npos && slash > 0)
    create_groups(location, path.substr(0, slash)).close();
  const std::string zero_terminated(path);
  const auto links = utf8_links();
  return Dataset(check(H5Dcreate2(location.id(), zero_terminated.c_str(), type, space.id(), links.id(), properties.id(), H5P_DEFAULT),
                       {"create the dataset", location.id(), path}));
}

// Selects a slab in the file and returns the matching dense space in memory.
Dataspace select(const Dataspace& in_file, const Slab& slab, std::size_t values, const Dataset& dataset, const char* action) {
  const Attempt attempt{action, dataset.id()};
  const auto elements = size_of(slab.count);
  if (static_cast<std::uint64_t>(elements) != values)
    throw Error(ExitCode::internal_error, fmt::format("cannot {} {} in {}: a part of {} elements was given {} values", action,
                                                      object_path(dataset.id(), ""), file_name(dataset.id()), elements, values));
  if (elements == 0) {
    auto in_memory = make_space({1});
    check(H5Sselect_none(in_file.id()), attempt);
    check(H5Sselect_none(in_memory.id()), attempt);
    return in_memory;
  }
  const auto start = extents(slab.start), count = extents(slab.count);
  check(H5Sselect_hyperslab(in_file.id(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr), attempt);
  // Of the slab's own shape, although one row would hold the same: between spaces of different rank HDF5 goes element by element through
  // its chunks, which took longer than the writing.
  return make_space(slab.count);
}

PropertyList transfer(H5FD_mpio_xfer_t mode) {
  auto properties = make_properties(H5P_DATASET_XFER);
  check(H5Pset_dxpl_mpio(properties.id(), mode), {"choose how ranks write"});
  return properties;
}

}  // namespace

Dataset open_dataset(Location location, std::string_view path) {
  const std::string zero_terminated(path);
  return Dataset(check(H5Dopen2(location.id(), zero_terminated.c_str(), H5P_DEFAULT), {"open the dataset", location.id(), path}));
}

Shape shape_of(const Dataset& dataset) { return shape_of_space(space_of(dataset), {"find the shape of the dataset", dataset.id()}); }

std::string type_name_of(const Dataset& dataset) { return type_name_by_id(type_of_dataset(dataset).id()); }

PropertyList dataset_properties() { return without_time_stamps(H5P_DATASET_CREATE); }

template <Number T>
Dataset create_dataset(Location location, std::string_view path, const Shape& shape, const PropertyList& properties, const Shape& maximum) {
  return create_typed(location, path, type_of<T>().stored, make_space(shape, maximum), properties);
}

template <Number T>
void write_dataset(Location location, std::string_view path, std::span<const T> values, const Shape& shape) {
  if (shape.empty() || shape.size() > 2 || static_cast<std::uint64_t>(size_of(shape)) != values.size())
    throw Error(ExitCode::internal_error,
                fmt::format("cannot write {} in {}: the shape {} was given {} values", object_path(location.id(), path),
                            file_name(location.id()), to_text(shape), values.size()));
  auto dataset = create_dataset<T>(location, path, shape);
  if (!values.empty())
    check(H5Dwrite(dataset.id(), type_of<T>().memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
          {"write the dataset", location.id(), path});
  dataset.close();
}

void write_dataset(Location location, std::string_view path, const std::vector<std::string>& values) {
  const auto packed = pack(values, location.id(), path);
  const auto type = text_type(packed.width);
  auto dataset = create_typed(location, path, type.id(), make_space({static_cast<std::int64_t>(values.size())}), dataset_properties());
  if (!values.empty())
    check(H5Dwrite(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, packed.bytes.data()),
          {"write the dataset", location.id(), path});
  dataset.close();
}

template <Number T>
Array<T> read_dataset(Location location, std::string_view path, int dimensions) {
  const auto dataset = open_dataset(location, path);
  const auto content = content_of_kind(dataset, location, path, type_name_by_id(type_of<T>().stored), dimensions);
  Array<T> array{content.shape, room_for<T>(static_cast<std::size_t>(size_of(content.shape)), location.id(), path)};
  if (!array.values.empty())
    check(H5Dread(dataset.id(), type_of<T>().memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data()),
          {"read the dataset", location.id(), path});
  return array;
}

std::vector<std::string> read_texts(Location location, std::string_view path) {
  const auto dataset = open_dataset(location, path);
  const auto content = content_of_kind(dataset, location, path, "text", 1);
  return texts_of(content, location.id(), path,
                  [&](hid_t type, void* bytes) { return H5Dread(dataset.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes); });
}

template <Number T>
void write_slab(const Dataset& dataset, const Slab& slab, std::span<const T> values, const PropertyList& transfer_mode) {
  constexpr auto action = "write the dataset";
  const auto in_file = space_of(dataset);
  const auto in_memory = select(in_file, slab, values.size(), dataset, action);
  const T nothing{};  // HDF5 wants an address even where nothing is selected
  check(H5Dwrite(dataset.id(), type_of<T>().memory, in_memory.id(), in_file.id(), transfer_mode.id(),
                 values.empty() ? &nothing : values.data()),
        {action, dataset.id()});
}

template <Number T>
void read_slab(const Dataset& dataset, const Slab& slab, std::span<T> values) {
  constexpr auto action = "read the dataset";
  const auto type = type_name_of(dataset), expected = type_name_by_id(type_of<T>().stored);
  if (type != expected) wrong_type(dataset.id(), "dataset " + object_path(dataset.id(), ""), type, expected);
  const auto in_file = space_of(dataset);
  const auto in_memory = select(in_file, slab, values.size(), dataset, action);
  if (!values.empty())
    check(H5Dread(dataset.id(), type_of<T>().memory, in_memory.id(), in_file.id(), H5P_DEFAULT, values.data()), {action, dataset.id()});
}

void resize(const Dataset& dataset, const Shape& shape) {
  const auto sizes = extents(shape);
  check(H5Dset_extent(dataset.id(), sizes.data()), {"resize the dataset", dataset.id()});
}

PropertyList independent_transfer() { return transfer(H5FD_MPIO_INDEPENDENT); }
PropertyList collective_transfer() { return transfer(H5FD_MPIO_COLLECTIVE); }

#define BOLTZCURVE_INSTANTIATE(T)                                                                                  \
  template Dataset create_dataset<T>(Location, std::string_view, const Shape&, const PropertyList&, const Shape&); \
  template void write_dataset<T>(Location, std::string_view, std::span<const T>, const Shape&);                    \
  template Array<T> read_dataset<T>(Location, std::string_view, int);                                              \
  template void write_slab<T>(const Dataset&, const Slab&, std::span<const T>, const PropertyList&);               \
  template void read_slab<T>(const Dataset&, const Slab&, std::span<T>);
BOLTZCURVE_FOR_EACH_NUMBER(BOLTZCURVE_INSTANTIATE)
#undef BOLTZCURVE_INSTANTIATE

}  // namespace boltzcurve::hdf5

#include <boltzcurve/core/error.hpp>
#include <boltzcurve/io/hdf5.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>

#include <fmt/format.h>

namespace boltzcurve::hdf5 {
namespace {

// HDF5 prints every failure to standard error by default. Called before the first identifier is made, not when the program is loaded:
// HDF5 must find MPI initialised when it starts, or it does not close its files at MPI_Finalize.
void silence_automatic_messages() {
  static const bool done = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  if (!done) throw Error(ExitCode::internal_error, "cannot switch off HDF5's own messages");
}

herr_t close_by_kind(Kind kind, hid_t id) noexcept {
  switch (kind) {
    case Kind::file:
      return H5Fclose(id);
    case Kind::group:
      return H5Gclose(id);
    case Kind::dataset:
      return H5Dclose(id);
    case Kind::dataspace:
      return H5Sclose(id);
    case Kind::datatype:
      return H5Tclose(id);
    case Kind::property_list:
      return H5Pclose(id);
    case Kind::attribute:
      return H5Aclose(id);
  }
  return -1;
}

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::file:
      return "the file";
    case Kind::group:
      return "the group";
    case Kind::dataset:
      return "the dataset";
    case Kind::dataspace:
      return "a dataspace";
    case Kind::datatype:
      return "a datatype";
    case Kind::property_list:
      return "a property list";
    case Kind::attribute:
      return "an attribute";
  }
  return "an object";
}

// HDF5 refuses to open an image under the name of a file that exists; messages leave this off again.
constexpr std::string_view image_suffix = " (image)";

// Names by the two-call idiom: length first, then text.
template <class Get>
std::string text_by(Get get) {
  const ssize_t length = get(nullptr, 0);
  if (length <= 0) return {};
  std::string text(static_cast<std::size_t>(length) + 1, '\0');
  if (get(text.data(), text.size()) < 0) return {};
  text.resize(static_cast<std::size_t>(length));
  return text;
}

herr_t append_description(unsigned, const H5E_error2_t* entry, void* data) {
  auto& reason = *static_cast<std::string*>(data);
  const std::string_view description = entry->desc ? entry->desc : "";
  if (description.empty() || reason.find(description) != std::string::npos) return 0;
  if (!reason.empty()) reason += ": ";
  reason += description;
  return 0;
}

[[noreturn]] void fail_with_path(const char* action, const std::filesystem::path& path) {
  const auto reason = take_reason();
  throw InputError(fmt::format("cannot {} {}: HDF5: {}", action, path.string(), reason));
}

PropertyList make_properties(hid_t type) {
  silence_automatic_messages();
  return PropertyList(check(H5Pcreate(type), {"create a property list"}));
}

PropertyList without_time_stamps(hid_t type) {
  auto properties = make_properties(type);
  check(H5Pset_obj_track_times(properties.id(), false), {"switch off time stamps"});
  return properties;
}

// A file whose bytes stay in memory.
PropertyList memory_access() {
  auto access = file_access();
  constexpr std::size_t growth = std::size_t{1} << 20;
  check(H5Pset_fapl_core(access.id(), growth, false), {"choose a file in memory"});
  return access;
}

PropertyList utf8_links() {
  auto properties = make_properties(H5P_LINK_CREATE);
  check(H5Pset_char_encoding(properties.id(), H5T_CSET_UTF8), {"set the encoding of names"});
  return properties;
}

std::vector<hsize_t> extents(const Shape& shape) {
  std::vector<hsize_t> result;
  for (const auto extent : shape) result.push_back(static_cast<hsize_t>(extent));
  return result;
}

Dataspace make_space(const Shape& shape, const Shape& maximum = {}) {
  const auto now = extents(shape);
  auto most = maximum.empty() ? now : extents(maximum);  // -1 becomes H5S_UNLIMITED
  return Dataspace(check(H5Screate_simple(static_cast<int>(now.size()), now.data(), most.data()), {"create a dataspace"}));
}

Dataspace space_of(const Dataset& dataset) {
  return Dataspace(check(H5Dget_space(dataset.id()), {"find the shape of the dataset", dataset.id()}));
}

Shape shape_of_space(const Dataspace& space, const Attempt& attempt) {
  const int dimensions = check(H5Sget_simple_extent_ndims(space.id()), attempt);
  std::vector<hsize_t> sizes(static_cast<std::size_t>(dimensions));
  check(H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr), attempt);
  Shape shape;
  for (const auto size : sizes) {
    if (size > static_cast<hsize_t>(std::numeric_limits<std::int64_t>::max())) fail(attempt);
    shape.push_back(static_cast<std::int64_t>(size));
  }
  return shape;
}

// Memory for what a file claims to hold: a damaged file may claim anything.
template <class T>
std::vector<T> room_for(std::size_t count, hid_t location, std::string_view name) {
  try {
    return std::vector<T>(count);
  } catch (const std::exception&) {  // bad_alloc or length_error
    throw InputError(fmt::format("cannot read {} in {}: no memory for its {} elements of {} bytes", object_path(location, name),
                                 file_name(location), count, sizeof(T)));
  }
}

Datatype text_type(std::size_t bytes) {
  Datatype type(check(H5Tcopy(H5T_C_S1), {"create a text type"}));
  check(H5Tset_size(type.id(), std::max<std::size_t>(bytes, 1)), {"set the length of a text type"});
  check(H5Tset_strpad(type.id(), H5T_STR_NULLPAD), {"set the padding of a text type"});
  check(H5Tset_cset(type.id(), H5T_CSET_UTF8), {"set the encoding of a text type"});
  return type;
}

void require_no_trailing_zero(std::string_view text, hid_t location, std::string_view name) {
  if (!text.empty() && text.back() == '\0')
    throw InputError(fmt::format("cannot write {} in {}: its text ends in a zero byte, which HDF5 would drop", object_path(location, name),
                                 file_name(location)));
}

// Texts one after another, each padded with zeros to the length of the longest.
struct PackedTexts {
  std::size_t width = 1;
  std::string bytes;
};

PackedTexts pack(const std::vector<std::string>& texts, hid_t location, std::string_view name) {
  PackedTexts packed;
  for (const auto& text : texts) {
    require_no_trailing_zero(text, location, name);
    packed.width = std::max(packed.width, text.size());
  }
  packed.bytes.reserve(packed.width * texts.size());
  for (const auto& text : texts) packed.bytes.append(text).append(packed.width - text.size(), '\0');
  return packed;
}

std::string unpadded(std::string_view text) {
  const auto last = text.find_last_not_of('\0');
  return std::string(text.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

std::vector<std::string> unpack(std::string_view bytes, std::size_t width) {
  std::vector<std::string> texts;
  for (std::size_t begin = 0; begin + width <= bytes.size(); begin += width) texts.push_back(unpadded(bytes.substr(begin, width)));
  return texts;
}

std::string type_name_by_id(hid_t type) {
  const auto size = 8 * H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return fmt::format("float{}", size);
    case H5T_INTEGER:
      return fmt::format("{}int{}", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", size);
    case H5T_STRING:
      return H5Tis_variable_str(type) > 0 ? "text of variable length" : "text";
    default:
      return "other";
  }
}

Datatype type_of_dataset(const Dataset& dataset) {
  return Datatype(check(H5Dget_type(dataset.id()), {"find the type of the dataset", dataset.id()}));
}

[[noreturn]] void wrong_type(hid_t location, std::string_view what, const std::string& found, const std::string& expected) {
  throw InputError(fmt::format("{} in {} is of type {}, expected {}", what, file_name(location), found, expected));
}

Attribute open_attribute(Location location, std::string_view name) {
  const std::string zero_terminated(name);
  return Attribute(check(H5Aopen(location.id(), zero_terminated.c_str(), H5P_DEFAULT), {"read the attribute", location.id(), name}));
}

// Creates an attribute in place of any former one and writes it.
void put_attribute(Location location, std::string_view name, const Dataspace& space, hid_t stored, hid_t memory, const void* values) {
  const Attempt attempt{"write the attribute", location.id(), name};
  const std::string zero_terminated(name);
  if (has_attribute(location, name)) check(H5Adelete(location.id(), zero_terminated.c_str()), attempt);
  auto properties = make_properties(H5P_ATTRIBUTE_CREATE);
  check(H5Pset_char_encoding(properties.id(), H5T_CSET_UTF8), attempt);
  Attribute attribute(check(H5Acreate2(location.id(), zero_terminated.c_str(), stored, space.id(), properties.id(), H5P_DEFAULT), attempt));
  if (H5Sget_simple_extent_npoints(space.id()) > 0) check(H5Awrite(attribute.id(), memory, values), attempt);
  attribute.close();
}

struct AttributeContent {
  Shape shape;
  std::string type;
  std::size_t element_bytes;
};

AttributeContent content_of(const Attribute& attribute, const Attempt& attempt) {
  const Dataspace space(check(H5Aget_space(attribute.id()), attempt));
  const Datatype type(check(H5Aget_type(attribute.id()), attempt));
  return {shape_of_space(space, attempt), type_name_by_id(type.id()), H5Tget_size(type.id())};
}

std::string attribute_title(Location location, std::string_view name) {
  return fmt::format("attribute {} of {}", name, object_path(location.id(), ""));
}

template <Number T>
std::vector<T> attribute_numbers(Location location, std::string_view name, std::size_t dimensions) {
  const Attempt attempt{"read the attribute", location.id(), name};
  const auto attribute = open_attribute(location, name);
  const auto content = content_of(attribute, attempt);
  if (content.type != type_name<T>()) wrong_type(location.id(), attribute_title(location, name), content.type, type_name<T>());
  if (content.shape.size() != dimensions)
    throw InputError(fmt::format("{} in {} has {} dimensions, expected {}", attribute_title(location, name), file_name(location.id()),
                                 content.shape.size(), dimensions));
  auto values = room_for<T>(static_cast<std::size_t>(size_of(content.shape)), location.id(), name);
  if (!values.empty()) check(H5Aread(attribute.id(), memory_type<T>(), values.data()), attempt);
  return values;
}

std::vector<std::string> attribute_texts(Location location, std::string_view name, std::size_t dimensions) {
  const Attempt attempt{"read the attribute", location.id(), name};
  const auto attribute = open_attribute(location, name);
  const auto content = content_of(attribute, attempt);
  if (content.type != "text") wrong_type(location.id(), attribute_title(location, name), content.type, "text");
  if (content.shape.size() != dimensions)
    throw InputError(fmt::format("{} in {} has {} dimensions, expected {}", attribute_title(location, name), file_name(location.id()),
                                 content.shape.size(), dimensions));
  auto bytes = room_for<char>(static_cast<std::size_t>(size_of(content.shape)) * content.element_bytes, location.id(), name);
  const Datatype type(check(H5Aget_type(attribute.id()), attempt));
  if (!bytes.empty()) check(H5Aread(attribute.id(), type.id(), bytes.data()), attempt);
  return unpack({bytes.data(), bytes.size()}, content.element_bytes);
}

// Selects a slab in the file and returns the matching dense space in memory.
Dataspace select(const Dataspace& in_file, const Slab& slab, std::size_t values, const Dataset& dataset, const char* action) {
  const Attempt attempt{action, dataset.id()};
  const auto elements = size_of(slab.count);
  if (static_cast<std::uint64_t>(elements) != values)
    throw Error(ExitCode::internal_error, fmt::format("cannot {} {} in {}: a part of {} elements was given {} values", action,
                                                      object_path(dataset.id(), ""), file_name(dataset.id()), elements, values));
  auto in_memory = make_space({std::max<std::int64_t>(elements, 1)});
  if (elements == 0) {
    check(H5Sselect_none(in_file.id()), attempt);
    check(H5Sselect_none(in_memory.id()), attempt);
  } else {
    const auto start = extents(slab.start), count = extents(slab.count);
    check(H5Sselect_hyperslab(in_file.id(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr), attempt);
  }
  return in_memory;
}

PropertyList transfer(H5FD_mpio_xfer_t mode) {
  auto properties = make_properties(H5P_DATASET_XFER);
  check(H5Pset_dxpl_mpio(properties.id(), mode), {"choose how ranks write"});
  return properties;
}

}  // namespace

// --- Errors and owners ---

std::string take_reason() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, append_description, &reason);
  H5Eclear2(H5E_DEFAULT);
  return reason.empty() ? "no reason given" : reason;
}

void fail(const Attempt& attempt) {
  const auto reason = take_reason();  // first: every other call of HDF5 empties the stack
  if (attempt.location < 0) throw InputError(fmt::format("cannot {}: HDF5: {}", attempt.action, reason));
  throw InputError(fmt::format("cannot {} {} in {}: HDF5: {}", attempt.action, object_path(attempt.location, attempt.name),
                               file_name(attempt.location), reason));
}

std::string file_name(hid_t id) {
  auto name = text_by([&](char* text, std::size_t size) { return H5Fget_name(id, text, size); });
  if (name.ends_with(image_suffix)) name.resize(name.size() - image_suffix.size());
  return name.empty() ? "(a file that is no longer open)" : name;
}

std::string object_path(hid_t location, std::string_view name) {
  auto path = text_by([&](char* text, std::size_t size) { return H5Iget_name(location, text, size); });
  if (name.empty()) return path;
  if (path.empty() || path.back() != '/') path += '/';
  return path += name;
}

bool close_identifier(Kind kind, hid_t id) noexcept { return close_by_kind(kind, id) >= 0; }

void close_identifier_or_throw(Kind kind, hid_t id) {
  const auto file = file_name(id);  // after a failed close it may be unknown
  if (close_identifier(kind, id)) return;
  const auto reason = take_reason();
  throw InputError(fmt::format("cannot close {} in {}: HDF5: {}", name_of(kind), file, reason));
}

// --- Files and groups ---

PropertyList file_access() {
  auto access = make_properties(H5P_FILE_ACCESS);
  check(H5Pset_libver_bounds(access.id(), H5F_LIBVER_V18, H5F_LIBVER_V18), {"choose the version of the file format"});
  check(H5Pset_fclose_degree(access.id(), H5F_CLOSE_SEMI), {"choose how files are closed"});
#if H5_VERSION_GE(1, 10, 7) && !(H5_VERS_MAJOR == 1 && H5_VERS_MINOR == 12 && H5_VERS_RELEASE == 0)
  // Locks keep two writers apart; a file system without them is no reason to stop.
  check(H5Pset_file_locking(access.id(), true, true), {"choose how files are locked"});
#endif
  return access;
}

PropertyList parallel_file_access(MPI_Comm comm) {
  auto access = file_access();
  check(H5Pset_fapl_mpio(access.id(), comm, MPI_INFO_NULL), {"choose MPI-IO"});
  return access;
}

File create_file(const std::filesystem::path& path, const PropertyList& access) {
  const auto creation = without_time_stamps(H5P_FILE_CREATE);
  const hid_t id = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.id(), access.id());
  if (id < 0) fail_with_path("create", path);
  return File(id);
}

File open_file(const std::filesystem::path& path, Mode mode, const PropertyList& access) {
  const hid_t id = H5Fopen(path.c_str(), mode == Mode::read_only ? H5F_ACC_RDONLY : H5F_ACC_RDWR, access.id());
  if (id < 0) fail_with_path("open", path);
  return File(id);
}

File open_image(const std::filesystem::path& path, std::span<const std::byte> image) {
  constexpr std::string_view signature = "\x89HDF\r\n\x1a\n";
  if (image.size() < signature.size() || std::memcmp(image.data(), signature.data(), signature.size()) != 0)
    throw InputError(
        fmt::format("{} is not an HDF5 file: its {} bytes do not begin with the signature of one", path.string(), image.size()));
  const auto access = memory_access();
  // HDF5 copies the bytes; its interface lacks a const.
  check(H5Pset_file_image(access.id(), const_cast<std::byte*>(image.data()), image.size()), {"hand the file's bytes to HDF5"});
  const hid_t id = H5Fopen((path.string() + std::string(image_suffix)).c_str(), H5F_ACC_RDONLY, access.id());
  if (id < 0) fail_with_path("open", path);
  return File(id);
}

struct FileInMemory::Image {
  void* bytes = nullptr;  // from malloc; set when HDF5 lets go of them
  std::size_t size = 0;

  Image() = default;
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  ~Image() { std::free(bytes); }

  static void* allocate(std::size_t size, H5FD_file_image_op_t, void* self) {
    static_cast<Image*>(self)->size = size;
    return std::malloc(size);
  }
  static void* reallocate(void* bytes, std::size_t size, H5FD_file_image_op_t, void* self) {
    static_cast<Image*>(self)->size = size;
    return std::realloc(bytes, size);
  }
  static herr_t let_go(void* bytes, H5FD_file_image_op_t, void* self) {
    static_cast<Image*>(self)->bytes = bytes;
    return 0;
  }
  static void* copy_of_self(void* self) { return self; }
  static herr_t keep_self(void*) { return 0; }
};

void FileInMemory::DeleteImage::operator()(Image* image) const noexcept { delete image; }

FileInMemory::FileInMemory(const std::filesystem::path& path) : path_(path), image_(new Image) {
  // HDF5 before 2.0 has a function that copies the bytes of an open file, but with a wrong checksum in them (H5Fget_file_image,
  // HDFGroup/hdf5 #1915). So take the bytes that are left when the file has been closed.
  H5FD_file_image_callbacks_t callbacks{};
  callbacks.image_malloc = Image::allocate;
  callbacks.image_realloc = Image::reallocate;
  callbacks.image_free = Image::let_go;
  callbacks.udata_copy = Image::copy_of_self;
  callbacks.udata_free = Image::keep_self;
  callbacks.udata = image_.get();
  const auto access = memory_access();
  check(H5Pset_file_image_callbacks(access.id(), &callbacks), {"choose a file in memory"});
  file_ = create_file(path, access);
}

std::vector<std::byte> FileInMemory::close() {
  file_.close();
  std::vector<std::byte> bytes(image_->size);
  if (image_->bytes != nullptr) std::memcpy(bytes.data(), image_->bytes, bytes.size());
  // Memory grows in large steps: the file itself knows its length.
  const auto length = check(H5Fget_file_image(open_image(path_, bytes).id(), nullptr, 0), {"find the length of a file in memory"});
  bytes.resize(static_cast<std::size_t>(length));
  return bytes;
}

void flush(const File& file) { check(H5Fflush(file.id(), H5F_SCOPE_GLOBAL), {"write", file.id()}); }

std::int64_t open_files() { return check(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_FILE), {"count open files"}); }

bool exists(Location location, std::string_view path) {
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = path.find('/', end + 1);
    const std::string part(path.substr(0, end));
    if (check(H5Lexists(location.id(), part.c_str(), H5P_DEFAULT), {"look for", location.id(), part}) == 0) return false;
  }
  return true;
}

Group create_groups(Location location, std::string_view path) {
  // One by one: groups that HDF5 makes on the way (H5Pset_create_intermediate_group) would carry time stamps.
  const auto properties = without_time_stamps(H5P_GROUP_CREATE);
  const auto links = utf8_links();
  Group group;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = path.find('/', end + 1);
    const std::string part(path.substr(0, end));
    const Attempt attempt{"create the group", location.id(), part};
    group = check(H5Lexists(location.id(), part.c_str(), H5P_DEFAULT), attempt) > 0
                ? open_group(location, part)
                : Group(check(H5Gcreate2(location.id(), part.c_str(), links.id(), properties.id(), H5P_DEFAULT), attempt));
  }
  return group;
}

Group open_group(Location location, std::string_view path) {
  const std::string zero_terminated(path);
  return Group(check(H5Gopen2(location.id(), zero_terminated.c_str(), H5P_DEFAULT), {"open the group", location.id(), path}));
}

// --- Datasets ---

template <Number T>
hid_t memory_type() {
  if constexpr (std::same_as<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::same_as<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::same_as<T, std::int8_t>) return H5T_NATIVE_INT8;
  if constexpr (std::same_as<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::same_as<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::same_as<T, std::uint64_t>) return H5T_NATIVE_UINT64;
}

template <Number T>
hid_t stored_type() {
  if constexpr (std::same_as<T, float>) return H5T_IEEE_F32LE;
  if constexpr (std::same_as<T, double>) return H5T_IEEE_F64LE;
  if constexpr (std::same_as<T, std::int8_t>) return H5T_STD_I8LE;
  if constexpr (std::same_as<T, std::int32_t>) return H5T_STD_I32LE;
  if constexpr (std::same_as<T, std::int64_t>) return H5T_STD_I64LE;
  if constexpr (std::same_as<T, std::uint64_t>) return H5T_STD_U64LE;
}

template <Number T>
std::string type_name() {
  return type_name_by_id(stored_type<T>());
}

std::int64_t size_of(const Shape& shape) {
  std::int64_t size = 1;
  for (const auto extent : shape) {
    if (extent < 0 || (extent > 0 && size > std::numeric_limits<std::int64_t>::max() / extent))
      throw InputError("no array can have the shape " + to_text(shape));
    size *= extent;
  }
  return size;
}

std::string to_text(const Shape& shape) { return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, " x ")); }

Dataset open_dataset(Location location, std::string_view path) {
  const std::string zero_terminated(path);
  return Dataset(check(H5Dopen2(location.id(), zero_terminated.c_str(), H5P_DEFAULT), {"open the dataset", location.id(), path}));
}

Shape shape_of(const Dataset& dataset) { return shape_of_space(space_of(dataset), {"find the shape of the dataset", dataset.id()}); }

std::string type_name_of(const Dataset& dataset) { return type_name_by_id(type_of_dataset(dataset).id()); }

PropertyList dataset_properties() { return without_time_stamps(H5P_DATASET_CREATE); }

namespace {

Dataset create_typed(Location location, std::string_view path, hid_t type, const Dataspace& space, const PropertyList& properties) {
  if (const auto slash = path.rfind('/'); slash != std::string_view::npos && slash > 0)
    create_groups(location, path.substr(0, slash)).close();
  const std::string zero_terminated(path);
  const auto links = utf8_links();
  return Dataset(check(H5Dcreate2(location.id(), zero_terminated.c_str(), type, space.id(), links.id(), properties.id(), H5P_DEFAULT),
                       {"create the dataset", location.id(), path}));
}

}  // namespace

template <Number T>
Dataset create_dataset(Location location, std::string_view path, const Shape& shape, const PropertyList& properties, const Shape& maximum) {
  return create_typed(location, path, stored_type<T>(), make_space(shape, maximum), properties);
}

template <Number T>
void write_dataset(Location location, std::string_view path, std::span<const T> values, const Shape& shape) {
  if (shape.empty() || shape.size() > 2 || static_cast<std::uint64_t>(size_of(shape)) != values.size())
    throw Error(ExitCode::internal_error,
                fmt::format("cannot write {} in {}: the shape {} was given {} values", object_path(location.id(), path),
                            file_name(location.id()), to_text(shape), values.size()));
  auto dataset = create_dataset<T>(location, path, shape);
  if (!values.empty())
    check(H5Dwrite(dataset.id(), memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
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
  const Attempt attempt{"read the dataset", location.id(), path};
  const auto dataset = open_dataset(location, path);
  const auto shape = shape_of(dataset);
  if (const auto type = type_name_of(dataset); type != type_name<T>())
    wrong_type(location.id(), "dataset " + object_path(location.id(), path), type, type_name<T>());
  if (dimensions > 0 && static_cast<int>(shape.size()) != dimensions)
    throw InputError(fmt::format("dataset {} in {} has the shape {}, expected {} dimension{}", object_path(location.id(), path),
                                 file_name(location.id()), to_text(shape), dimensions, dimensions == 1 ? "" : "s"));
  Array<T> array{shape, room_for<T>(static_cast<std::size_t>(size_of(shape)), location.id(), path)};
  if (!array.values.empty()) check(H5Dread(dataset.id(), memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data()), attempt);
  return array;
}

std::vector<std::string> read_texts(Location location, std::string_view path) {
  const auto dataset = open_dataset(location, path);
  const auto type = type_of_dataset(dataset);
  if (const auto name = type_name_by_id(type.id()); name != "text")
    wrong_type(location.id(), "dataset " + object_path(location.id(), path), name, "text");
  const auto shape = shape_of(dataset);
  if (shape.size() != 1)
    throw InputError(fmt::format("dataset {} in {} has the shape {}, expected 1 dimension", object_path(location.id(), path),
                                 file_name(location.id()), to_text(shape)));
  const auto width = H5Tget_size(type.id());
  auto bytes = room_for<char>(static_cast<std::size_t>(shape[0]) * width, location.id(), path);
  if (!bytes.empty())
    check(H5Dread(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), {"read the dataset", location.id(), path});
  return unpack({bytes.data(), bytes.size()}, width);
}

template <Number T>
void write_slab(const Dataset& dataset, const Slab& slab, std::span<const T> values, const PropertyList& transfer_mode) {
  constexpr auto action = "write the dataset";
  const auto in_file = space_of(dataset);
  const auto in_memory = select(in_file, slab, values.size(), dataset, action);
  const T nothing{};  // HDF5 wants an address even where nothing is selected
  check(
      H5Dwrite(dataset.id(), memory_type<T>(), in_memory.id(), in_file.id(), transfer_mode.id(), values.empty() ? &nothing : values.data()),
      {action, dataset.id()});
}

template <Number T>
void read_slab(const Dataset& dataset, const Slab& slab, std::span<T> values) {
  constexpr auto action = "read the dataset";
  if (const auto type = type_name_of(dataset); type != type_name<T>())
    wrong_type(dataset.id(), "dataset " + object_path(dataset.id(), ""), type, type_name<T>());
  const auto in_file = space_of(dataset);
  const auto in_memory = select(in_file, slab, values.size(), dataset, action);
  if (!values.empty())
    check(H5Dread(dataset.id(), memory_type<T>(), in_memory.id(), in_file.id(), H5P_DEFAULT, values.data()), {action, dataset.id()});
}

void resize(const Dataset& dataset, const Shape& shape) {
  const auto sizes = extents(shape);
  check(H5Dset_extent(dataset.id(), sizes.data()), {"resize the dataset", dataset.id()});
}

PropertyList independent_transfer() { return transfer(H5FD_MPIO_INDEPENDENT); }
PropertyList collective_transfer() { return transfer(H5FD_MPIO_COLLECTIVE); }

// --- Attributes ---

template <Number T>
void write_attribute(Location location, std::string_view name, T value) {
  const Dataspace space(check(H5Screate(H5S_SCALAR), {"create a dataspace"}));
  put_attribute(location, name, space, stored_type<T>(), memory_type<T>(), &value);
}

template <Number T>
void write_attribute(Location location, std::string_view name, std::span<const T> values) {
  put_attribute(location, name, make_space({static_cast<std::int64_t>(values.size())}), stored_type<T>(), memory_type<T>(), values.data());
}

void write_attribute(Location location, std::string_view name, std::string_view text) {
  require_no_trailing_zero(text, location.id(), name);
  const Dataspace space(check(H5Screate(H5S_SCALAR), {"create a dataspace"}));
  const auto type = text_type(text.size());
  put_attribute(location, name, space, type.id(), type.id(), text.empty() ? "" : text.data());
}

void write_attribute(Location location, std::string_view name, const std::vector<std::string>& texts) {
  const auto packed = pack(texts, location.id(), name);
  const auto type = text_type(packed.width);
  put_attribute(location, name, make_space({static_cast<std::int64_t>(texts.size())}), type.id(), type.id(), packed.bytes.data());
}

bool has_attribute(Location location, std::string_view name) {
  const std::string zero_terminated(name);
  return check(H5Aexists(location.id(), zero_terminated.c_str()), {"look for the attribute", location.id(), name}) > 0;
}

std::string attribute_type_name(Location location, std::string_view name) {
  return content_of(open_attribute(location, name), {"read the attribute", location.id(), name}).type;
}

template <Number T>
T read_attribute(Location location, std::string_view name) {
  return attribute_numbers<T>(location, name, 0).front();
}

template <Number T>
std::vector<T> read_attribute_array(Location location, std::string_view name) {
  return attribute_numbers<T>(location, name, 1);
}

std::string read_attribute_text(Location location, std::string_view name) { return attribute_texts(location, name, 0).front(); }

std::vector<std::string> read_attribute_texts(Location location, std::string_view name) { return attribute_texts(location, name, 1); }

#define BOLTZCURVE_INSTANTIATE(T)                                                                                  \
  template hid_t memory_type<T>();                                                                                 \
  template hid_t stored_type<T>();                                                                                 \
  template std::string type_name<T>();                                                                             \
  template Dataset create_dataset<T>(Location, std::string_view, const Shape&, const PropertyList&, const Shape&); \
  template void write_dataset<T>(Location, std::string_view, std::span<const T>, const Shape&);                    \
  template Array<T> read_dataset<T>(Location, std::string_view, int);                                              \
  template void write_slab<T>(const Dataset&, const Slab&, std::span<const T>, const PropertyList&);               \
  template void read_slab<T>(const Dataset&, const Slab&, std::span<T>);                                           \
  template void write_attribute<T>(Location, std::string_view, T);                                                 \
  template void write_attribute<T>(Location, std::string_view, std::span<const T>);                                \
  template T read_attribute<T>(Location, std::string_view);                                                        \
  template std::vector<T> read_attribute_array<T>(Location, std::string_view);
BOLTZCURVE_INSTANTIATE(float)
BOLTZCURVE_INSTANTIATE(double)
BOLTZCURVE_INSTANTIATE(std::int8_t)
BOLTZCURVE_INSTANTIATE(std::int32_t)
BOLTZCURVE_INSTANTIATE(std::int64_t)
BOLTZCURVE_INSTANTIATE(std::uint64_t)
#undef BOLTZCURVE_INSTANTIATE

}  // namespace boltzcurve::hdf5

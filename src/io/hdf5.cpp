// Identifiers, errors, files and groups.
#include "io/hdf5_detail.hpp"

#include <boltzcurve/error.hpp>

#include <cstdlib>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace boltzcurve::hdf5 {

using namespace detail;

namespace {

// HDF5 prints every failure to standard error by default. Called before the first identifier is made, not when the program is loaded:
// HDF5 must find MPI initialized when it starts, or it does not close its files at MPI_Finalize.
void silence_automatic_messages() {
  static const bool done = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  if (!done) throw Error(ExitCode::internal_error, "cannot switch off HDF5's own messages");
}

// In the order of Kind: how HDF5 closes one, and what errors call it.
struct KindOfIdentifier {
  herr_t (*close)(hid_t);
  const char* name;
};
constexpr KindOfIdentifier kinds[] = {{H5Fclose, "the file"},    {H5Gclose, "the group"},  {H5Dclose, "the dataset"},
                                      {H5Sclose, "a dataspace"}, {H5Tclose, "a datatype"}, {H5Pclose, "a property list"},
                                      {H5Aclose, "an attribute"}};

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
  const auto text = fmt::format("cannot {} {}: HDF5: {}", action, path.string(), reason);
  if (reason.find("unable to lock file") != std::string::npos)
    throw NotDamaged(text + ": another program holds it open; close it there, or set HDF5_USE_FILE_LOCKING=FALSE here");
  if (reason.find("errno = ") != std::string::npos) throw NotDamaged(text);  // the system's verdict, not one on what is in the file
  throw InputError(text);
}

// A file whose bytes stay in memory.
PropertyList memory_access() {
  auto access = file_access();
  constexpr std::size_t growth = std::size_t{1} << 20;
  check(H5Pset_fapl_core(access.id(), growth, false), {"choose a file in memory"});
  return access;
}

}  // namespace

namespace detail {

PropertyList make_properties(hid_t type) {
  silence_automatic_messages();
  return PropertyList(check(H5Pcreate(type), {"create a property list"}));
}

PropertyList without_time_stamps(hid_t type) {
  auto properties = make_properties(type);
  check(H5Pset_obj_track_times(properties.id(), false), {"switch off time stamps"});
  return properties;
}

PropertyList utf8_links() {
  auto properties = make_properties(H5P_LINK_CREATE);
  check(H5Pset_char_encoding(properties.id(), H5T_CSET_UTF8), {"set the encoding of names"});
  return properties;
}

}  // namespace detail

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

bool close_identifier(Kind kind, hid_t id) noexcept { return kinds[static_cast<int>(kind)].close(id) >= 0; }

void close_identifier_or_throw(Kind kind, hid_t id) {
  const auto file = file_name(id);  // after a failed close it may be unknown
  if (close_identifier(kind, id)) return;
  const auto reason = take_reason();
  throw InputError(fmt::format("cannot close {} in {}: HDF5: {}", kinds[static_cast<int>(kind)].name, file, reason));
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

PropertyList unlocked_file_access() {
  auto access = file_access();
#if H5_VERSION_GE(1, 10, 7) && !(H5_VERS_MAJOR == 1 && H5_VERS_MINOR == 12 && H5_VERS_RELEASE == 0)
  check(H5Pset_file_locking(access.id(), false, true), {"choose how files are locked"});
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
  std::error_code unreadable;
  if (std::filesystem::is_directory(path, unreadable)) throw InputError(fmt::format("cannot open {}: it is a folder", path.string()));
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
    std::free(std::exchange(static_cast<Image*>(self)->bytes, bytes));  // HDF5 may open and close the file once before it creates it
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
  // HDF5 would read a file of that name before it makes one in memory.
  file_ = create_file(path.string() + std::string(image_suffix), access);
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

}  // namespace boltzcurve::hdf5

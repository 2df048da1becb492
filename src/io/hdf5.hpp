// HDF5 with owners, checked return codes and errors that say which file, which object and why.
//
// For the sources of this library and for programs that link HDF5 themselves: it includes hdf5.h. The headers of the files proper
// (checkpoint.hpp, metrics_file.hpp, samples_file.hpp) do not.
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hdf5.h>
#include <mpi.h>

namespace boltzcurve::hdf5 {

enum class Kind { file, group, dataset, dataspace, datatype, property_list, attribute };

/// Closes an identifier of the given kind. Returns false, with HDF5's error stack filled, where that fails.
bool close_identifier(Kind kind, hid_t id) noexcept;
/// The same, and throws InputError that names file and object.
void close_identifier_or_throw(Kind kind, hid_t id);

/// Owns one HDF5 identifier. The destructor closes it and keeps silent, because it may run during another error: where a failed close
/// means lost data (files opened for writing), call close().
template <Kind kind>
class Handle {
 public:
  Handle() = default;
  /// Takes over `id`, which must be valid: pass what a function of HDF5 returned through check() first.
  explicit Handle(hid_t id) noexcept : id_(id) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_identifier(kind, id_);
  }

  hid_t id() const noexcept { return id_; }
  bool is_open() const noexcept { return id_ >= 0; }
  /// Gives the identifier away unclosed.
  hid_t release() noexcept { return std::exchange(id_, H5I_INVALID_HID); }

  /// Closes now; does nothing where nothing is open. Throws InputError; the handle is empty afterwards in either case.
  void close() {
    if (id_ >= 0) close_identifier_or_throw(kind, std::exchange(id_, H5I_INVALID_HID));
  }

 private:
  hid_t id_ = H5I_INVALID_HID;
};

using File = Handle<Kind::file>;
using Group = Handle<Kind::group>;
using Dataset = Handle<Kind::dataset>;
using Dataspace = Handle<Kind::dataspace>;
using Datatype = Handle<Kind::datatype>;
using PropertyList = Handle<Kind::property_list>;
using Attribute = Handle<Kind::attribute>;

/// Anything in a file that has attributes; by value, owns nothing.
class Location {
 public:
  Location(const File& file) : id_(file.id()) {}
  Location(const Group& group) : id_(group.id()) {}
  Location(const Dataset& dataset) : id_(dataset.id()) {}
  hid_t id() const { return id_; }

 private:
  hid_t id_;
};

/// What was attempted, for the text of an error: `action` of the object `name`, seen from `location`.
struct Attempt {
  const char* action;
  hid_t location = H5I_INVALID_HID;
  std::string_view name = {};
};

/// Throws InputError, for example: cannot open the dataset /parameters/layer0/weight in out/checkpoint.h5: HDF5: unable to open dataset:
/// object 'weight' doesn't exist. Empties HDF5's error stack into the text.
[[noreturn]] void fail(const Attempt& attempt);

/// Returns what a function of HDF5 returned, unless it is negative: then fails.
template <std::signed_integral Result>
Result check(Result result, const Attempt& attempt) {
  if (result < 0) fail(attempt);
  return result;
}

/// The message of every entry of HDF5's error stack, from the call down to the cause, without repetitions; empties the stack.
std::string take_reason();

/// "in FILE" for messages, from any open identifier that belongs to a file.
std::string file_name(hid_t id);
/// Absolute path of `name` seen from `location`.
std::string object_path(hid_t location, std::string_view name);

// --- Files and groups ---

/// Access properties: file format of HDF5 1.8 at both ends (attributes beyond 64 KiB, checksummed metadata; read by HDF5 1.8 and later),
/// and a close that fails while an object is still open.
PropertyList file_access();
/// The same without locks, of a file that may be read while it grows: what keeps a second writer away is the caller's, see FolderLock.
PropertyList unlocked_file_access();
/// The first, through MPI-IO: the file's functions become collective over `comm`.
PropertyList parallel_file_access(MPI_Comm comm);
/// Creates the file, or empties it. Objects carry no time stamps, so the same content gives the same bytes. Throws InputError.
File create_file(const std::filesystem::path& path, const PropertyList& access);
enum class Mode { read_only, read_write };
/// Opens an existing file. Throws InputError with the reason: missing, not HDF5, truncated, locked by another process.
File open_file(const std::filesystem::path& path, Mode mode, const PropertyList& access);
/// Opens bytes in memory as a read-only file; `path` only names it in messages.
File open_image(const std::filesystem::path& path, std::span<const std::byte> image);
/// Hands everything to the operating system: what is not flushed is lost whole when the process is killed. Collective where the file is.
void flush(const File& file);

/// A new file whose bytes stay in memory until close() hands them out.
class FileInMemory {
 public:
  /// `path` only names the file in messages.
  explicit FileInMemory(const std::filesystem::path& path);

  const File& file() const { return file_; }
  /// Closes the file and returns its bytes. Throws InputError, also while an object in it is still open.
  std::vector<std::byte> close();

 private:
  struct Image;
  struct DeleteImage {
    void operator()(Image* image) const noexcept;
  };
  std::filesystem::path path_;
  std::unique_ptr<Image, DeleteImage> image_;  // HDF5 holds its address: before the file, so that it goes after it
  File file_;
};

/// How many files are open, those included whose close failed: HDF5 then tries again when MPI ends, and may hang or crash there. A program
/// that must report an error in that state does so and leaves through MPI_Abort.
std::int64_t open_files();

/// `path` may have several components; those that do not exist are created, without time stamps.
Group create_groups(Location location, std::string_view path);
Group open_group(Location location, std::string_view path);
/// True if every component of `path` exists.
bool exists(Location location, std::string_view path);

// --- Numbers and text ---

template <class T>
concept Number = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int8_t> || std::same_as<T, std::int32_t> ||
    std::same_as<T, std::int64_t> || std::same_as<T, std::uint64_t>;

/// Owned by HDF5.
struct NumberType {
  hid_t memory, stored;  ///< `stored`: little-endian on every machine
};
template <Number T>
NumberType type_of();

using Shape = std::vector<std::int64_t>;

/// Number of elements.
std::int64_t size_of(const Shape& shape);
/// For example "64 x 3".
std::string to_text(const Shape& shape);

template <class T>
struct Array {
  Shape shape;
  std::vector<T> values;  ///< the last index runs fastest
};

Dataset open_dataset(Location location, std::string_view path);
Shape shape_of(const Dataset& dataset);
/// For example "float64", "int64", "text"; "other" for types that this program never writes.
std::string type_name_of(const Dataset& dataset);

/// Properties of a dataset without time stamps; add chunks and the like to it.
PropertyList dataset_properties();
/// Creates parents as needed. `maximum` empty means the same as `shape`; H5S_UNLIMITED is -1.
template <Number T>
Dataset create_dataset(Location location, std::string_view path, const Shape& shape, const PropertyList& properties = dataset_properties(),
                       const Shape& maximum = {});

/// Creates and fills a dataset of one or two dimensions. Throws InputError where that fails.
template <Number T>
void write_dataset(Location location, std::string_view path, std::span<const T> values, const Shape& shape);
/// One dimension; fixed-length UTF-8, padded with zeros.
void write_dataset(Location location, std::string_view path, const std::vector<std::string>& values);

/// Reads a whole dataset. Throws InputError unless it exists, has `dimensions` dimensions (0 = any) and is of type T up to byte order.
template <Number T>
Array<T> read_dataset(Location location, std::string_view path, int dimensions = 0);
std::vector<std::string> read_texts(Location location, std::string_view path);

/// Part of a dataset: `count` elements from `start` on, per dimension.
struct Slab {
  Shape start, count;
};
/// `transfer`: see independent_transfer() and collective_transfer(). An empty slab (a count of 0) takes part and moves nothing.
template <Number T>
void write_slab(const Dataset& dataset, const Slab& slab, std::span<const T> values, const PropertyList& transfer);
template <Number T>
void read_slab(const Dataset& dataset, const Slab& slab, std::span<T> values);
/// Grows or shrinks a chunked dataset. Collective where the file is.
void resize(const Dataset& dataset, const Shape& shape);

PropertyList independent_transfer();
PropertyList collective_transfer();

// --- Attributes: an existing one of the same name is replaced ---

template <Number T>
void write_attribute(Location location, std::string_view name, T value);
template <Number T>
void write_attribute(Location location, std::string_view name, std::span<const T> values);
/// Fixed-length UTF-8. Any length, also beyond 64 KiB. Throws InputError for text that ends in a zero byte, which would be lost.
void write_attribute(Location location, std::string_view name, std::string_view text);
void write_attribute(Location location, std::string_view name, const std::vector<std::string>& texts);

bool has_attribute(Location location, std::string_view name);
/// As type_name_of(dataset).
std::string attribute_type_name(Location location, std::string_view name);
/// Each throws InputError where the attribute is missing or of another type or shape.
template <Number T>
T read_attribute(Location location, std::string_view name);
template <Number T>
std::vector<T> read_attribute_array(Location location, std::string_view name);
std::string read_attribute_text(Location location, std::string_view name);
std::vector<std::string> read_attribute_texts(Location location, std::string_view name);

}  // namespace boltzcurve::hdf5

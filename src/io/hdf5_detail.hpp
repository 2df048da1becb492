// What the sources behind hdf5.hpp share.
#pragma once

#include <boltzcurve/error.hpp>
#include "io/hdf5.hpp"

#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

// Calls M(T) for every type that is a Number.
#define BOLTZCURVE_FOR_EACH_NUMBER(M) M(float) M(double) M(std::int8_t) M(std::int32_t) M(std::int64_t) M(std::uint64_t)

namespace boltzcurve::hdf5::detail {

/// An empty list of properties of a class such as H5P_FILE_ACCESS. Every use of HDF5 begins with one.
PropertyList make_properties(hid_t type);
/// Properties for creating an object, such that the same content gives the same bytes.
PropertyList without_time_stamps(hid_t type);
/// For creating objects whose names may hold any text.
PropertyList utf8_links();

std::vector<hsize_t> extents(const Shape& shape);
/// `maximum` empty means the same as `shape`.
Dataspace make_space(const Shape& shape, const Shape& maximum = {});
Shape shape_of_space(const Dataspace& space, const Attempt& attempt);

/// The name that type_name_of(dataset) speaks of.
std::string type_name_by_id(hid_t type);

/// What a dataset or an attribute holds.
struct Content {
  Shape shape;
  std::string type;
  std::size_t element_bytes;
  Datatype datatype;
};
/// Throws InputError.
Content content_of(const Dataspace& space, Datatype type, const Attempt& attempt);
/// Throws InputError that `what` (an object's title) in the file of `location` is of another type than expected.
[[noreturn]] void wrong_type(hid_t location, std::string_view what, const std::string& found, const std::string& expected);

/// Fixed-length UTF-8 of this many bytes (at least one, as HDF5 wants it), padded with zeros.
Datatype text_type(std::size_t bytes);
/// Throws InputError for text that would lose its end to the padding.
void require_no_trailing_zero(std::string_view text, hid_t location, std::string_view name);

/// Texts one after another, each padded with zeros to the length of the longest.
struct PackedTexts {
  std::size_t width = 1;
  std::string bytes;
};
/// Throws InputError for text that ends in a zero byte; `location` and `name` say in it what is written.
PackedTexts pack(const std::vector<std::string>& texts, hid_t location, std::string_view name);
/// The texts that `read` reads into memory of that type. Throws InputError.
std::vector<std::string> texts_of(const Content& content, hid_t location, std::string_view name,
                                  const std::function<herr_t(hid_t type, void* bytes)>& read);

/// Memory for what a file claims to hold: a damaged file may claim anything.
template <class T>
std::vector<T> room_for(std::size_t count, hid_t location, std::string_view name) {
  try {
    return std::vector<T>(count);
  } catch (const std::exception&) {  // bad_alloc or length_error
    throw InputError(fmt::format("cannot read {} in {}: no memory for its {} elements of {} bytes", object_path(location, name),
                                 file_name(location), count, sizeof(T)));
  }
}

}  // namespace boltzcurve::hdf5::detail

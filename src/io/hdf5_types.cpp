// Shapes, types of elements and texts, for datasets and attributes alike.
#include "io/hdf5_detail.hpp"

#include <boltzcurve/error.hpp>

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace boltzcurve::hdf5 {

using namespace detail;

namespace {

std::string unpadded(std::string_view text) {
  const auto last = text.find_last_not_of('\0');
  return std::string(text.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

}  // namespace

template <Number T>
NumberType type_of() {
  if constexpr (std::same_as<T, float>) return {H5T_NATIVE_FLOAT, H5T_IEEE_F32LE};
  if constexpr (std::same_as<T, double>) return {H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE};
  if constexpr (std::same_as<T, std::int8_t>) return {H5T_NATIVE_INT8, H5T_STD_I8LE};
  if constexpr (std::same_as<T, std::int32_t>) return {H5T_NATIVE_INT32, H5T_STD_I32LE};
  if constexpr (std::same_as<T, std::int64_t>) return {H5T_NATIVE_INT64, H5T_STD_I64LE};
  if constexpr (std::same_as<T, std::uint64_t>) return {H5T_NATIVE_UINT64, H5T_STD_U64LE};
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

namespace detail {

std::vector<hsize_t> extents(const Shape& shape) {
  std::vector<hsize_t> result;
  for (const auto extent : shape) result.push_back(static_cast<hsize_t>(extent));
  return result;
}

Dataspace make_space(const Shape& shape, const Shape& maximum) {
  const auto now = extents(shape);
  auto most = maximum.empty() ? now : extents(maximum);  // -1 becomes H5S_UNLIMITED
  return Dataspace(check(H5Screate_simple(static_cast<int>(now.size()), now.data(), most.data()), {"create a dataspace"}));
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

Content content_of(const Dataspace& space, Datatype type, const Attempt& attempt) {
  const auto bytes = H5Tget_size(type.id());
  if (bytes == 0) fail(attempt);  // how this one reports an error
  auto name = type_name_by_id(type.id());
  return {shape_of_space(space, attempt), std::move(name), bytes, std::move(type)};
}

std::vector<std::string> texts_of(const Content& content, hid_t location, std::string_view name,
                                  const std::function<herr_t(hid_t type, void* bytes)>& read) {
  auto in_bytes = content.shape;
  in_bytes.push_back(static_cast<std::int64_t>(content.element_bytes));
  auto bytes = room_for<char>(static_cast<std::size_t>(size_of(in_bytes)), location, name);
  if (!bytes.empty()) check(read(content.datatype.id(), bytes.data()), {"read", location, name});
  std::vector<std::string> texts;
  for (std::size_t begin = 0; begin < bytes.size(); begin += content.element_bytes)
    texts.push_back(unpadded({bytes.data() + begin, content.element_bytes}));
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

void wrong_type(hid_t location, std::string_view what, const std::string& found, const std::string& expected) {
  throw InputError(fmt::format("{} in {} is of type {}, expected {}", what, file_name(location), found, expected));
}

}  // namespace detail

#define BOLTZCURVE_INSTANTIATE(T) template NumberType type_of<T>();
BOLTZCURVE_FOR_EACH_NUMBER(BOLTZCURVE_INSTANTIATE)
#undef BOLTZCURVE_INSTANTIATE

}  // namespace boltzcurve::hdf5

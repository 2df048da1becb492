#include "io/hdf5_detail.hpp"

#include <boltzcurve/error.hpp>

#include <fmt/format.h>

namespace boltzcurve::hdf5 {

using namespace detail;

namespace {

Attribute open_attribute(Location location, std::string_view name) {
  const std::string zero_terminated(name);
  return Attribute(check(H5Aopen(location.id(), zero_terminated.c_str(), H5P_DEFAULT), {"read the attribute", location.id(), name}));
}

// Creates an attribute in place of any former one and writes it.
void put_attribute(Location location, std::string_view name, const Dataspace& space, NumberType type, const void* values) {
  const Attempt attempt{"write the attribute", location.id(), name};
  const std::string zero_terminated(name);
  if (has_attribute(location, name)) check(H5Adelete(location.id(), zero_terminated.c_str()), attempt);
  auto properties = make_properties(H5P_ATTRIBUTE_CREATE);
  check(H5Pset_char_encoding(properties.id(), H5T_CSET_UTF8), attempt);
  Attribute attribute(
      check(H5Acreate2(location.id(), zero_terminated.c_str(), type.stored, space.id(), properties.id(), H5P_DEFAULT), attempt));
  if (H5Sget_simple_extent_npoints(space.id()) > 0) check(H5Awrite(attribute.id(), type.memory, values), attempt);
  attribute.close();
}

Content content_of_attribute(const Attribute& attribute, const Attempt& attempt) {
  const Dataspace space(check(H5Aget_space(attribute.id()), attempt));
  return content_of(space, Datatype(check(H5Aget_type(attribute.id()), attempt)), attempt);
}

/// Throws InputError unless it is of that type and has so many dimensions.
Content content_of_kind(const Attribute& attribute, const Attempt& attempt, const std::string& type, std::size_t dimensions) {
  auto content = content_of_attribute(attribute, attempt);
  const auto title = fmt::format("attribute {} of {}", attempt.name, object_path(attempt.location, ""));
  if (content.type != type) wrong_type(attempt.location, title, content.type, type);
  if (content.shape.size() != dimensions)
    throw InputError(
        fmt::format("{} in {} has {} dimensions, expected {}", title, file_name(attempt.location), content.shape.size(), dimensions));
  return content;
}

template <Number T>
std::vector<T> attribute_numbers(Location location, std::string_view name, std::size_t dimensions) {
  const Attempt attempt{"read the attribute", location.id(), name};
  const auto attribute = open_attribute(location, name);
  const auto content = content_of_kind(attribute, attempt, type_name_by_id(type_of<T>().stored), dimensions);
  auto values = room_for<T>(static_cast<std::size_t>(size_of(content.shape)), location.id(), name);
  if (!values.empty()) check(H5Aread(attribute.id(), type_of<T>().memory, values.data()), attempt);
  return values;
}

std::vector<std::string> attribute_texts(Location location, std::string_view name, std::size_t dimensions) {
  const auto attribute = open_attribute(location, name);
  const auto content = content_of_kind(attribute, {"read the attribute", location.id(), name}, "text", dimensions);
  return texts_of(content, location.id(), name, [&](hid_t type, void* bytes) { return H5Aread(attribute.id(), type, bytes); });
}

}  // namespace

template <Number T>
void write_attribute(Location location, std::string_view name, T value) {
  const Dataspace space(check(H5Screate(H5S_SCALAR), {"create a dataspace"}));
  put_attribute(location, name, space, type_of<T>(), &value);
}

template <Number T>
void write_attribute(Location location, std::string_view name, std::span<const T> values) {
  put_attribute(location, name, make_space({static_cast<std::int64_t>(values.size())}), type_of<T>(), values.data());
}

void write_attribute(Location location, std::string_view name, std::string_view text) {
  require_no_trailing_zero(text, location.id(), name);
  const Dataspace space(check(H5Screate(H5S_SCALAR), {"create a dataspace"}));
  const auto type = text_type(text.size());
  put_attribute(location, name, space, {type.id(), type.id()}, text.empty() ? "" : text.data());
}

void write_attribute(Location location, std::string_view name, const std::vector<std::string>& texts) {
  const auto packed = pack(texts, location.id(), name);
  const auto type = text_type(packed.width);
  put_attribute(location, name, make_space({static_cast<std::int64_t>(texts.size())}), {type.id(), type.id()}, packed.bytes.data());
}

bool has_attribute(Location location, std::string_view name) {
  const std::string zero_terminated(name);
  return check(H5Aexists(location.id(), zero_terminated.c_str()), {"look for the attribute", location.id(), name}) > 0;
}

std::string attribute_type_name(Location location, std::string_view name) {
  return content_of_attribute(open_attribute(location, name), {"read the attribute", location.id(), name}).type;
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

#define BOLTZCURVE_INSTANTIATE(T)                                                   \
  template void write_attribute<T>(Location, std::string_view, T);                  \
  template void write_attribute<T>(Location, std::string_view, std::span<const T>); \
  template T read_attribute<T>(Location, std::string_view);                         \
  template std::vector<T> read_attribute_array<T>(Location, std::string_view);
BOLTZCURVE_FOR_EACH_NUMBER(BOLTZCURVE_INSTANTIATE)
#undef BOLTZCURVE_INSTANTIATE

}  // namespace boltzcurve::hdf5

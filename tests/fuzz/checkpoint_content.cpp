// A well-formed HDF5 file that is nearly a checkpoint: its attributes and datasets, four bytes of input each, are replaced by others, of
// any type and shape. Bytes alone hardly ever get past the checksums that HDF5 itself keeps.
#include "harness.hpp"

#include "io/checkpoint.hpp"
#include "io/hdf5.hpp"
#include "io/seal.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

using namespace boltzcurve;

namespace {

constexpr std::array root_attributes = {"format",       "format_version", "program_version", "git_description", "options",
                                        "command_line", "seed",           "build",           "hosts",           "job_id",
                                        "start_utc",    "training",       "dataset_names"};
constexpr std::array datasets = {"parameters/weight", "counts"};
constexpr std::array scalars = {"step", "seconds", "run_state"};

struct Edit {
  std::uint8_t object, type, shape, size;
};

/// A type of any kind; those made for the purpose are left to HDF5, which ends with the process.
hid_t type_of(const Edit& edit) {
  const hid_t plain[] = {H5T_STD_I64LE,  H5T_STD_I64BE,  H5T_STD_U64LE, H5T_STD_I8LE,    H5T_STD_I32LE,  H5T_IEEE_F64LE,
                         H5T_IEEE_F64BE, H5T_IEEE_F32LE, H5T_STD_B64LE, H5T_STD_REF_OBJ, H5T_UNIX_D64LE, H5T_NATIVE_LDOUBLE};
  const unsigned kind = edit.type % (std::size(plain) + 5);
  if (kind < std::size(plain)) return plain[kind];
  const hsize_t extent = 1 + edit.size % 4;
  hid_t type = -1;
  switch (kind - std::size(plain)) {
    case 0:
      type = H5Tcopy(H5T_C_S1);
      H5Tset_size(type, 1 + edit.size);
      return type;
    case 1:
      type = H5Tcopy(H5T_C_S1);
      H5Tset_size(type, H5T_VARIABLE);
      return type;
    case 2:
      return H5Tarray_create2(H5T_STD_I64LE, 1, &extent);
    case 3:
      return H5Tvlen_create(H5T_STD_I64LE);
    default:
      type = H5Tcreate(H5T_COMPOUND, 16);
      H5Tinsert(type, "number", 0, H5T_IEEE_F64LE);
      H5Tinsert(type, "count", 8, H5T_STD_I64LE);
      return type;
  }
}

hid_t space_of(const Edit& edit, bool may_be_huge) {
  const hsize_t n = edit.size, huge = hsize_t{1} << (32 + edit.size % 31);
  const hsize_t sizes[] = {n, 1, 2}, huge_sizes[] = {huge, 1 + n / 64};
  switch (edit.shape % (may_be_huge ? 8 : 6)) {
    case 0:
      return H5Screate(H5S_SCALAR);
    case 1:
      return H5Screate(H5S_NULL);
    case 2:
      return H5Screate_simple(1, sizes + 1, nullptr);
    case 3:
      return H5Screate_simple(1, sizes, nullptr);
    case 4:
      return H5Screate_simple(2, sizes, nullptr);
    case 5:
      return H5Screate_simple(3, sizes, nullptr);
    case 6:
      return H5Screate_simple(1, huge_sizes, nullptr);
    default:
      return H5Screate_simple(2, huge_sizes, nullptr);
  }
}

void replace_attribute(hid_t owner, const char* name, const Edit& edit) {
  H5Adelete(owner, name);
  if (edit.shape >= 240) return;  // it is missing
  const hid_t type = type_of(edit), space = space_of(edit, false);
  const hid_t attribute = H5Acreate2(owner, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  const auto points = H5Sget_simple_extent_npoints(space);
  std::vector<char> content(static_cast<std::size_t>(std::max<hssize_t>(points, 1)) * H5Tget_size(type), '\0');
  if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) <= 0) std::fill(content.begin(), content.end(), 'a');
  if (attribute >= 0 && points > 0) H5Awrite(attribute, type, content.data());
  H5Aclose(attribute);
  H5Sclose(space);
}

void replace_dataset(hid_t file, const char* name, const Edit& edit) {
  H5Ldelete(file, name, H5P_DEFAULT);
  if (edit.shape >= 240) return;
  if (edit.shape >= 230) {
    H5Lcreate_soft(edit.size % 2 ? "/counts" : "/nowhere", file, name, H5P_DEFAULT, H5P_DEFAULT);
  } else if (edit.shape >= 220) {
    H5Lcreate_external("other.h5", "/counts", file, name, H5P_DEFAULT, H5P_DEFAULT);
  } else if (edit.shape >= 210) {
    H5Gclose(H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  } else {
    const hid_t space = space_of(edit, true), dataset = H5Dcreate2(file, name, type_of(edit), space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (dataset >= 0) H5Dclose(dataset);
    H5Sclose(space);
  }
}

std::vector<std::byte> file_with(const std::vector<Edit>& edits) {
  hdf5::FileInMemory memory("checkpoint.h5");
  const auto& file = memory.file();
  Provenance provenance;
  provenance.format = "boltzcurve checkpoint";
  provenance.format_version = checkpoint_format_version;
  provenance.hosts = {"here"};
  write_provenance(file, provenance);
  hdf5::write_dataset<double>(file, datasets[0], std::vector<double>{1, 2, 3, 4, 5, 6}, {2, 3});
  hdf5::write_dataset<std::int64_t>(file, datasets[1], std::vector<std::int64_t>{7, 8}, {2});
  hdf5::write_attribute(file, "dataset_names", std::vector<std::string>(datasets.begin(), datasets.end()));
  auto group = hdf5::create_groups(file, "scalars");
  hdf5::write_attribute(group, scalars[0], std::int64_t{3});
  hdf5::write_attribute(group, scalars[1], 0.5);
  hdf5::write_attribute(group, scalars[2], std::string_view("running"));
  group.close();

  for (const Edit& edit : edits) {
    std::size_t object = edit.object % (root_attributes.size() + scalars.size() + datasets.size());
    if (object < root_attributes.size()) {
      replace_attribute(file.id(), root_attributes[object], edit);
    } else if ((object -= root_attributes.size()) < scalars.size()) {
      const auto owner = hdf5::open_group(file, "scalars");
      replace_attribute(owner.id(), scalars[object], edit);
    } else {
      replace_dataset(file.id(), datasets[object - scalars.size()], edit);
    }
  }
  auto content = memory.close();
  seal(content);
  return content;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t max_edits = 8;
  std::vector<Edit> edits;
  for (std::size_t i = 0; i + 4 <= size && edits.size() < max_edits; i += 4)
    edits.push_back({data[i], data[i + 1], data[i + 2], data[i + 3]});
  const auto image = file_with(edits);
  fuzzing::may_be_refused([&] { (void)parse_checkpoint("checkpoint.h5", image); });
  return 0;
}

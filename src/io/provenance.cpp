#include "io/provenance.hpp"
#include <boltzcurve/error.hpp>
#include <boltzcurve/version.hpp>
#include "io/build.hpp"
#include "io/hdf5.hpp"
#include "io/host_names.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr auto younger_member = "training";  // files of earlier versions are without it

// The one list of members and their names in the file.
template <class Members, class Visitor>
void for_each_member(Members& provenance, Visitor visit) {
  visit("format", provenance.format);
  visit("format_version", provenance.format_version);
  visit("program_version", provenance.program_version);
  visit("git_description", provenance.git_description);
  visit("options", provenance.options);
  visit("command_line", provenance.command_line);
  visit("seed", provenance.seed);
  visit("build", provenance.build);
  visit("hosts", provenance.hosts);
  visit("job_id", provenance.job_id);
  visit("start_utc", provenance.start_utc);
  visit(younger_member, provenance.training);
}

struct Writer {
  const hdf5::Location& root;
  void operator()(const char* name, const auto& value) const { hdf5::write_attribute(root, name, value); }
};

struct Reader {
  const hdf5::Location& root;
  void operator()(const char* name, std::string& value) const {
    if (name != std::string_view(younger_member) || hdf5::has_attribute(root, name)) value = hdf5::read_attribute_text(root, name);
  }
  void operator()(const char* name, std::vector<std::string>& value) const { value = hdf5::read_attribute_texts(root, name); }
  template <hdf5::Number T>
  void operator()(const char* name, T& value) const {
    value = hdf5::read_attribute<T>(root, name);
  }
};

struct Broadcaster {
  const Communicator& ranks;
  void operator()(const char*, std::string& value) const { ranks.broadcast(value); }
  void operator()(const char*, std::int64_t& value) const { ranks.broadcast(std::span<std::int64_t>(&value, 1)); }
  void operator()(const char* name, std::uint64_t& value) const {
    auto bits = static_cast<std::int64_t>(value);
    (*this)(name, bits);
    value = static_cast<std::uint64_t>(bits);
  }
  void operator()(const char* name, std::vector<std::string>& values) const {
    auto count = static_cast<std::int64_t>(values.size());
    (*this)(name, count);
    values.resize(static_cast<std::size_t>(count));
    for (auto& value : values) ranks.broadcast(value);
  }
};

/// Each host once, in the order of its first rank.
std::vector<std::string> host_names(const Communicator& world) {
  std::vector<std::string> hosts;
  for (const auto& host : host_of_each_rank(world))
    if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.push_back(host);
  return hosts;
}

std::string scheduler_job_id() {
  for (const char* variable : {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"})
    if (const char* id = std::getenv(variable)) return id;
  return {};
}

}  // namespace

Provenance provenance_of_this_process(const Communicator& ranks) {
  Provenance provenance;
  provenance.program_version = version();
  provenance.git_description = git_description();
  provenance.build = build_text();
  provenance.hosts = host_names(ranks);
  provenance.job_id = scheduler_job_id();
  provenance.start_utc = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  broadcast(ranks, provenance);  // clocks and environments differ between hosts
  return provenance;
}

void write_provenance(const hdf5::Location& root, const Provenance& provenance) { for_each_member(provenance, Writer{root}); }

void write_training(const hdf5::Location& root, const std::string& training) { hdf5::write_attribute(root, younger_member, training); }

Provenance read_provenance(const hdf5::Location& root, std::string_view format, std::int64_t newest_version) {
  // Format and version first: another kind of file, or a newer one, may lack the rest.
  if (!hdf5::has_attribute(root, "format") || !hdf5::has_attribute(root, "format_version"))
    throw InputError(
        fmt::format("{} is an HDF5 file but not a {}: it has no attributes format and format_version", hdf5::file_name(root.id()), format));
  const auto found = hdf5::read_attribute_text(root, "format");
  if (found != format) throw InputError(fmt::format("{} is a {}, not a {}", hdf5::file_name(root.id()), found, format));
  const auto version = hdf5::read_attribute<std::int64_t>(root, "format_version");
  const auto text = fmt::format("{} is a {} of format version {}; this program reads versions 1 to {}", hdf5::file_name(root.id()), format,
                                version, newest_version);
  if (version > newest_version) throw NewerFormat(text + ": use the newer program that wrote it");
  if (version < 1) throw InputError(text);
  Provenance provenance;
  for_each_member(provenance, Reader{root});
  return provenance;
}

void broadcast(const Communicator& ranks, Provenance& provenance) { for_each_member(provenance, Broadcaster{ranks}); }

}  // namespace boltzcurve

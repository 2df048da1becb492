#include "io/samples_file.hpp"
#include <boltzcurve/error.hpp>
#include "core/heartbeat.hpp"
#include "io/durable_file.hpp"
#include "io/hdf5.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <exception>
#include <limits>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace boltzcurve {
namespace {

constexpr auto format_name = "boltzcurve samples";
constexpr std::int64_t newest_format_version = 2;  // 1: position/time was the time of the curve

constexpr auto trajectory_group = "particles/trajectory";
constexpr auto position_value = "particles/trajectory/position/value";
constexpr auto coordinates_value = "particles/trajectory/coordinates/value";
constexpr auto step_path = "particles/trajectory/position/step";
constexpr auto time_path = "particles/trajectory/position/time";
constexpr auto curve_time_group = "observables/curve_time";
constexpr auto curve_time_path = "observables/curve_time/value";
constexpr auto samples_group = "samples";
constexpr auto complete_attribute = "complete";
constexpr auto status_names_attribute = "names";
constexpr auto parameters_attribute = "parameters_crc32";
constexpr auto legs_attribute = "legs";
constexpr auto island_attribute = "island_size";

constexpr int viewer_dimension = 3;                          // what molecular viewers read
constexpr std::int64_t chunk_bytes = std::int64_t{1} << 20;  // at most; a frame takes whole chunks
constexpr std::int64_t frames_per_chunk = 64;                // of step and time
constexpr std::int64_t small_bytes = std::int64_t{1} << 20;  // what a file system likes to get in one request, or more
constexpr std::int64_t piece_bytes = std::int64_t{4} << 20;  // of a rank's part on its way: bounds memory, lets the disk start early
constexpr std::int64_t metadata_bytes = 65'536;              // more than datasets and frames add to the file beside their chunks

// Runs one collective stage on every rank; what fails on one rank is thrown on all, so that none waits for it in the next stage.
template <class Stage>
void together(const Communicator& ranks, Stage stage) {
  std::string message;
  auto code = ExitCode::internal_error;
  try {
    stage();
  } catch (const Error& error) {
    message = error.what();
    code = error.code();
  } catch (const std::exception& error) {
    message = fmt::format("writing samples: {}", error.what());
  }
  agree_on_error(ranks, message, static_cast<int>(code));
}

[[noreturn]] void misuse(const std::string& what) { throw Error(ExitCode::internal_error, "samples: " + what); }

void require_length(std::size_t found, std::int64_t expected, const char* name) {
  if (found != static_cast<std::uint64_t>(expected)) misuse(fmt::format("{} has {} entries, expected {}", name, found, expected));
}

// Chunks of one frame, or of a part of it, as even as possible: the last one is stored whole too.
struct FrameChunks {
  std::int64_t count, rows;
  FrameChunks(std::int64_t particles, std::int64_t width) {
    const auto bytes = particles * width * static_cast<std::int64_t>(sizeof(double));
    count = std::min(particles, (bytes + chunk_bytes - 1) / chunk_bytes);
    rows = (particles + count - 1) / count;
  }
};

hdf5::PropertyList frame_properties(std::int64_t particles, std::int64_t width) {
  const std::array<hsize_t, 3> chunk{1, static_cast<hsize_t>(FrameChunks(particles, width).rows), static_cast<hsize_t>(width)};
  auto properties = hdf5::dataset_properties();
  hdf5::check(H5Pset_chunk(properties.id(), 3, chunk.data()), {"set the chunks of a frame"});
  // Every element is written before the flush: do not write everything twice.
  hdf5::check(H5Pset_fill_time(properties.id(), H5D_FILL_TIME_NEVER), {"choose when to fill"});
  return properties;
}

std::int64_t stored_bytes_of_frame(std::int64_t particles, std::int64_t width) {
  constexpr std::int64_t index_entry = 128;  // of the B-tree that finds chunks, with room for half-empty nodes
  const FrameChunks chunks(particles, width);
  return chunks.count * (chunks.rows * width * static_cast<std::int64_t>(sizeof(double)) + index_entry);
}

hdf5::PropertyList series_properties() {
  auto properties = hdf5::dataset_properties();
  const auto chunk = static_cast<hsize_t>(frames_per_chunk);
  hdf5::check(H5Pset_chunk(properties.id(), 1, &chunk), {"set the chunks of step and time"});
  return properties;
}

// `bytes` of a dataset over all ranks; the same answer on each.
TransferMode chosen_mode(TransferMode wanted, std::int64_t bytes, int ranks) {
  if (wanted != TransferMode::automatic) return wanted;
  return bytes >= small_bytes && bytes / ranks < small_bytes ? TransferMode::collective : TransferMode::independent;
}

// The first three coordinates of each particle; missing ones are 0.
void project(std::span<const double> position, int dimension, std::vector<double>& result) {
  const auto width = static_cast<std::size_t>(dimension), count = position.size() / width,
             taken = std::min<std::size_t>(width, viewer_dimension);
  result.assign(count * viewer_dimension, 0.0);
  for (std::size_t i = 0; i < count; ++i)
    std::copy_n(position.begin() + static_cast<std::ptrdiff_t>(i * width), taken,
                result.begin() + static_cast<std::ptrdiff_t>(i * viewer_dimension));
}

// A rank's rows [first, first + count) of an array of `width` columns that holds its part of all rows.
template <class T>
std::span<const T> rows_of(std::span<const T> part, std::int64_t first, std::int64_t count, std::int64_t width) {
  return part.subspan(static_cast<std::size_t>(first * width), static_cast<std::size_t>(count * width));
}

// How files hold the numbers of a column.
template <class T>
struct Stored {
  using Number = T;
};
template <>
struct Stored<ParticleStatus> {
  using Number = std::underlying_type_t<ParticleStatus>;
};

bool is_in_files(const ParticleColumn& column) { return column.in_files != ParticleColumn::InFiles::never; }

hdf5::Shape shape_of_column(const ParticleColumn& column, std::int64_t rows, int dimension) {
  if (column.width == ParticleColumn::Width::one) return {rows};
  return {rows, dimension};
}

hdf5::Slab rows_of_column(const ParticleColumn& column, const Shard& part, int dimension) {
  if (column.width == ParticleColumn::Width::one) return {{part.first}, {part.count}};
  return {{part.first, 0}, {part.count, dimension}};
}

std::vector<std::string> all_status_names() {
  std::vector<std::string> names;
  for (int s = 0; s < particle_status_count; ++s) names.emplace_back(name_of(static_cast<ParticleStatus>(s)));
  return names;
}

// Makes room for a new file at `path`, on rank 0. Returns whether a former file went to previous_path(path).
bool move_former_file_away(const std::filesystem::path& path) {
  std::error_code failure;
  const auto previous = previous_path(path);
  if (!std::filesystem::exists(path, failure)) return false;
  // A previous file is still there only if the run that replaced it did not finish: then what stands at `path` is the lesser of the two.
  if (std::filesystem::exists(previous, failure)) return false;
  std::filesystem::rename(path, previous, failure);
  if (failure) throw InputError(fmt::format("cannot keep {} as {}: {}", path.string(), previous.string(), failure.message()));
  return true;
}

// MPI-IO names only its own error classes; this finds the system's reason first.
void probe(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) throw InputError(fmt::format("cannot create {}: {}", path.string(), std::generic_category().message(errno)));
  ::close(file);
}

}  // namespace

struct SamplesFile::State {
  // What a rank writes of N rows, and the most that any rank writes.
  struct Part {
    Shard shard;
    std::int64_t largest = 0;
  };

  Communicator ranks;
  std::filesystem::path path;
  SamplesDescription description;
  int exceptions_in_flight = std::uncaught_exceptions();
  bool failed_on_all = false;  // by the last stage
  hdf5::File file;
  hdf5::Dataset position, coordinates, step, time, curve_time;
  double first_time = 0;  // of the curve, in the first frame
  std::int64_t frames = 0;
  EarlyWriteback disk;
  std::vector<double> projected;  // a piece of it, kept from one to the next

  State(const Communicator& communicator, const std::filesystem::path& file_path, const SamplesDescription& about)
      : ranks(communicator), path(file_path), description(about) {}

  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // One collective stage. What it throws is thrown on all ranks, so all of them can close the file.
  template <class Stage>
  void stage(Stage stage_of_rank) {
    failed_on_all = true;
    together(ranks, stage_of_rank);
    failed_on_all = false;
  }

  // What has to hold before anything is written, on one rendezvous of the ranks: `arguments()` throws where this rank's do not fit
  // together, the shards cover each id once in any order of ranks, and the disk has room for `bytes`, so that no rank begins what it cannot
  // hold.
  template <class Arguments>
  Part prepare(const Shard& shard, std::int64_t bytes, Arguments arguments) {
    const auto borders = ranks.all_gather(std::vector<std::int64_t>{shard.first, shard.count});
    Part part{shard};
    stage([&] {
      arguments();
      std::vector<std::pair<std::int64_t, std::int64_t>> parts;
      for (std::size_t r = 0; r < borders.size(); r += 2)
        if (borders[r + 1] != 0) parts.emplace_back(borders[r], borders[r + 1]);
      std::sort(parts.begin(), parts.end());
      std::int64_t next = 0;
      for (const auto& [first, count] : parts) {
        if (first != next || count < 0)
          misuse(fmt::format("the shards of the ranks leave or repeat the particle {}", std::min(first, next)));
        next = first + count;
        part.largest = std::max(part.largest, count);
      }
      if (next != description.particles)
        misuse(fmt::format("the shards of the ranks end at particle {}, expected {}", next, description.particles));
      if (ranks.is_root()) reserve(bytes);
    });
    return part;
  }

  void reserve(std::int64_t bytes) { reserve_space(path, bytes + metadata_bytes); }

  ~State() {
    if (std::uncaught_exceptions() > exceptions_in_flight && !failed_on_all) {
      for (auto* dataset : {&position, &coordinates, &step, &time, &curve_time}) dataset->release();
      file.release();
    }
  }

  void close_all() {
    stage([&] {
      for (auto* dataset : {&position, &coordinates, &step, &time, &curve_time}) dataset->close();
      file.close();
    });
  }

  bool separate_coordinates() const { return description.dimension != viewer_dimension; }

  void write_header(const Provenance& provenance) {
    auto stamped = provenance;
    broadcast(ranks, stamped);
    stamped.format = format_name;
    stamped.format_version = newest_format_version;
    write_provenance(file, stamped);
    hdf5::write_attribute(file, complete_attribute, std::int64_t{0});
    hdf5::write_attribute(file, parameters_attribute, description.parameters_crc32);
    hdf5::write_attribute(file, legs_attribute, std::int64_t{description.legs});
    hdf5::write_attribute(file, island_attribute, description.island_size);
    hdf5::write_attribute(file, run_state_attribute, std::string_view("running"));

    const std::vector<std::int32_t> version{1, 1};
    hdf5::write_attribute<std::int32_t>(hdf5::create_groups(file, "h5md"), "version", version);
    hdf5::write_attribute(hdf5::create_groups(file, "h5md/author"), "name", description.author);
    const auto creator = hdf5::create_groups(file, "h5md/creator");
    hdf5::write_attribute(creator, "name", std::string_view("boltzcurve"));
    hdf5::write_attribute(creator, "version", stamped.program_version);
  }

  void create_trajectory() {
    const auto box = hdf5::create_groups(file, fmt::format("{}/box", trajectory_group));
    hdf5::write_attribute(box, "dimension", std::int32_t{viewer_dimension});
    hdf5::write_attribute(box, "boundary", std::vector<std::string>(viewer_dimension, "none"));

    const auto n = description.particles;
    const auto frames_of = [&](const char* where, std::int64_t width) {
      return hdf5::create_dataset<double>(file, where, {0, n, width}, frame_properties(n, width), {-1, n, width});
    };
    position = frames_of(position_value, viewer_dimension);
    step = hdf5::create_dataset<std::int64_t>(file, step_path, {0}, series_properties(), {-1});
    time = hdf5::create_dataset<double>(file, time_path, {0}, series_properties(), {-1});
    hdf5::create_groups(file, curve_time_group);
    curve_time = hdf5::create_dataset<double>(file, curve_time_path, {0}, series_properties(), {-1});
    share_step_and_time(curve_time_group);
    if (!separate_coordinates()) return;
    coordinates = frames_of(coordinates_value, description.dimension);
    share_step_and_time(fmt::format("{}/coordinates", trajectory_group));
  }

  // Gives an element, which has its value, the step and time of the positions.
  void share_step_and_time(const std::string& element) {
    for (const auto& [from, to] : {std::pair(step_path, element + "/step"), std::pair(time_path, element + "/time")})
      hdf5::check(H5Lcreate_hard(file.id(), from, file.id(), to.c_str(), H5P_DEFAULT, H5P_DEFAULT), {"link", file.id(), to.c_str()});
  }

  // Collective, metadata only.
  void make_room_for_frame() {
    if (!position.is_open()) create_trajectory();
    const auto n = description.particles;
    hdf5::resize(step, {frames + 1});
    hdf5::resize(time, {frames + 1});
    hdf5::resize(curve_time, {frames + 1});
    hdf5::resize(position, {frames + 1, n, viewer_dimension});
    if (separate_coordinates()) hdf5::resize(coordinates, {frames + 1, n, description.dimension});
  }

  // Every rank hands over its rows, those of `slab` along its dimension `along`, piece by piece: memory stays at a piece, and the disk
  // works on one while the next is copied. `values_of(first, count)`: rows [first, first + count) of this rank's.
  template <class T, class ValuesOf>
  void write_in_pieces(const hdf5::Dataset& dataset, const Part& part, const hdf5::Slab& slab, std::size_t along, ValuesOf values_of) {
    auto row_bytes = static_cast<std::int64_t>(sizeof(T));
    for (auto d = along + 1; d < slab.count.size(); ++d) row_bytes *= slab.count[d];
    const auto mode = chosen_mode(description.transfer, description.particles * row_bytes, ranks.size());
    const auto transfer = mode == TransferMode::collective ? hdf5::collective_transfer() : hdf5::independent_transfer();
    const auto rows = std::max<std::int64_t>(1, piece_bytes / row_bytes), mine = part.shard.count;
    const auto write = [&](std::int64_t begin) {
      const auto first = std::min(begin, mine), count = std::min(rows, mine - first);
      heartbeat();
      auto piece = slab;
      piece.start[along] += first;
      piece.count[along] = count;
      hdf5::write_slab<T>(dataset, piece, values_of(first, count), transfer);
      disk.start();
    };
    if (mode == TransferMode::collective) {  // as many calls on every rank, and none after a failed one
      for (std::int64_t begin = 0; begin < part.largest; begin += rows) stage([&] { write(begin); });
    } else {
      stage([&] {
        for (std::int64_t begin = 0; begin < mine; begin += rows) write(begin);
      });
    }
  }

  template <class ValuesOf>
  void write_value(const hdf5::Dataset& dataset, const Part& part, std::int64_t width, ValuesOf values_of) {
    write_in_pieces<double>(dataset, part, {{frames, part.shard.first, 0}, {1, part.shard.count, width}}, 1, values_of);
  }

  template <class T>
  void write_of_frame(const hdf5::Dataset& dataset, T value) {
    hdf5::write_slab<T>(dataset, {{frames}, {1}}, std::span<const T>(&value, 1), hdf5::independent_transfer());
  }
};

SamplesFile::SamplesFile(const Communicator& ranks, const std::filesystem::path& path, const SamplesDescription& description,
                         const Provenance& provenance)
    : state_(std::make_unique<State>(ranks, path, description)) {
  bool moved = false;
  state_->stage([&] {
    if (description.particles < 1 || description.dimension < 1)
      misuse(fmt::format("{} particles in {} dimensions cannot be written", description.particles, description.dimension));
    if (!ranks.is_root()) return;
    moved = move_former_file_away(path);
    try {
      probe(path);
    } catch (const InputError&) {
      if (moved) std::filesystem::rename(previous_path(path), path);
      throw;
    }
  });
  state_->stage([&] {
    state_->file = hdf5::create_file(path, hdf5::parallel_file_access(ranks.handle()));
    state_->disk = EarlyWriteback(path);
  });
  state_->stage([&] {
    if (ranks.is_root()) state_->reserve(static_cast<std::int64_t>(provenance.options.size() + provenance.command_line.size()));
  });
  state_->stage([&] {
    state_->write_header(provenance);
    hdf5::flush(state_->file);
  });
}

SamplesFile::~SamplesFile() = default;
SamplesFile::SamplesFile(SamplesFile&&) noexcept = default;
SamplesFile& SamplesFile::operator=(SamplesFile&&) noexcept = default;

void SamplesFile::write_frame(std::int64_t step, double time, const Shard& shard, std::span<const double> position) {
  auto& state = *state_;
  const int dimension = state.description.dimension;
  const auto n = state.description.particles;
  const auto bytes = stored_bytes_of_frame(n, viewer_dimension) + (state.separate_coordinates() ? stored_bytes_of_frame(n, dimension) : 0);
  const auto part =
      state.prepare(shard, bytes, [&] { require_length(position.size(), shard.count * dimension, "the position of a frame"); });
  if (state.frames == 0) state.first_time = time;
  state.stage([&] {
    state.make_room_for_frame();
    if (!state.ranks.is_root()) return;
    state.write_of_frame(state.step, step);
    state.write_of_frame(state.time, std::fabs(time - state.first_time));  // H5MD wants it to grow; on some curves t falls
    state.write_of_frame(state.curve_time, time);
  });
  const auto whole = [&](std::int64_t first, std::int64_t count) { return rows_of(position, first, count, dimension); };
  if (state.separate_coordinates()) {
    state.write_value(state.position, part, viewer_dimension, [&](std::int64_t first, std::int64_t count) {
      project(whole(first, count), dimension, state.projected);
      return std::span<const double>(state.projected);
    });
    state.write_value(state.coordinates, part, dimension, whole);
  } else {
    state.write_value(state.position, part, viewer_dimension, whole);
  }
  state.stage([&] { hdf5::flush(state.file); });
  ++state.frames;
}

void SamplesFile::write_samples(const Particles& particles) {
  auto& state = *state_;
  const int dimension = state.description.dimension;
  const auto n = state.description.particles;
  const auto& shard = particles.shard;
  const auto part = state.prepare(shard, n * static_cast<std::int64_t>(particle_bytes(dimension, 0)), [&] {
    for_each_column(
        [&](const ParticleColumn& column, const auto& values) {
          if (is_in_files(column)) require_length(values.size(), shard.count * column.numbers(dimension), column.name);
        },
        particles);
  });

  std::vector<hdf5::Dataset> datasets;
  state.stage([&] {
    const auto group = hdf5::create_groups(state.file, samples_group);
    for_each_column(
        [&]<class T>(const ParticleColumn& column, const std::vector<T>& /*values*/) {
          if (!is_in_files(column)) return;
          datasets.push_back(hdf5::create_dataset<typename Stored<T>::Number>(group, column.name, shape_of_column(column, n, dimension)));
          if constexpr (std::is_same_v<T, ParticleStatus>)
            hdf5::write_attribute(datasets.back(), status_names_attribute, all_status_names());
        },
        particles);
  });
  auto dataset = datasets.begin();
  for_each_column(
      [&]<class T>(const ParticleColumn& column, const std::vector<T>& values) {
        using Number = typename Stored<T>::Number;
        if (!is_in_files(column)) return;
        const std::span<const Number> numbers(reinterpret_cast<const Number*>(values.data()), values.size());
        state.write_in_pieces<Number>(
            *dataset++, part, rows_of_column(column, shard, dimension), 0,
            [&](std::int64_t first, std::int64_t count) { return rows_of(numbers, first, count, column.numbers(dimension)); });
      },
      particles);
  state.stage([&] { hdf5::flush(state.file); });
}

void SamplesFile::close_unfinished(const std::string& run_state) {
  auto& state = *state_;
  state.stage([&] {
    hdf5::write_attribute(state.file, run_state_attribute, std::string_view(run_state));
    hdf5::flush(state.file);
  });
  state.close_all();
}

void SamplesFile::close() {
  auto& state = *state_;
  state.stage([&] { hdf5::write_attribute(state.file, complete_attribute, std::int64_t{1}); });
  close_unfinished("finished");
  state.stage([&] {
    if (!state.ranks.is_root()) return;
    synchronize(state.path);
    synchronize(folder_of(state.path));
    std::error_code nothing_was_there;
    std::filesystem::remove(previous_path(state.path), nothing_was_there);
  });
}

Samples read_samples(const std::filesystem::path& path, const std::optional<Shard>& wanted) {
  const auto file = hdf5::open_file(path, hdf5::Mode::read_only, hdf5::file_access());
  Samples samples;
  samples.provenance = read_provenance(file, format_name, newest_format_version);
  samples.complete = hdf5::read_attribute<std::int64_t>(file, complete_attribute) != 0;
  if (hdf5::has_attribute(file, parameters_attribute))
    samples.parameters_crc32 = hdf5::read_attribute<std::int64_t>(file, parameters_attribute);
  if (hdf5::has_attribute(file, legs_attribute)) {
    samples.legs = static_cast<int>(hdf5::read_attribute<std::int64_t>(file, legs_attribute));
    samples.island_size = hdf5::read_attribute<std::int64_t>(file, island_attribute);
  }
  if (!hdf5::exists(file, samples_group))
    throw InputError(fmt::format("{} has no samples: the run that wrote it stopped before its end", path.string()));
  const auto position = hdf5::open_dataset(file, fmt::format("{}/position", samples_group));
  const auto shape = hdf5::shape_of(position);
  if (shape.size() != 2)
    throw InputError(fmt::format("dataset /{}/position in {} has the shape {}, expected two dimensions", samples_group, path.string(),
                                 hdf5::to_text(shape)));
  samples.particles = shape[0];
  samples.dimension = static_cast<int>(shape[1]);
  const Shard part = samples.shard = wanted.value_or(Shard{0, samples.particles});
  if (part.first < 0 || part.count < 0 || part.first > samples.particles - part.count)
    throw InputError(fmt::format("cannot read the particles {} to {} of {}: it has {}", part.first, part.first + part.count - 1,
                                 path.string(), samples.particles));

  for_each_column(
      [&]<class T>(const ParticleColumn& column, std::vector<T>& values) {
        using Number = typename Stored<T>::Number;
        if (!is_in_files(column)) return;
        const auto name = fmt::format("{}/{}", samples_group, column.name);
        values.resize(static_cast<std::size_t>(part.count * column.numbers(samples.dimension)));
        if (column.in_files == ParticleColumn::InFiles::newer && !hdf5::exists(file, name)) {
          if constexpr (std::is_floating_point_v<T>) std::fill(values.begin(), values.end(), std::numeric_limits<T>::quiet_NaN());
          return;
        }
        const auto dataset = hdf5::open_dataset(file, name);
        const auto expected = shape_of_column(column, samples.particles, samples.dimension);
        if (const auto found = hdf5::shape_of(dataset); found != expected)
          throw InputError(fmt::format("dataset /{} in {} has the shape {}, expected {}", name, path.string(), hdf5::to_text(found),
                                       hdf5::to_text(expected)));
        hdf5::read_slab<Number>(dataset, rows_of_column(column, part, samples.dimension),
                                {reinterpret_cast<Number*>(values.data()), values.size()});
      },
      samples);
  if (!hdf5::exists(file, fmt::format("{}/ancestor", samples_group))) samples.ancestor = samples.id;
  samples.status_names =
      hdf5::read_attribute_texts(hdf5::open_dataset(file, fmt::format("{}/status", samples_group)), status_names_attribute);
  return samples;
}

Trajectory read_trajectory(const std::filesystem::path& path) {
  const auto file = hdf5::open_file(path, hdf5::Mode::read_only, hdf5::file_access());
  read_provenance(file, format_name, newest_format_version);
  Trajectory trajectory;
  if (!hdf5::exists(file, trajectory_group)) return trajectory;
  const auto values = hdf5::open_dataset(file, hdf5::exists(file, coordinates_value) ? coordinates_value : position_value);
  const auto shape = hdf5::shape_of(values);
  if (shape.size() != 3)
    throw InputError(fmt::format("dataset {} in {} has the shape {}, expected three dimensions", hdf5::object_path(values.id(), ""),
                                 path.string(), hdf5::to_text(shape)));
  trajectory.step = hdf5::read_dataset<std::int64_t>(file, step_path, 1).values;
  trajectory.time = hdf5::read_dataset<double>(file, hdf5::exists(file, curve_time_path) ? curve_time_path : time_path, 1).values;
  // A process killed within a flush may leave these of different lengths.
  trajectory.frames =
      std::min({shape[0], static_cast<std::int64_t>(trajectory.step.size()), static_cast<std::int64_t>(trajectory.time.size())});
  trajectory.particles = shape[1];
  trajectory.dimension = static_cast<int>(shape[2]);
  trajectory.step.resize(static_cast<std::size_t>(trajectory.frames));
  trajectory.time.resize(static_cast<std::size_t>(trajectory.frames));
  trajectory.coordinates.resize(static_cast<std::size_t>(trajectory.frames * trajectory.particles * trajectory.dimension));
  hdf5::read_slab<double>(values, {{0, 0, 0}, {trajectory.frames, trajectory.particles, trajectory.dimension}}, trajectory.coordinates);
  return trajectory;
}

}  // namespace boltzcurve

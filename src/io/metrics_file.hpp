#pragma once

#include "io/table.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace boltzcurve {

/// metrics.h5: tables that grow by rows. A table is a group (/training, /evaluation), a column is a one-dimensional dataset in it whose
/// attribute `unit` says what its numbers mean. Each appended row is flushed: a killed process loses none.
///
/// For one rank only (rank 0). Other processes can read it meanwhile: it is not locked, since its folder is, and each row is flushed.
class MetricsFile {
 public:
  /// Opens `path` to append, or creates it. An existing file keeps its provenance: that of the run that began it.
  /// Throws InputError: no such folder, not a metrics file, newer version.
  MetricsFile(const std::filesystem::path& path, const Provenance& provenance);
  ~MetricsFile();
  MetricsFile(MetricsFile&&) noexcept;
  MetricsFile& operator=(MetricsFile&&) noexcept;

  /// Declares a table by its columns of integers and reals, all empty; it is then ready for append(). Where the file has it already, the
  /// columns must be the same: otherwise throws InputError that names the first that is not. Rows that a killed process left half-written
  /// are removed.
  void declare(const std::string& table, const std::vector<Column>& columns);

  /// Adds a row, a value per column in the order of declaration. An integer may stand in a real column. Throws InputError where writing
  /// fails (disk full), and Error where the table, the number of values or a type is not as declared.
  void append(const std::string& table, std::span<const Cell> row);

  /// Removes the rows from the first on in which `column` (an integer one, such as "step") is beyond `last`: a run that resumes from a
  /// checkpoint takes back what its predecessor did after it.
  void remove_after(const std::string& table, const std::string& column, std::int64_t last);

  /// Says which training the next rows belong to, in the provenance that the file keeps otherwise. Flushed.
  void set_training(const std::string& training);

  /// What the run that writes the file is doing: the root attribute `state`, "running", "finished" or "stopped: " and why. Flushed.
  void set_state(const std::string& state);

  std::int64_t rows(const std::string& table) const;

  /// Throws InputError where the last bytes cannot be written. The destructor closes too, in silence.
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct MetricsTable {
  Provenance provenance;
  std::string state;           ///< see MetricsFile::set_state(); empty: never set
  std::vector<Column> series;  ///< in the order of declaration, all of the same length

  /// Throws InputError where there is none, or where it is of the other type.
  const std::vector<double>& real(const std::string& name) const;
  const std::vector<std::int64_t>& integer(const std::string& name) const;
};

/// Throws InputError: missing file, not a metrics file.
Provenance read_metrics_provenance(const std::filesystem::path& path);

/// Throws InputError: missing file, not a metrics file, no such table.
MetricsTable read_metrics(const std::filesystem::path& path, const std::string& table);

}  // namespace boltzcurve

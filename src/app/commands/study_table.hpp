#pragma once

#include "app/process/run.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace boltzcurve {

/// A column of a study's table.
struct StudyColumn {
  enum class Type { text, integer, real };
  std::string name;  ///< for example "velocity_norm"
  std::string unit;  ///< for example "length/time"; "1" for a pure number, "text" for words
  Type type = Type::real;
};

using StudyValue = std::variant<std::string, std::int64_t, double>;

/// A table of results. Unknown numbers are NaN.
class StudyTable {
 public:
  StudyTable(std::string name, std::vector<StudyColumn> columns) : name_(std::move(name)), columns_(std::move(columns)) {}

  const std::string& name() const { return name_; }
  const std::vector<StudyColumn>& columns() const { return columns_; }
  const std::vector<std::vector<StudyValue>>& rows() const { return rows_; }

  /// A value per column. Throws Error where number or type is not as declared.
  void add(std::vector<StudyValue> row);

  /// A header and a line per row; unknown numbers are empty, words with a comma or a quote are quoted.
  std::string csv() const;

 private:
  std::string name_;
  std::vector<StudyColumn> columns_;
  std::vector<std::vector<StudyValue>> rows_;
};

/// Writes NAME.csv for each table and all of them into STUDY.h5 of the output folder: a group per table, a dataset per column with its unit
/// as attribute, provenance at the root. Whole files replace those of an earlier run. Throws InputError. Collective.
void write_study(const Run& run, const std::string& study, const std::vector<const StudyTable*>& tables);

}  // namespace boltzcurve

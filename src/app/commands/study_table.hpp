#pragma once

#include "app/process/run.hpp"
#include "io/table.hpp"

#include <string>
#include <vector>

namespace boltzcurve {

/// Writes NAME.csv for each table and all of them into STUDY.h5 of the output folder (see io/table.hpp). Whole files replace those of an
/// earlier run. Throws InputError. Collective.
void write_study(const Run& run, const std::string& study, const std::vector<const Table*>& tables);

}  // namespace boltzcurve

#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace boltzcurve {

/// The numbers of an evaluation.json, by their keys; unknown ones are absent. Throws InputError where it is no JSON object.
std::map<std::string, double> evaluation_numbers(const std::filesystem::path& file);

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/parameters.hpp>

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace boltzcurve {

/// Makes the file that a setting names, if it has a value, absolute: relative names start at `folder`. Throws SettingError where the name
/// could not be read back from a configuration.
void make_absolute(Parameters::Values& values, const std::string& key, const std::filesystem::path& folder);

/// What a file holds that is to be run. Throws InputError, "cannot load ...", where it cannot be read, or where everybody may write to it
/// or exchange it: what is in it may be anybody's.
std::vector<char> read_code(const std::filesystem::path& path);

/// Of the content of a file, for people and to be compared.
std::string digest_of(std::span<const char> content);

/// A JSON text, from the file that a setting names, as one line without the characters that end values of configurations. Throws InputError
/// where the file cannot be read, or is no JSON.
std::string read_json(const std::filesystem::path& file);

/// Throws SettingError of `key` where `text` is no JSON object.
void require_json_object(const std::string& key, const std::string& text);

}  // namespace boltzcurve

#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

namespace boltzcurve {

/// The last line of a sealed file, after all that its format knows of: "boltzcurve: 00000000000000123456 bytes above, CRC-32 cbf43926\n",
/// the checksum that of IEEE 802.3. So damage is found before a library tries to make sense of it, which may end the program: HDF5 2.2
/// does where attributes are damaged. HDF5 reads no further than its own end, and cuts the line off when it changes the file.
inline constexpr std::size_t seal_bytes = 62;

/// Adds the line to the content of a file.
void seal(std::vector<std::byte>& content);

/// The content without the line. Content that has none comes back as it is: it was written by an earlier version or changed by another
/// program, and is left to what checks it next. Throws InputError, naming the file at `path`, where the line is not true of the rest.
std::span<const std::byte> unsealed(const std::filesystem::path& path, std::span<const std::byte> content);

}  // namespace boltzcurve

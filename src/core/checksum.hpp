#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace boltzcurve {

/// The CRC-32 of IEEE 802.3, as zlib and PNG have it: 0xcbf43926 of the nine bytes "123456789".
std::uint32_t crc_32(std::span<const std::byte> bytes);

}  // namespace boltzcurve

#include "core/checksum.hpp"

#include <boost/crc.hpp>

namespace boltzcurve {

std::uint32_t crc_32(std::span<const std::byte> bytes) {
  boost::crc_32_type sum;
  sum.process_bytes(bytes.data(), bytes.size());
  return sum.checksum();
}

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/communicator.hpp>

#include <cstdint>
#include <string>

namespace boltzcurve {

/// The most memory that this process has held so far, in bytes.
std::int64_t peak_resident_bytes();

/// For the end of a run: "memory: at most 123 MiB on a rank, 456 MiB on all". Collective.
std::string memory_report(const Communicator& ranks);

/// A number of bytes for people: "1.5 MiB".
std::string size_text(double bytes);

}  // namespace boltzcurve

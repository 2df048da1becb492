// The bytes of a checkpoint.
#include "harness.hpp"

#include "io/checkpoint.hpp"

#include <span>

using namespace boltzcurve;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzzing::may_be_refused([&] { (void)parse_checkpoint("checkpoint.h5", std::as_bytes(std::span(data, size))); });
  return 0;
}

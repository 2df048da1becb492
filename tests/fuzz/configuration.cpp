// A configuration file.
#include "harness.hpp"

#include "app/options/options.hpp"

#include <string>

using namespace boltzcurve;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  fuzzing::may_be_refused([&] {
    const auto source = parse_config(text, "a.ini");
    for (const auto& assignment : source.assignments)
      if (assignment.value.find('/') != std::string::npos) return;  // other files of this machine are no input
    const Options options = resolve_options(std::span(&source, 1));
    const auto again = parse_config(resolved_text(options), "resolved");
    fuzzing::require(resolve_options(std::span(&again, 1)) == options, "the resolved options are not read back as themselves");
  });
  return 0;
}

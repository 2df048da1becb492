#pragma once

#include "io/provenance.hpp"

namespace boltzcurve::testing {

/// Every member differs from its default and from the others; text beyond ASCII, an empty host, a seed beyond int64.
inline Provenance example_provenance() {
  return {.format = "test file",
          .format_version = 3,
          .program_version = "0.1.0",
          .git_description = "abc1234-dirty",
          .options = "[target]\nname = gaussian-mixture\n",
          .command_line = "boltzcurve train --curve.name=\"gradient-flow\" # \u03c8",
          .seed = 0xfedcba9876543210u,
          .build = "GCC 12.2, -O3",
          .hosts = {"node1", "", "a-node-with-a-longer-name"},
          .job_id = "4711",
          .start_utc = "2026-03-01T12:00:00Z",
          .training = "0123456789abcdef"};
}

}  // namespace boltzcurve::testing

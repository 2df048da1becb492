#pragma once

#include <boltzcurve/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

/// What libFuzzer, or driver.cpp in its place, calls with every input. Each harness defines it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace boltzcurve::fuzzing {

/// Ends the program as a crash does, so that the input is kept.
[[noreturn]] inline void finding(const std::string& what) {
  std::fprintf(stderr, "finding: %s\n", what.c_str());
  std::abort();
}

inline void require(bool holds, const std::string& what) {
  if (!holds) finding(what);
}

/// Reads input, which may be refused, but only in the way that users are told of: an exception of any other kind is a finding.
template <class Action>
void may_be_refused(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    require(error.code() == ExitCode::usage || error.code() == ExitCode::input,
            std::string("bad input ends with an exit code that is not for it: ") + error.what());
    require(error.what()[0] != '\0', "an error has no message");
  }
}

}  // namespace boltzcurve::fuzzing

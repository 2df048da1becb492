#pragma once

#include <boltzcurve/error.hpp>

namespace boltzcurve {

/// What evaluates a target for the program, such as a process beside it, has failed: no setting of the method would help.
class TargetError : public NumericalError {
 public:
  using NumericalError::NumericalError;
};

}  // namespace boltzcurve

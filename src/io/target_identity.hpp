#pragma once

#include <boltzcurve/energy.hpp>
#include "io/checkpoint.hpp"

namespace boltzcurve {

/// Keeps in a checkpoint what tells its target from others, where the target is not the library's own.
void put_identity(Checkpoint& checkpoint, const Energy& target);

/// Throws InputError where the target is another than the checkpoint's: where its values at the same points are others, but for rounding. A
/// file that was built again, or lies elsewhere, makes no other target.
void require_identity(const Checkpoint& checkpoint, const Energy& target);

}  // namespace boltzcurve
